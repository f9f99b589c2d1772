//! Metadata beside an image, as evidence: the signed statement together with its value.

use crate::{
    attest::{
        Envelope, Signed,
        metadata::{BadMetadata, LARGEST_STATEMENT, LARGEST_VALUE, Layers},
        oci::Manifest,
    },
    name::Repository,
    source::{Deadline, FetchError, Registries},
};

use super::allowance::Allowance;

/// What a referrer with metadata turned out to be.
pub enum Found {
    /// A statement that somebody signed, and its value.
    Signed(Signed),
    /// Nobody signed it, so that it says nothing.
    Unsigned,
    /// It cannot be read.
    Unreadable(BadMetadata),
}

/// Reads statement and value, each within what is left for its like. What is not signed is left alone.
pub async fn read(
    registries: &Registries,
    repository: &Repository,
    manifest: &Manifest,
    [statements, values]: [&Allowance; 2],
    deadline: Deadline,
) -> Result<Found, FetchError> {
    let layers = match Layers::of(manifest) {
        Ok(layers) if layers.signed => layers,
        Ok(_) => return Ok(Found::Unsigned),
        Err(bad) => return Ok(Found::Unreadable(bad)),
    };
    values.take(layers.value.size, repository)?;
    statements.take(layers.statement.size, repository)?;
    let (statement, value) = tokio::try_join!(
        registries.blob(repository, layers.statement, LARGEST_STATEMENT, deadline),
        registries.blob(repository, layers.value, LARGEST_VALUE, deadline),
    )?;
    Ok(match Envelope::parse(&statement) {
        Ok(envelope) => Found::Signed(Signed::Metadata { envelope, value }),
        Err(bad) => Found::Unreadable(bad.into()),
    })
}

/// What all values of one digest may have together: they all stand in the policy input.
pub fn values() -> Allowance {
    Allowance::new(2 * 1024 * 1024, "bytes of metadata of one image")
}
