//! Stands in until `source/grafeas/` lands; whoever lands it deletes this file and points
//! `source/mod.rs` at the real thing. `evidence/lookup.rs` uses exactly these names.

use crate::{
    attest::Candidate,
    name::{Digest, NoteName, Repository},
    source::{Deadline, FetchError},
    verify::Rejection,
};

/// A Grafeas server.
pub struct GrafeasStore;

/// What a store has about a digest, checked by us for resource, project, note and kind.
#[derive(Default)]
pub struct StoreEvidence {
    /// Attestations, signatures unchecked.
    pub candidates: Vec<Candidate>,
    /// What looks like an attestation and cannot be read.
    pub unreadable: Vec<Rejection>,
    /// Unsigned occurrences: the list of `records` that they belong to, and the JSON.
    pub records: Vec<(&'static str, serde_json::Value)>,
    /// What a person should know: notes that the store does not have.
    pub remarks: Vec<String>,
}

impl GrafeasStore {
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        ""
    }

    /// What it has about these digests of a repository, under these notes and those of `records:`.
    #[expect(clippy::unused_async, reason = "the real one waits")]
    pub async fn occurrences(
        &self,
        _: &Repository,
        _: &[Digest],
        _: &[NoteName],
        _: Deadline,
    ) -> Result<StoreEvidence, FetchError> {
        Ok(StoreEvidence::default())
    }
}
