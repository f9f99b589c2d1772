//! The record of a build: from what, by whom, when.
//!
//! ```text
//! flags ▶ CI's variables ▶ Tekton's results ▶ git     each fills in what is still open
//!                         │
//!                         ▼
//!                    BuildRecord ──▶ SLSA provenance v1 (signed), Grafeas BUILD occurrence
//! ```
//!
//! Nothing is guessed: where two of them disagree, what they disagree about stays open, and what
//! stays open is absent from the record and told to the person.

mod ci;
mod git;
mod material;
mod occurrence;
mod predicate;
mod record;
mod remote;
mod systems;

pub use ci::{Ci, Environment};
pub use git::{Git, read_git};
pub use material::{BadMaterial, Material};
pub use record::{BuildRecord, Given, Observed};
pub use remote::source_uri;

/// Where a build began: what one of the sources of a record knows of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The repository, as a URL without credentials.
    pub source: Option<String>,
    /// The commit: 40 or 64 hex digits.
    pub revision: Option<String>,
    /// `refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge`.
    pub reference: Option<String>,
    /// The file that told the CI what to do.
    pub path: Option<String>,
}

/// Whether `text` is a whole commit ID, SHA-1 or SHA-256.
pub fn is_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
