//! Bearer tokens: fetched once for all who want the same, kept while they are good.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use moka::{Expiry, future::Cache};
use serde::Deserialize;
use url::{Url, form_urlencoded::Serializer};

use super::{credential::Credential, host::Host, session::admitted};
use crate::{
    name::Digest,
    source::{
        Deadline,
        error::{FetchError, Presented, ProtocolError},
        secret::Secret,
        transport::{Redirects, Request, Transport},
    },
};

/// The tokens of all registries. One of a credential is never given to another.
pub(super) struct Tokens(Cache<Key, Token>);

/// What a token is good for.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(super) struct Key {
    pub(super) registry: Arc<str>,
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) scope: String,
    /// Of the credential; none is anonymous.
    pub(super) credential: Option<Digest>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    life: Duration,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).expire_after(Life).build())
    }

    /// The `Authorization` header for `key`, from memory or from the token service.
    ///
    /// Concurrent callers share one request. `refused` is a header that the registry did not take;
    /// it is not given again.
    ///
    /// # Errors
    /// If the token service gives none.
    pub(super) async fn get(
        &self,
        key: Key,
        host: &Host,
        credential: Option<&Credential>,
        refused: Option<&HeaderValue>,
        transport: &Transport,
        deadline: Deadline,
    ) -> Result<HeaderValue, FetchError> {
        if let Some(refused) = refused
            && self.0.get(&key).await.is_some_and(|token| token.header == *refused)
        {
            self.0.invalidate(&key).await;
        }
        let fetching = Box::pin(fetch(&key, host, credential, transport));
        let wait = self.0.try_get_with_by_ref(&key, fetching);
        match tokio::time::timeout(deadline.remaining(), wait).await {
            Ok(token) => token
                .map(|token| token.header)
                .map_err(|error: Arc<FetchError>| error.as_ref().clone()),
            Err(_) => Err(FetchError::Late(host.peer())),
        }
    }
}

/// Asks the token service, by the distribution protocol: GET, or POST with an identity token. It
/// has a deadline of its own, since others may wait for the same token.
async fn fetch(
    key: &Key,
    host: &Host,
    credential: Option<&Credential>,
    transport: &Transport,
) -> Result<Token, FetchError> {
    let mut request = match credential {
        Some(Credential::IdentityToken(token)) => exchange(key, host, token),
        _ => ask(key, host, credential),
    };
    request.redirects = Redirects::SameHost;
    let response = transport.send(request.clone(), Deadline::after(PATIENCE)).await?;
    let response = admitted(host, response, Presented::of(credential))?;
    if response.status != StatusCode::OK {
        return Err(request.invalid(ProtocolError::Status(response.status)));
    }
    let answer: Answer = serde_json::from_slice(&response.body)
        .map_err(|error| request.invalid(ProtocolError::Json(Arc::new(error))))?;
    let header = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty())
        .and_then(|token| Secret::new(token).bearer())
        .ok_or_else(|| request.invalid(ProtocolError::Token))?;
    let seconds = answer.expires_in.unwrap_or_default().clamp(SHORTEST, LONGEST);
    Ok(Token { header, life: Duration::from_secs(seconds) * 4 / 5 })
}

fn ask(key: &Key, host: &Host, credential: Option<&Credential>) -> Request {
    let mut url = key.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &key.service {
            query.append_pair("service", service);
        }
        for scope in key.scope.split(' ') {
            query.append_pair("scope", scope);
        }
        if let Some(Credential::Password { username, .. }) = credential {
            query.append_pair("account", username);
        }
    }
    Request { secret: credential.and_then(Credential::basic), ..Request::get(host.peer(), url) }
}

fn exchange(key: &Key, host: &Host, token: &Secret) -> Request {
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", key.service.as_deref().unwrap_or_default())
        .append_pair("client_id", "countersign")
        .append_pair("scope", &key.scope)
        .append_pair("refresh_token", token.reveal())
        .finish();
    let mut request =
        Request::send(host.peer(), Method::POST, key.realm.clone(), Bytes::from(form));
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    request.repeatable = true;
    request
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Forgets a token at four fifths of its life.
struct Life;

impl Expiry<Key, Token> for Life {
    fn expire_after_create(&self, _: &Key, token: &Token, _: Instant) -> Option<Duration> {
        Some(token.life)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        token: &Token,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(token.life)
    }
}

const CAPACITY: u64 = 4096;
const PATIENCE: Duration = Duration::from_secs(5);
/// What the protocol says of a token that does not say how long it lives, in seconds.
const SHORTEST: u64 = 60;
const LONGEST: u64 = 12 * 60 * 60;
const FORM: &str = "application/x-www-form-urlencoded";
