//! Images as text: `IMAGE@DIGEST`, one a line, as people and kaniko write them.

use std::sync::Arc;

use super::{BadInput, Named, Place, Wrong, outputs, text::Text};

/// The images of a list, one a line; empty lines say nothing.
///
/// # Errors
/// [`BadInput`], with the line.
pub fn list(file: &Arc<str>, bytes: &[u8]) -> Result<Vec<Named>, BadInput> {
    let text = Text::new(file, bytes)?;
    entries(&text, &['\n'])
}

/// The images of a stream: a list, or JSON as files of outputs hold it.
///
/// # Errors
/// [`BadInput`], with its place.
pub fn listed(file: &Arc<str>, bytes: &[u8]) -> Result<Vec<Named>, BadInput> {
    let named = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => outputs(file, bytes)?,
        _ => list(file, bytes)?,
    };
    if named.is_empty() {
        return Err(BadInput { place: Place::of(file), wrong: Wrong::Empty });
    }
    Ok(named)
}

/// What stands between `separators`.
pub(super) fn entries(text: &Text<'_>, separators: &[char]) -> Result<Vec<Named>, BadInput> {
    let entries = text.as_str().split(separators).map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(|entry| Named::new(entry, None, text.place_of(entry))).collect()
}
