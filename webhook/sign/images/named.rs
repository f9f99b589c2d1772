//! One image that a file names.

use crate::name::{BadDigest, BadReference, Digest, ImageRef, PinnedImage, Repository, escape};

use super::Place;

/// An image by digest, under the tag that goes with it if the file says one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// The image.
    pub image: PinnedImage,
    /// The tag that it was pushed under, where one is named.
    pub tag: Option<String>,
    /// Where it is named.
    pub place: Place,
}

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {wrong}")]
pub struct BadInput {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}

/// What can be wrong with a file that names images.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// Bytes that are no text.
    #[error("is not UTF-8 here; write the file as UTF-8")]
    Encoding,
    /// The JSON ends too early.
    #[error("the file ends in the middle of a value; was the step that wrote it cut off?")]
    Cut,
    /// No JSON, or none of the shape that is asked for.
    #[error("{0}")]
    Shape(String),
    /// A file without anything in it.
    #[error("names no image; remove the file, or let the step that makes it name what it built")]
    Empty,
    /// More bytes than are read.
    #[error("has more than {limit} bytes, which is more than any list of images needs")]
    TooLarge { limit: u64 },
    /// No image reference.
    #[error(transparent)]
    Reference(#[from] BadReference),
    /// No digest.
    #[error(transparent)]
    Digest(#[from] BadDigest),
    /// A tag or a bare name.
    #[error("\"{0}\" has no digest; name the image as IMAGE@DIGEST")]
    NoDigest(String),
    /// A digest in the name and another beside it.
    #[error("the name says {name}, the digest beside it says {beside}")]
    TwoDigests { name: Digest, beside: Digest },
    /// One half of a pair of Tekton results.
    #[error("there is no result \"{0}\" to go with it; a task that built an image writes both")]
    Half(String),
    /// Something else than an image.
    #[error("\"{0}\" is no image, so it is not signed")]
    NotAnImage(String),
    /// Tekton's `isBuildArtifact: "false"`.
    #[error("is marked as not built here (isBuildArtifact), so it is not signed")]
    NotBuilt,
    /// A bake target without an image.
    #[error("has no containerimage.digest: no image came of it, so none is signed")]
    NoImage,
    /// A build whose image has no name.
    #[error("has no image.name; build with --tag, and --push or an output with a name")]
    NoName,
}

impl Named {
    /// Reads what a file says: a name with its digest after an `@`, or beside it.
    ///
    /// # Errors
    /// [`BadInput`], with `place`: no reference, no digest, two.
    pub fn new(image: &str, digest: Option<&str>, place: Place) -> Result<Self, BadInput> {
        let wrong = |wrong| BadInput { place: place.clone(), wrong };
        let reference: ImageRef = image.parse().map_err(|bad| wrong(Wrong::Reference(bad)))?;
        let beside: Option<Digest> =
            digest.map(str::parse).transpose().map_err(|bad| wrong(Wrong::Digest(bad)))?;
        let digest = match (reference.digest(), beside) {
            (Some(name), Some(beside)) if name != beside => {
                return Err(wrong(Wrong::TwoDigests { name, beside }));
            }
            (Some(digest), _) | (None, Some(digest)) => digest,
            (None, None) => return Err(wrong(Wrong::NoDigest(escape(image, SHOWN)))),
        };
        let tag = reference.written_tag().map(ToOwned::to_owned);
        Ok(Self {
            image: PinnedImage { repository: reference.repository().clone(), digest },
            tag,
            place,
        })
    }

    /// Where the image lies.
    pub fn repository(&self) -> &Repository {
        &self.image.repository
    }
}

/// How much of a wrong name a message shows.
const SHOWN: usize = 256;
