//! Who may do what: basic authentication, and tokens as distribution's token service gives them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use crate::{
    base64_decode,
    peer::{Answer, Handler, Kind, Listen, Peer, Request, decoded},
    sha256,
};

/// How a registry asks for credentials.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Not at all.
    Anonymous,
    /// `Basic`, on every request.
    Basic(Users),
    /// `Bearer`, with the registry's own `/token` as realm.
    Bearer(Users),
    /// `Bearer`, with that URL as realm: a [`TokenService`] elsewhere, or a trap.
    BearerAt(Users, String),
}

/// Users with their passwords, and the tokens that were issued to them. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<Mutex<Accounts>>);

#[derive(Debug)]
struct Accounts {
    users: Vec<User>,
    identity_tokens: HashMap<String, String>,
    tokens: HashMap<String, Vec<String>>,
    issued: usize,
    anonymous: bool,
    life: u64,
}

#[derive(Debug)]
struct User {
    name: String,
    password: String,
    prefix: String,
}

impl Default for Accounts {
    fn default() -> Self {
        let (users, tokens) = (Vec::new(), HashMap::new());
        let identity_tokens = HashMap::new();
        Self { users, identity_tokens, tokens, issued: 0, anonymous: false, life: 300 }
    }
}

impl Users {
    /// One user who may do everything.
    pub fn one(name: &str, password: &str) -> Self {
        let users = Self::default();
        users.add(name, password, "");
        users
    }

    /// One more user, only for repositories whose path starts with `prefix`.
    pub fn add(&self, name: &str, password: &str, prefix: &str) {
        let (name, password, prefix) = (name.to_owned(), password.to_owned(), prefix.to_owned());
        self.lock().users.push(User { name, password, prefix });
    }

    /// An identity token (refresh token), which stands for that user.
    pub fn identity_token(&self, token: &str, user: &str) {
        self.lock().identity_tokens.insert(token.to_owned(), user.to_owned());
    }

    /// Whether callers without credentials get tokens for `pull`. They do not unless told.
    pub fn allow_anonymous_pull(&self, allowed: bool) {
        self.lock().anonymous = allowed;
    }

    /// What `expires_in` says, in seconds; 300 unless told. Tokens die by
    /// [`Users::revoke_tokens`] only.
    pub fn token_life(&self, seconds: u64) {
        self.lock().life = seconds;
    }

    /// Every token issued so far stops working.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// How many tokens were issued.
    pub fn issued(&self) -> usize {
        self.lock().issued
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this `Authorization: Basic` value opens that repository.
    pub(super) fn basic(&self, authorization: &str, repository: &str) -> bool {
        let Some((name, password)) = basic(authorization) else { return false };
        let accounts = self.lock();
        accounts.users.iter().any(|user| {
            user.name == name && user.password == password && repository.starts_with(&user.prefix)
        })
    }

    /// Whether this `Authorization: Bearer` value opens that repository for that action.
    pub(super) fn bearer(&self, authorization: &str, repository: &str, action: &str) -> bool {
        let Some(token) = authorization.strip_prefix("Bearer ") else { return false };
        let accounts = self.lock();
        let Some(scopes) = accounts.tokens.get(token) else { return false };
        repository.is_empty()
            || scopes.iter().any(|scope| {
                let actions = scope.strip_prefix(&format!("repository:{repository}:"));
                actions.is_some_and(|actions| actions.split(',').any(|one| one == action))
            })
    }

    /// The token endpoint: GET with basic credentials or none, POST with a refresh token.
    fn token(&self, request: &Request) -> Answer {
        let mut accounts = self.lock();
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let posted = |name: &str| {
            let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
        };
        let (user, scopes) = if request.method == "POST" {
            let token = posted("refresh_token").unwrap_or_default();
            let Some(user) = accounts.identity_tokens.get(&token).cloned() else {
                return Answer::registry_error(401, "UNAUTHORIZED");
            };
            let scope = posted("scope").unwrap_or_default();
            (Some(user), scope.split(' ').map(str::to_owned).collect::<Vec<_>>())
        } else {
            let user = match request.authorization() {
                None => None,
                Some(value) => match accounts.known(value) {
                    Some(user) => Some(user),
                    None => return Answer::registry_error(401, "UNAUTHORIZED"),
                },
            };
            (user, request.parameters("scope"))
        };
        let granted = accounts.granted(user.as_deref(), &scopes);
        accounts.issued += 1;
        let seed = format!("{user:?} {granted:?} {}", accounts.issued);
        let token = format!("kit.{}", &sha256(seed.as_bytes())[7..47]);
        accounts.tokens.insert(token.clone(), granted);
        let body = json!({"token": token, "access_token": token, "expires_in": accounts.life});
        Answer::json(200, &body)
    }
}

impl Accounts {
    fn known(&self, authorization: &str) -> Option<String> {
        let (name, password) = basic(authorization)?;
        let mut users = self.users.iter();
        users.find(|user| user.name == name && user.password == password).map(|u| u.name.clone())
    }

