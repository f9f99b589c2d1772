//! From what is named to what is signed.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{Digest, Pattern, PinnedImage};

use super::{Named, Place};

/// Most images that one run names.
pub const MOST_IMAGES: usize = 10_000;

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// P14: a build step may name only what it is allowed to.
    #[error(
        "{place}: {image} is in none of the repositories that may be signed ({allowed}); \
         if it should be, add --repository '{}'", image.repository
    )]
    Outside { place: Box<Place>, image: Box<PinnedImage>, allowed: String },
    /// Two files, or two places of one, disagree.
    #[error(
        "{} says that {name} is {}, {} says that it is {}; remove the one that is not of this build",
        first.0, first.1, second.0, second.1
    )]
    Contradiction { name: String, first: Box<(Place, Digest)>, second: Box<(Place, Digest)> },
    /// More than [`MOST_IMAGES`].
    #[error("{place}: this is image {} of the run, at most {MOST_IMAGES} are signed at once; \
        sign the rest in another run", MOST_IMAGES + 1)]
    TooMany { place: Box<Place> },
}

/// The images that `named` says were built, each once, in order. An empty `allowed` allows all.
///
/// # Errors
/// [`ChoiceError`]: an image outside `allowed`, one name with two digests, too many.
pub fn choose(named: &[Named], allowed: &[Pattern]) -> Result<BTreeSet<PinnedImage>, ChoiceError> {
    let mut tags = BTreeMap::new();
    for (count, one) in named.iter().enumerate() {
        if count >= MOST_IMAGES {
            return Err(ChoiceError::TooMany { place: Box::new(one.place.clone()) });
        }
        if !allowed.is_empty() && !allowed.iter().any(|pattern| pattern.matches(one.repository())) {
            return Err(ChoiceError::Outside {
                place: Box::new(one.place.clone()),
                image: Box::new(one.image.clone()),
                allowed: allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            });
        }
        let Some(tag) = &one.tag else { continue };
        let first: &&Named = tags.entry((one.repository(), tag)).or_insert(one);
        if first.image.digest != one.image.digest {
            return Err(ChoiceError::Contradiction {
                name: format!("{}:{tag}", one.repository()),
                first: Box::new((first.place.clone(), first.image.digest)),
                second: Box::new((one.place.clone(), one.image.digest)),
            });
        }
    }
    Ok(named.iter().map(|one| one.image.clone()).collect())
}
