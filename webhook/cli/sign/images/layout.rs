//! An image on disk: its digest is hashed here, its name is its maker's word.

use std::sync::Arc;

use crate::{
    name::{ImageRef, PinnedImage, Repository, escape},
    sign::images::{Named, Place},
    source::LayoutPlace,
};

use super::{super::super::Failure, wrong};

/// The image under the names that it will have in a registry: `pushed_as`, or its own.
pub fn named(place: &LayoutPlace, pushed_as: Option<&Repository>) -> Result<Vec<Named>, Failure> {
    let file: Arc<str> = escape(&place.to_string(), SHOWN).into();
    let (layout, image) = place.open().map_err(Failure::of_input)?;
    let root = layout.root(&image).map_err(Failure::of_input)?;
    // What a registry is given is this document: the digest in the list may be another's.
    layout.document(root).map_err(Failure::of_input)?;
    if let Some(repository) = pushed_as {
        let image = PinnedImage { repository: repository.clone(), digest: root.digest };
        return Ok(vec![Named { image, tag: None, place: Place::of(&file) }]);
    }
    let digest = root.digest.to_string();
    let names = image.names.iter().filter(|name| is_whole(name));
    let named: Vec<Named> = names
        .map(|name| Named::new(name, Some(&digest), Place::of(&file)).map_err(wrong))
        .collect::<Result<_, _>>()?;
    if named.is_empty() {
        return Err(Failure::usage(format!(
            "{file} does not name its repository; say with --as REPOSITORY where it will be pushed to"
        )));
    }
    Ok(named)
}

/// Whether a name is a reference: layouts also have bare tags, which read as images of Docker Hub.
fn is_whole(name: &str) -> bool {
    let tagged = name.parse::<ImageRef>().is_ok_and(|image| image.written_tag().is_some());
    tagged || name.contains('/')
}

/// How much of a path a message shows.
const SHOWN: usize = 300;
