//! Metadata beside an image, as evidence: the signed statement together with its value.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    attest::{
        Envelope, Signed,
        metadata::{BadMetadata, LARGEST_STATEMENT, LARGEST_VALUE, Layers},
        oci::Manifest,
    },
    name::Repository,
    source::{Deadline, FetchError, Peer, Registries},
};

/// What a referrer with metadata turned out to be.
pub enum Found {
    /// A statement that somebody signed, and its value.
    Signed(Signed),
    /// Nobody signed it, so that it says nothing.
    Unsigned,
    /// It cannot be read.
    Unreadable(BadMetadata),
}

/// What values of one image may still be read (P8). Shared by all that are read side by side.
pub struct Allowance(AtomicU64);

impl Allowance {
    /// All that one image may have.
    pub fn new() -> Self {
        Self(AtomicU64::new(MOST_BYTES))
    }

    fn take(&self, size: u64) -> bool {
        let less = |left: u64| left.checked_sub(size);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// Reads statement and value. What is not signed is left alone.
pub async fn read(
    registries: &Registries,
    repository: &Repository,
    manifest: &Manifest,
    allowance: &Allowance,
    deadline: Deadline,
) -> Result<Found, FetchError> {
    let layers = match Layers::of(manifest) {
        Ok(layers) if layers.signed => layers,
        Ok(_) => return Ok(Found::Unsigned),
        Err(bad) => return Ok(Found::Unreadable(bad)),
    };
    if !allowance.take(layers.value.size) {
        let peer = Peer::Registry(repository.host().into());
        let what = "bytes of metadata of one image";
        return Err(FetchError::TooMuch { peer, limit: MOST_BYTES, what });
    }
    let (statement, value) = tokio::try_join!(
        registries.blob(repository, layers.statement, LARGEST_STATEMENT, deadline),
        registries.blob(repository, layers.value, LARGEST_VALUE, deadline),
    )?;
    Ok(match Envelope::parse(&statement) {
        Ok(envelope) => Found::Signed(Signed::Metadata { envelope, value }),
        Err(bad) => Found::Unreadable(bad.into()),
    })
}

/// Most bytes that all values of one digest may have together: they all stand in the policy input.
const MOST_BYTES: u64 = 2 * 1024 * 1024;
