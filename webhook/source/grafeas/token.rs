//! The token that is shown to a store.

use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use http::HeaderValue;
use zeroize::Zeroizing;

use super::{StoreOptionsError, StoreToken, metadata::MetadataServer};
use crate::source::{CredentialError, Deadline, FetchError, Peer, Secret};

/// The tokens of one store.
pub(super) enum Tokens {
    None,
    Given(HeaderValue),
    File(TokenFile),
    Google(Box<MetadataServer>),
}

/// A file with a token, looked at again before it is used.
pub(super) struct TokenFile {
    peer: Peer,
    path: PathBuf,
    seen: RwLock<Option<Seen>>,
}

#[derive(Clone)]
struct Seen {
    value: HeaderValue,
    stamp: (Option<SystemTime>, u64),
    looked: Instant,
}

impl Tokens {
    pub(super) fn new(token: Option<&StoreToken>, peer: Peer) -> Result<Self, StoreOptionsError> {
        Ok(match token {
            None => Self::None,
            Some(StoreToken::Given(secret)) => secret.bearer().map_or(Self::None, Self::Given),
            Some(StoreToken::File(path)) => {
                Self::File(TokenFile { peer, path: path.clone(), seen: RwLock::default() })
            }
            Some(StoreToken::Google) => Self::Google(Box::new(MetadataServer::new(peer)?)),
        })
    }

    /// The value of `Authorization` now.
    ///
    /// # Errors
    /// [`FetchError`] if a token is configured and cannot be had.
    pub(super) async fn current(
        &self,
        deadline: Deadline,
    ) -> Result<Option<HeaderValue>, FetchError> {
        match self {
            Self::None => Ok(None),
            Self::Given(value) => Ok(Some(value.clone())),
            Self::File(file) => file.current().await.map(Some),
            Self::Google(server) => server.current(deadline).await.map(Some),
        }
    }

    /// The store did not accept the token: the next request looks for a newer one.
    pub(super) async fn refused(&self) {
        match self {
            Self::None | Self::Given(_) => {}
            Self::File(file) => file.forget(),
            Self::Google(server) => server.forget().await,
        }
    }
}

impl TokenFile {
    async fn current(&self) -> Result<HeaderValue, FetchError> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(seen) = seen.as_ref().filter(|seen| seen.looked.elapsed() < LOOK) {
            return Ok(seen.value.clone());
        }
        let metadata =
            tokio::fs::metadata(&self.path).await.map_err(|error| self.unreadable(error))?;
        if !metadata.is_file() {
            return Err(self.unreadable(ErrorKind::InvalidInput.into()));
        }
        let stamp = (metadata.modified().ok(), metadata.len());
        let value = match seen.filter(|seen| seen.stamp == stamp) {
            Some(seen) => seen.value,
            None => self.read(metadata.len()).await?,
        };
        let seen = Seen { value: value.clone(), stamp, looked: Instant::now() };
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(value)
    }

    async fn read(&self, size: u64) -> Result<HeaderValue, FetchError> {
        if size > LARGEST {
            return Err(self.unreadable(ErrorKind::FileTooLarge.into()));
        }
        let text = tokio::fs::read_to_string(&self.path)
            .await
            .map(Zeroizing::new)
            .map_err(|error| self.unreadable(error))?;
        let secret = Secret::new(text.trim().to_owned());
        let value = secret.bearer().filter(|_| !secret.reveal().is_empty());
        value.ok_or_else(|| {
            self.broken(CredentialError::Header { path: self.path.display().to_string() })
        })
    }

    fn forget(&self) {
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn unreadable(&self, source: std::io::Error) -> FetchError {
        self.broken(CredentialError::Read { path: self.path.display().to_string(), source })
    }

    fn broken(&self, source: CredentialError) -> FetchError {
        FetchError::Credentials { peer: self.peer.clone(), source: Arc::new(source) }
    }
}

/// How long a file need not be looked at again.
const LOOK: Duration = Duration::from_millis(500);

const LARGEST: u64 = 64 << 10;
