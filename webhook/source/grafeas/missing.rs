//! What a store was asked about and does not know.

use std::{fmt, sync::Arc};

use crate::name::NoteName;

/// A note or a project whose occurrences were asked for and that the store answered with 404.
///
/// There is nothing under it, so that is no failure; but whoever wonders why nothing is there may
/// have mistyped its name (P5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingParent {
    /// The name of the store.
    pub store: Arc<str>,
    /// The name of the note or project.
    pub parent: String,
    /// The note, if it is one.
    pub note: Option<NoteName>,
}

impl MissingParent {
    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        let note = self.note.as_ref().map_or(0, |_| self.parent.len());
        size_of::<Self>() + self.parent.len() + note
    }
}

impl fmt::Display for MissingParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the store {} knows no {}", self.store, self.parent)
    }
}
