//! Bodies too large for memory, on their way in.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    exchange::{Broken, broken},
    message::{Cap, Request},
};
use crate::source::error::{FetchError, Peer};

/// The body of an answer, read piece by piece: never more than its cap, and no piece waited for
/// without end.
pub struct Download {
    incoming: reqwest::Response,
    peer: Peer,
    cap: Cap,
    idle: Duration,
    read: u64,
}

impl Download {
    /// # Errors
    /// [`FetchError::TooMuch`] if its length is said to be above the cap.
    pub(super) fn new(
        incoming: reqwest::Response,
        request: &Request,
        idle: Duration,
    ) -> Result<Self, FetchError> {
        let (peer, cap) = (request.peer.clone(), request.cap);
        let body = Self { incoming, peer, cap, idle, read: 0 };
        if body.incoming.content_length().is_some_and(|length| length > cap.bytes) {
            return Err(body.too_much());
        }
        Ok(body)
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// If none came in time, the connection broke, or the cap is passed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let piece = match tokio::time::timeout(self.idle, self.incoming.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err(broken(error, &self.peer).into_error(&self.peer)),
            Err(_) => return Err(FetchError::Late(self.peer.clone())),
        };
        self.read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.read > self.cap.bytes { Err(self.too_much()) } else { Ok(piece) }
    }

    fn too_much(&self) -> FetchError {
        let Cap { bytes: limit, what } = self.cap;
        FetchError::TooMuch { peer: self.peer.clone(), limit, what }
    }
}

impl Broken {
    /// What stopped the way to `peer`.
    pub(super) fn into_error(self, peer: &Peer) -> FetchError {
        match self {
            Self::Rule(error) => error,
            Self::Connection(source) => FetchError::unreachable(peer, Arc::new(source)),
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Download").field("read", &self.read).finish_non_exhaustive()
    }
}
