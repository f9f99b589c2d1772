//! One image, for good.

use std::{fmt, str::FromStr};

use super::{Digest, ImageRef, Repository, reference::BadReference, serial::as_text};

/// A repository and a digest: `registry.example/acme/shop@sha256:…`, without a tag.
///
/// ```
/// use countersign::name::PinnedImage;
///
/// let text = format!("nginx@sha256:{}", "0".repeat(64));
/// let image: PinnedImage = text.parse().unwrap();
/// assert_eq!(image.to_string(), format!("docker.io/library/{text}"));
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PinnedImage {
    /// Where it is.
    pub repository: Repository,
    /// What it is.
    pub digest: Digest,
}

impl fmt::Display for PinnedImage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.repository, self.digest)
    }
}

impl FromStr for PinnedImage {
    type Err = BadPinned;

    fn from_str(text: &str) -> Result<Self, BadPinned> {
        let reference: ImageRef = text.parse()?;
        match reference.pinned() {
            Some(pinned) if reference.written_tag().is_none() => Ok(pinned),
            Some(_) => Err(BadPinned::Tag(text.to_owned())),
            None => Err(BadPinned::Unpinned(text.to_owned())),
        }
    }
}

as_text!(PinnedImage);

/// Why a text is not `repository@digest`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPinned {
    /// No digest.
    #[error("\"{0}\" has no digest; write it as repository@sha256:…")]
    Unpinned(String),
    /// A tag beside the digest, which would say nothing.
    #[error("\"{0}\" has a tag beside its digest; leave the tag out")]
    Tag(String),
    /// No reference at all.
    #[error(transparent)]
    Reference(#[from] BadReference),
}
