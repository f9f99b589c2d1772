//! `{"image": …, "digest": …}`, as steps write that push images themselves.
//!
//! The form comes from knative/build (`/builder/outputs/`, knative/build#11). Files hold one object,
//! several, an array, or one object a line; members that are not known are passed over.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;

use super::{BadInput, Named, Place, Wrong, text::Text};

/// The images that a file of outputs names.
///
/// # Errors
/// [`BadInput`], with line and column.
pub fn outputs(file: &Arc<str>, bytes: &[u8]) -> Result<Vec<Named>, BadInput> {
    let text = Text::new(file, bytes)?;
    let objects = text.objects()?;
    if objects.is_empty() {
        return Err(BadInput { place: Place::of(file), wrong: Wrong::Empty });
    }
    let named = objects.into_iter().map(|object| {
        let output: Output<'_> = text.read(object)?;
        let digest = output.digest.as_deref().map(str::trim);
        Named::new(output.image.trim(), digest, text.place_of(object.get()))
    });
    named.collect()
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `image` and `digest`")]
struct Output<'a> {
    #[serde(borrow)]
    image: Cow<'a, str>,
    #[serde(borrow, default)]
    digest: Option<Cow<'a, str>>,
}
