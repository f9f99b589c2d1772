//! Why a layout or an archive on disk is of no use.

use std::io;

use crate::{
    attest::oci::{DescriptorError, DocumentError},
    name::{Code, Digest},
};

/// What is wrong with an OCI layout or an archive of `docker save`. Retrying will not help.
///
/// Names from inside it are escaped and cut: whoever made the file chose them.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The disk, or the rights on it.
    #[error("{path} cannot be read")]
    Read { path: String, source: io::Error },
    /// The disk, the room on it, or the rights.
    #[error("{path} cannot be written")]
    Write { path: String, source: io::Error },
    /// A folder that holds something else, which is left alone.
    #[error("{path} is a folder of other things; name one that is empty, new, or an OCI layout")]
    Occupied { path: String },
    /// An archive that was to be written, and is there.
    #[error("{path} is there already; name another file, or remove it first")]
    There { path: String },
    /// What is gathered for an archive lies where somebody else may have put it.
    #[error(
        "{path} is there and not yours alone to write, so what lies in it may be anybody's; remove \
         it, or name a file in a folder of your own"
    )]
    Shared { path: String },
    /// Neither a layout nor an archive.
    #[error("{path} is no OCI layout and no archive of `docker save`: {why}")]
    Other { path: String, why: &'static str },
    /// An archive around the archive, in which nothing can be found without unpacking it whole.
    #[error("{path} is compressed with {with}; unpack it first")]
    Compressed { path: String, with: &'static str },
    /// An entry that an honest archive does not have.
    #[error("{path} holds {entry:?}, {why}; it may be crafted")]
    Refused { path: String, entry: String, why: &'static str },
    /// A cap was hit.
    #[error("{path} has more than {limit} {what}, which is the limit")]
    TooMuch { path: String, limit: u64, what: &'static str },
    /// A blob that is named and not there.
    #[error("{path} has no blob {digest}; the image may have been saved in part")]
    Missing { path: String, digest: Digest },
    /// A blob that is another one.
    #[error("{path} is damaged or tampered with")]
    Descriptor { path: String, source: DescriptorError },
    /// A blob that should be a manifest or an index.
    #[error("{digest} in {path} is no image manifest or index")]
    Document { path: String, digest: Digest, source: DocumentError },
    /// `index.json` or its like in another form.
    #[error("{file} in {path} is not what its name says")]
    Json { path: String, file: &'static str, source: serde_json::Error },
    /// No image of that name.
    #[error("{path} has no image {name:?}; {has}")]
    NoImage { path: String, name: String, has: String },
    /// Several images and no name.
    #[error("{path} holds {count} images; name one after a colon: {has}")]
    Ambiguous { path: String, count: usize, has: String },
    /// An archive from before Docker 25, or by another tool for Docker.
    #[error(
        "{path} holds the image with ID {id} without its manifest, so nobody can tell its digest \
         in a registry; save it with Docker 25 or newer, or as an OCI archive"
    )]
    NoManifest { path: String, id: Digest },
}

impl LayoutError {
    /// The stable reason code.
    pub fn code(&self) -> Code {
        match self {
            Self::TooMuch { .. } => Code::EvidenceTooMuch,
            Self::Descriptor { .. } => Code::ImageDigestMismatch,
            Self::Missing { .. } | Self::NoImage { .. } => Code::ImageNotFound,
            _ => Code::ImageUnsupported,
        }
    }
}
