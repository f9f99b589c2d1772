//! How much of one image's evidence may still be read (P8).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    name::Repository,
    source::{FetchError, Peer},
};

/// Bytes of one kind that are left. Shared by all that are read side by side.
pub struct Allowance {
    left: AtomicU64,
    limit: u64,
    what: &'static str,
}

impl Allowance {
    /// All `limit` bytes; `what` reads on after "more than 33554432".
    pub fn new(limit: u64, what: &'static str) -> Self {
        Self { left: AtomicU64::new(limit), limit, what }
    }

    /// Takes `size` bytes for something of `repository`.
    ///
    /// # Errors
    /// [`FetchError::TooMuch`] if fewer are left.
    pub fn take(&self, size: u64, repository: &Repository) -> Result<(), FetchError> {
        let less = |left: u64| left.checked_sub(size);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => Ok(()),
            Err(_) => Err(FetchError::TooMuch {
                peer: Peer::Registry(repository.host().into()),
                limit: self.limit,
                what: self.what,
            }),
        }
    }
}
