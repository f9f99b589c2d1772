//! What of a list is about the image, in the project and of the right note.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Arc,
};

use serde_json::{Value, value::RawValue};

use crate::{
    attest::{
        Candidate,
        grafeas::{Evidence, Occurrence, Page, PageError},
    },
    name::{Code, Digest, NoteName, NotePattern, OccurrenceName, ProjectName, Repository},
    verify::Rejection,
};

/// What is looked for.
#[derive(Debug)]
pub(super) struct Sieve {
    pub(super) source: Arc<str>,
    pub(super) project: ProjectName,
    pub(super) repository: Repository,
    pub(super) digests: Vec<Digest>,
    pub(super) notes: HashSet<NoteName>,
    pub(super) records: Vec<NotePattern>,
}

/// An occurrence that is of use.
#[derive(Debug)]
pub(super) struct Sifted {
    pub(super) name: String,
    pub(super) candidates: Vec<Candidate>,
    pub(super) record: Option<(&'static str, Value)>,
    pub(super) unreadable: Option<Rejection>,
    /// It is signed, and of a note that nobody asked for: it explains, and never counts.
    pub(super) of_another_note: bool,
}

/// What a page came to.
#[derive(Debug, Default)]
pub(super) struct Sieved {
    pub(super) kept: Vec<Sifted>,
    /// Occurrences that are of no use.
    pub(super) foreign: usize,
    /// Hashes of the names of all occurrences of the page.
    pub(super) names: Vec<u64>,
    pub(super) next_page_token: String,
    /// The server says that parts are missing.
    pub(super) partial: bool,
}

impl Sieve {
    /// Sifts one page of a list; with `note`, all of whose occurrences must be of that note.
    ///
    /// # Errors
    /// [`PageError`] if the page is none.
    pub(super) fn page(
        &self,
        body: &[u8],
        note: Option<&NoteName>,
        hasher: &RandomState,
    ) -> Result<Sieved, PageError> {
        let page = Page::parse(body)?;
        let mut sieved = Sieved {
            next_page_token: page.next_page_token,
            partial: page.partial,
            ..Sieved::default()
        };
        for raw in page.occurrences {
            match self.occurrence(raw, note, hasher, &mut sieved.names) {
                Some(sifted) => sieved.kept.push(sifted),
                None => sieved.foreign += 1,
            }
        }
        Ok(sieved)
    }

    fn occurrence(
        &self,
        raw: &RawValue,
        of: Option<&NoteName>,
        hasher: &RandomState,
        names: &mut Vec<u64>,
    ) -> Option<Sifted> {
        let occurrence = Occurrence::read(raw).ok()?;
        names.push(hasher.hash_one(occurrence.name()));
        let resource = occurrence.resource()?;
        if !self.digests.iter().any(|digest| resource.is(&self.repository, *digest)) {
            return None;
        }
        let name: OccurrenceName = occurrence.name().parse().ok()?;
        let note = occurrence.note()?;
        if name.project() != self.project || of.is_some_and(|of| of != note) {
            return None;
        }
        let wanted = self.notes.contains(note);
        let recorded = self.records.iter().any(|pattern| pattern.matches(note));
        let Evidence { candidates, record, unreadable } = occurrence.evidence(&self.source);
        let record = record.filter(|_| recorded).and_then(|record| {
            serde_json::to_value(&record).ok().map(|value| (record.list(), value))
        });
        let unreadable = unreadable.filter(|_| wanted || recorded).map(|unreadable| Rejection {
            source: Arc::clone(&self.source),
            name: name.to_string(),
            format: "grafeas".to_owned(),
            code: Code::SignatureMalformed,
            detail: unreadable.detail,
        });
        if candidates.is_empty() && record.is_none() && unreadable.is_none() {
            return None;
        }
        let name = name.to_string();
        Some(Sifted { name, candidates, record, unreadable, of_another_note: !wanted })
    }
}
