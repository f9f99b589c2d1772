//! Images in registries and on disk, as a command line names them.

use std::str::FromStr;

use crate::{
    name::{BadReference, ImageRef, Repository},
    sign::PredicateType,
    source::{BadLayoutPlace, LayoutPlace},
};

/// An image, wherever it is.
#[derive(Clone, Debug)]
pub enum Place {
    Registry(ImageRef),
    Layout(LayoutPlace),
}

impl Place {
    /// The repository, if it is one.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Registry(image) => Some(image.repository()),
            Self::Layout(_) => None,
        }
    }

    /// What the image is called: a tag, or its name in a layout.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Registry(image) => image.tag(),
            Self::Layout(place) => place.image(),
        }
    }
}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        if LayoutPlace::is_meant(text) {
            return Ok(Self::Layout(text.parse()?));
        }
        Ok(Self::Registry(text.parse()?))
    }
}

/// A text that names no image.
#[derive(Debug, thiserror::Error)]
pub enum BadPlace {
    #[error(transparent)]
    Reference(#[from] BadReference),
    #[error(transparent)]
    Layout(#[from] BadLayoutPlace),
}

/// A type of evidence: the URI behind a short name of a predicate type, or the text as it is.
pub fn evidence_type(text: &str) -> String {
    match text.parse::<PredicateType>() {
        Ok(known) => known.as_str().to_owned(),
        Err(_) => text.to_owned(),
    }
}