    /// The scopes, less what this user may not have. Less is no error, as the protocol has it.
    fn granted(&self, user: Option<&str>, scopes: &[String]) -> Vec<String> {
        let allowed = |scope: &String| {
            let Some((repository, actions)) =
                scope.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'))
            else {
                return false;
            };
            match user {
                None => self.anonymous && actions == "pull",
                Some(name) => self
                    .users
                    .iter()
                    .any(|user| user.name == name && repository.starts_with(&user.prefix)),
            }
        };
        scopes.iter().filter(|scope| allowed(scope)).cloned().collect()
    }
}

impl Auth {
    /// `Ok` if the request may pass, otherwise the 401 with its challenge.
    pub(super) fn check(
        &self,
        request: &Request,
        repository: &str,
        action: &str,
    ) -> Result<(), Box<Answer>> {
        let given = request.authorization().unwrap_or_default();
        let challenge = match self {
            Self::Anonymous => return Ok(()),
            Self::Basic(users) if users.basic(given, repository) => return Ok(()),
            Self::Bearer(users) | Self::BearerAt(users, _)
                if users.bearer(given, repository, action) =>
            {
                return Ok(());
            }
            Self::Basic(_) => "Basic realm=\"kit\"".to_owned(),
            Self::Bearer(_) => {
                let host = request.header("host").unwrap_or_default();
                let scheme = if request.secure { "https" } else { "http" };
                bearer_challenge(&format!("{scheme}://{host}/token"), repository, action)
            }
            Self::BearerAt(_, realm) => bearer_challenge(realm, repository, action),
        };
        let answer = Answer::registry_error(401, "UNAUTHORIZED");
        Err(Box::new(answer.with("www-authenticate", challenge)))
    }

    /// The registry's own `/token`.
    pub(super) fn token(&self, request: &Request) -> Answer {
        match self {
            Self::Bearer(users) => users.token(request),
            _ => Answer::new(404),
        }
    }
}

/// A token service on a host:port of its own, for [`Auth::BearerAt`].
pub struct TokenService(Peer);

impl TokenService {
    /// Serves `/token` to those users.
    pub fn start(listen: Listen, users: &Users) -> Self {
        Self(Peer::serve(listen, Endpoint(users.clone())))
    }

    /// The realm to configure: `http://127.0.0.1:PORT/token`.
    pub fn realm(&self) -> String {
        format!("{}/token", self.url())
    }
}

impl std::ops::Deref for TokenService {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

struct Endpoint(Users);

impl Handler for Endpoint {
    fn kind(&self, _method: &str, path: &str) -> Kind {
        if path == "/token" { Kind::Token } else { Kind::Other }
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.path == "/token" { self.0.token(request) } else { Answer::new(404) }
    }
}

fn bearer_challenge(realm: &str, repository: &str, action: &str) -> String {
    let scope = if repository.is_empty() {
        String::new()
    } else {
        let actions = if action == "pull" { "pull" } else { "pull,push" };
        format!(",scope=\"repository:{repository}:{actions}\"")
    };
    format!("Bearer realm=\"{realm}\",service=\"kit\"{scope}")
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let code = authorization.strip_prefix("Basic ")?;
    let text = String::from_utf8(base64_decode(code)?).ok()?;
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}
