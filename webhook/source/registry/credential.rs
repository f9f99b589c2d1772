//! A credential, what it is for, and reading it again when its file changes.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::{
    docker_config::{DockerConfig, LARGEST},
    helper,
    options::{CredentialOptions, CredentialSource},
};
use crate::{
    name::{Digest, Pattern, Repository},
    source::{
        error::CredentialError,
        secret::{Secret, header},
    },
};

/// What proves to a registry who we are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential {
    /// User name and password.
    Password { username: String, password: Secret },
    /// A refresh token, for the token service.
    IdentityToken(Secret),
    /// A bearer token for the registry itself.
    RegistryToken(Secret),
}

impl Credential {
    /// `Authorization: Basic …`; `None` for tokens.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Self::Password { username, password } = self else { return None };
        let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
        header(&Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
    }

    /// Tells credentials apart without keeping them: tokens are cached by it.
    pub(super) fn identity(&self) -> Digest {
        let (kind, name, secret) = match self {
            Self::Password { username, password } => ('p', username.as_str(), password),
            Self::IdentityToken(token) => ('i', "", token),
            Self::RegistryToken(token) => ('r', "", token),
        };
        let text = Zeroizing::new(format!("{kind}{}:{name}{}", name.len(), secret.reveal()));
        Digest::sha256(text.as_bytes())
    }
}

/// One configured credential.
pub(super) struct CredentialRule {
    repositories: Vec<Pattern>,
    source: Source,
}

impl CredentialRule {
    pub(super) fn new(options: CredentialOptions) -> Self {
        let source = match options.source {
            CredentialSource::Given(credential) => Source::Given(credential),
            CredentialSource::DockerConfig(path) => Source::DockerConfig(Watched::new(path)),
            CredentialSource::Login { file, hidden } => {
                Source::Login { file: Watched::new(file), hidden, kept: OnceCell::new() }
            }
            CredentialSource::PasswordFile { username, file } => {
                Source::PasswordFile(username, Watched::new(file))
            }
        };
        Self { repositories: options.repositories, source }
    }

    /// Tells this credential from others, by where it is. Not 0.
    pub(super) fn scope(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match &self.source {
            Source::Given(credential) => credential.identity().hash(&mut hasher),
            Source::DockerConfig(file) | Source::Login { file, .. } => file.path.hash(&mut hasher),
            Source::PasswordFile(username, file) => (username, &file.path).hash(&mut hasher),
        }
        hasher.finish() | 1
    }

    /// Whether this is the credential for a repository.
    pub(super) fn covers(&self, repository: &Repository) -> bool {
        self.repositories.is_empty()
            || self.repositories.iter().any(|pattern| pattern.matches(repository))
    }

    /// The credential as its file has it now; `None` if the file has none for the repository.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) async fn read(
        &self,
        repository: &Repository,
    ) -> Result<Option<Credential>, Arc<CredentialError>> {
        match &self.source {
            Source::Given(credential) => Ok(Some(credential.clone())),
            Source::DockerConfig(file) => {
                Ok(file.get(DockerConfig::parse).await?.find(repository).cloned())
            }
            Source::Login { file, hidden, kept } => {
                let config = file.get(DockerConfig::parse).await?;
                let Some(helper) = config.helper(repository.host()) else {
                    return Ok(config.find(repository).cloned());
                };
                // A command has few registries, each with a rule of its own.
                let kept =
                    kept.get_or_try_init(|| helper::ask(helper, repository.host(), hidden)).await?;
                Ok(kept.clone().or_else(|| config.find(repository).cloned()))
            }
            Source::PasswordFile(username, file) => {
                let password = file.get(password).await?;
                let username = username.clone();
                Ok(Some(Credential::Password { username, password: password.as_ref().clone() }))
            }
        }
    }
}

enum Source {
    Given(Credential),
    DockerConfig(Watched<DockerConfig>),
    Login {
        file: Watched<DockerConfig>,
        /// Variables that its helpers do not get to see.
        hidden: Vec<String>,
        /// What a helper has, which is asked once.
        kept: OnceCell<Option<Credential>>,
    },
    PasswordFile(String, Watched<Secret>),
}

/// What a file holds, read again when its time or size changes.
struct Watched<T> {
    path: PathBuf,
    last: Mutex<Option<Seen<T>>>,
}

struct Seen<T> {
    value: Arc<T>,
    modified: Option<SystemTime>,
    size: u64,
    looked: Instant,
}

impl<T> Watched<T> {
    fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(None) }
    }

    async fn get(
        &self,
        parse: fn(&Path, &str) -> Result<T, CredentialError>,
    ) -> Result<Arc<T>, Arc<CredentialError>> {
        if let Some(value) = self.last(|seen| seen.looked.elapsed() < LOOK) {
            return Ok(value);
        }
        let unreadable =
            |source| CredentialError::Read { path: self.path.display().to_string(), source };
        let metadata = tokio::fs::metadata(&self.path).await.map_err(unreadable)?;
        let (modified, size) = (metadata.modified().ok(), metadata.len());
        if !metadata.is_file() {
            return Err(Arc::new(unreadable(std::io::ErrorKind::InvalidInput.into())));
        }
        if size > LARGEST {
            return Err(Arc::new(unreadable(std::io::ErrorKind::FileTooLarge.into())));
        }
        if let Some(value) = self.last(|seen| seen.modified == modified && seen.size == size) {
            return Ok(value);
        }
        let text = Zeroizing::new(tokio::fs::read_to_string(&self.path).await.map_err(unreadable)?);
        let value = Arc::new(parse(&self.path, &text)?);
        let seen = Seen { value: Arc::clone(&value), modified, size, looked: Instant::now() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(value)
    }

    /// What was read last, if it is still `good`; then it counts as looked at now.
    fn last(&self, good: impl FnOnce(&Seen<T>) -> bool) -> Option<Arc<T>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = last.as_mut().filter(|seen| good(seen))?;
        seen.looked = Instant::now();
        Some(Arc::clone(&seen.value))
    }
}

/// The first line of a password file.
fn password(path: &Path, text: &str) -> Result<Secret, CredentialError> {
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.contains(char::is_control) {
        return Err(CredentialError::Header { path: path.display().to_string() });
    }
    Ok(Secret::new(line.to_owned()))
}

/// How long a file is believed without looking at it.
const LOOK: Duration = Duration::from_secs(1);
