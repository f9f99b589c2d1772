//! Images that need no registry: what is on this disk, and what the Docker Engine here has.
//!
//! They are read with the code that reads the index of an image at admission, so that what is seen
//! at the build is what is judged in the cluster.

mod engine;
mod layout;
mod signed;

use crate::{
    attest::{Candidate, buildkit::EmbeddedStatement, oci::Platform},
    name::Digest,
    verify::Rejection,
};

pub use engine::{Engine, EngineError};
pub use layout::LocalError;

/// An image and what its own index says of it.
#[derive(Clone, Debug)]
pub struct LocalImage {
    /// Of the index, or of the only manifest.
    pub digest: Digest,
    /// Of what the digest names.
    pub media_type: String,
    /// What can run, at least one.
    pub platforms: Vec<LocalPlatform>,
}

/// One manifest that can run.
#[derive(Clone, Debug)]
pub struct LocalPlatform {
    /// For whom, where an index says so.
    pub platform: Option<Platform>,
    /// Its digest.
    pub manifest: Digest,
    /// What the index says of it.
    pub statements: Vec<EmbeddedStatement>,
    /// What looks like such a statement and is none about it.
    pub rejected: Vec<Rejection>,
    /// What is signed about it or about the whole image, unverified; the Engine tells nothing of
    /// that.
    pub candidates: Vec<Candidate>,
    /// What looks signed and cannot be read.
    pub unreadable: Vec<Rejection>,
    /// Whether it stands in an index.
    pub in_index: bool,
}
