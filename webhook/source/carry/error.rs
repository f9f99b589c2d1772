//! Why an image or its evidence could not be carried.

use crate::{
    name::Digest,
    source::{FetchError, layout::LayoutError},
};

/// What stopped a copy or a removal. What was carried before it stays; running it again goes on from
/// there.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// A registry.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A layout on disk.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A cap was hit.
    #[error("{image} has more than {limit} {what}, which is the limit")]
    TooMuch { image: String, limit: u64, what: &'static str },
    /// Evidence alone goes where its image is.
    #[error("{place} does not have the image {digest}; copy it there without `--only` first")]
    NoImage { place: String, digest: Digest },
}

impl CarryError {
    /// Whether the same may succeed soon.
    pub(super) fn retryable(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.retryable())
    }

    /// Whether it says that there is no such manifest.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_absence(),
            Self::Layout(error) => matches!(error, LayoutError::Missing { .. }),
            Self::TooMuch { .. } | Self::NoImage { .. } => false,
        }
    }
}
