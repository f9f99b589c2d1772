//! The file that `docker buildx build --metadata-file` writes, and `docker buildx bake`.
//!
//! A build's file has the keys of one image, bake's has an object for each target.
//! <https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file>

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{BadInput, Found, Named, Place, Wrong, text::Text};

/// The images that a build says it made.
///
/// # Errors
/// [`BadInput`]: no such file, an image without a name or a digest.
pub fn metadata(file: &Arc<str>, bytes: &[u8]) -> Result<Found, BadInput> {
    let text = Text::new(file, bytes)?;
    let place = || Place::of(file);
    let empty = || BadInput { place: place(), wrong: Wrong::Empty };
    let objects = text.objects()?;
    let object = objects.first().ok_or_else(empty)?;
    if let Some(second) = objects.get(1) {
        let wrong = Wrong::Shape("a second value; buildx writes one".into());
        return Err(BadInput { place: text.place_of(second.get()), wrong });
    }
    let members: Map<String, Value> = text.read(object)?;
    let mut found = Found::default();
    if members.contains_key(DIGEST) || members.contains_key(NAME) {
        build(&members, place(), &mut found)?;
        return Ok(found);
    }
    for (target, value) in &members {
        // What bake writes beside the targets is an array, or buildx's own.
        if let (false, Value::Object(members)) = (target.starts_with("buildx."), value) {
            build(members, Place::member(file, target), &mut found)?;
        }
    }
    if found.images.is_empty() && found.skipped.is_empty() {
        return Err(BadInput { place: place(), wrong: Wrong::NoImage });
    }
    Ok(found)
}

fn build(members: &Map<String, Value>, place: Place, found: &mut Found) -> Result<(), BadInput> {
    let text = |key| members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(digest) = text(DIGEST) else {
        found.skipped.push(BadInput { place, wrong: Wrong::NoImage });
        return Ok(());
    };
    let names =
        text(NAME).ok_or_else(|| BadInput { place: place.clone(), wrong: Wrong::NoName })?;
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        found.images.push(Named::new(name, Some(digest), place.clone())?);
    }
    Ok(())
}

const DIGEST: &str = "containerimage.digest";
const NAME: &str = "image.name";
