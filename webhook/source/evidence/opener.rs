//! Reading evidence and checking its signatures, where that disturbs nobody.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::{
    attest::{Candidate, oci::Document},
    name::PinnedImage,
    source::{Deadline, FetchError, Fetched, Peer, SMALL, landed},
    verify::{Opened, Rejection, Trust},
};

use super::{index::Piece, queue::Queue};

/// Opens what one lookup finds, each piece as soon as it is there: nothing that nobody has checked
/// is held for long.
pub struct Opener {
    pub trust: Arc<Trust>,
    pub queue: Queue,
    pub image: Arc<PinnedImage>,
    /// Whom the lookup asks.
    pub peer: Peer,
    pub deadline: Deadline,
    /// Signature checks so far.
    pub checks: AtomicUsize,
}

impl Opener {
    /// Reads something of `size` bytes and checks the signatures of what it finds there.
    ///
    /// # Errors
    /// There was no turn for it in time, or there are more signatures than one image may cost (P8).
    pub async fn open(
        &self,
        size: usize,
        read: impl FnOnce() -> Result<Candidate, Rejection> + Send + 'static,
    ) -> Result<Result<Opened, Rejection>, FetchError> {
        let digest = self.image.digest;
        let open = move |trust: &Trust| read().map(|candidate| trust.open(&candidate, &[digest]));
        let opened = self.aside(size, open).await?;
        if let Ok(opened) = &opened {
            self.count(opened)?;
        }
        Ok(opened)
    }

    /// Checks the signatures of what was read already.
    ///
    /// # Errors
    /// As of [`Opener::open`].
    pub async fn open_all(&self, candidates: Vec<Candidate>) -> Result<Vec<Opened>, FetchError> {
        let mut opened = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            opened.extend(self.open(0, move || Ok(candidate)).await?);
        }
        Ok(opened)
    }

    /// Reads what lies in an index, and checks the signatures of what has any.
    ///
    /// # Errors
    /// As of [`Opener::open`].
    pub async fn open_piece(
        &self,
        size: usize,
        read: impl FnOnce() -> Piece<Candidate> + Send + 'static,
    ) -> Result<Piece<Opened>, FetchError> {
        let digest = self.image.digest;
        let open = move |trust: &Trust| match read() {
            Piece::Signed(candidate) => Piece::Signed(trust.open(&candidate, &[digest])),
            Piece::Statement(statement) => Piece::Statement(statement),
            Piece::Bad(rejection) => Piece::Bad(rejection),
        };
        let piece = self.aside(size, open).await?;
        if let Piece::Signed(opened) = &piece {
            self.count(opened)?;
        }
        Ok(piece)
    }

    /// Reads a manifest, and keeps its bytes, whose memory it takes the place of. A small one keeps
    /// nobody waiting and needs no turn.
    ///
    /// # Errors
    /// There was no turn for it in time. That it is none is no error.
    pub async fn document(
        &self,
        fetched: Fetched,
    ) -> Result<(Option<Document>, Bytes), FetchError> {
        let size = fetched.bytes.len();
        let read = move || (fetched.document().ok(), fetched.bytes);
        if size <= SMALL { Ok(read()) } else { self.aside(size, move |_| read()).await }
    }

    /// Works on a thread of its own, in its turn.
    async fn aside<T: Send + 'static>(
        &self,
        size: usize,
        work: impl FnOnce(&Trust) -> T + Send + 'static,
    ) -> Result<T, FetchError> {
        let turn = self.queue.turn(&self.image.repository, size, self.deadline).await;
        let turn = turn.ok_or_else(|| FetchError::Crowded(self.peer.clone()))?;
        let trust = Arc::clone(&self.trust);
        let working = spawn_blocking(move || {
            // Until it is done, whoever has given up waiting for it.
            let _turn = turn;
            work(&trust)
        });
        Ok(landed(working).await)
    }

    fn count(&self, opened: &Opened) -> Result<(), FetchError> {
        let before = self.checks.fetch_add(opened.checks(), Ordering::Relaxed);
        if before + opened.checks() > MOST_CHECKS {
            return Err(FetchError::TooMuch {
                peer: self.peer.clone(),
                limit: MOST_CHECKS as u64,
                what: "signature checks for one image at one source",
            });
        }
        Ok(())
    }
}

/// Signature checks that one image may cost at one source: with the slowest keys, under a second.
const MOST_CHECKS: usize = 1024;
