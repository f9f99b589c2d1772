//! Notes: an occurrence of a note that is not there counts for nobody, so they come first.

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::{Entry, PATIENCE, PublishError, Record, StoreDestination};
use crate::{
    name::NoteName,
    source::{Deadline, FetchError},
};

impl StoreDestination {
    /// Sees to it that the notes of all that `entries` say are there: makes those that are missing if
    /// `create`.
    ///
    /// # Errors
    /// A note is missing, or the store did not do its part.
    pub async fn prepare(&self, entries: &[Entry], create: bool) -> Result<(), PublishError> {
        let mut notes: Vec<(NoteName, Option<Value>)> = Vec::new();
        if entries.iter().any(|entry| !entry.claims.is_empty() || !entry.signed.is_empty()) {
            // The attestations' own note has no message: the store's client knows it.
            notes.push((self.note.clone(), None));
        }
        let mut known: HashSet<NoteName> = HashSet::new();
        for record in entries.iter().flat_map(|entry| &entry.records) {
            let note = self.note_of(record)?;
            if known.insert(note.clone()) {
                let message = record.note_message(&note);
                notes.push((note, Some(message)));
            }
        }
        let missing: Vec<(NoteName, Option<Value>)> = stream::iter(notes)
            .map(|(note, message)| async {
                let there = self.store.has_note(&note, Deadline::after(PATIENCE)).await?;
                Ok::<_, FetchError>((!there).then_some((note, message)))
            })
            .buffered(AT_ONCE)
            .try_filter_map(|missing| async { Ok(missing) })
            .try_collect()
            .await
            .map_err(Arc::new)?;
        if !create {
            let names: Vec<NoteName> = missing.into_iter().map(|(note, _)| note).collect();
            return if names.is_empty() { Ok(()) } else { Err(PublishError::NoNote(names)) };
        }
        for (note, message) in missing {
            self.create(&note, message).await.map_err(Arc::new)?;
        }
        Ok(())
    }

    /// The note that a record is filed under here.
    pub(super) fn note_of(&self, record: &Record) -> Result<NoteName, PublishError> {
        record.note_beside(&self.note).map_err(PublishError::NoteName)
    }

    async fn create(&self, note: &NoteName, message: Option<Value>) -> Result<(), FetchError> {
        let deadline = Deadline::after(PATIENCE);
        for project in [&note.project(), &self.project] {
            self.store.create_project(project, deadline).await?;
        }
        match message {
            Some(message) => self.store.create_note_as(note, message, deadline).await?,
            None => self.store.create_note(note, deadline).await?,
        };
        Ok(())
    }
}

/// Notes that are asked for at a time.
const AT_ONCE: usize = 8;
