//! What of a list is about the image, in the project and of the right note.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, atomic::AtomicU64},
};

use serde_json::{Value, value::RawValue};

use crate::{
    attest::{
        Candidate,
        grafeas::{Evidence, Occurrence, Page, PageError},
    },
    name::{Code, NoteName, NotePattern, OccurrenceName, PinnedImage, ProjectName},
    verify::Rejection,
};

/// What is looked for.
#[derive(Debug)]
pub(super) struct Sieve {
    pub(super) source: Arc<str>,
    pub(super) project: ProjectName,
    pub(super) images: HashSet<PinnedImage>,
    pub(super) notes: HashSet<NoteName>,
    pub(super) records: Vec<NotePattern>,
    /// Bytes of what was kept of all lists, of what two lists hold once.
    pub(super) held: AtomicU64,
}

/// An occurrence that is of use.
#[derive(Debug)]
pub(super) struct Sifted {
    pub(super) name: String,
    /// The one of the images that it says it is about.
    pub(super) image: PinnedImage,
    pub(super) candidates: Vec<Candidate>,
    pub(super) record: Option<(&'static str, Value)>,
    pub(super) unreadable: Option<Rejection>,
}

/// What a page came to.
#[derive(Debug, Default)]
pub(super) struct Sieved {
    pub(super) kept: Vec<Sifted>,
    /// Those of other notes: a few, as many as were asked for.
    pub(super) others: Vec<Sifted>,
    /// Occurrences that never count, those of other notes included.
    pub(super) foreign: usize,
    /// Bytes of those kept that no other list holds too.
    pub(super) held: u64,
    /// Hashes of the names of all occurrences of the page.
    pub(super) names: Vec<u64>,
    pub(super) next_page_token: String,
    /// The server says that parts are missing.
    pub(super) partial: bool,
}

impl Sieve {
    /// Sifts one page of a list; with `note`, all of whose occurrences must be of that note. At most
    /// `most_others` attestations of other notes are kept.
    ///
    /// # Errors
    /// [`PageError`] if the page is none.
    pub(super) fn page(
        &self,
        body: &[u8],
        note: Option<&NoteName>,
        most_others: usize,
        hasher: &RandomState,
    ) -> Result<Sieved, PageError> {
        let page = Page::parse(body)?;
        let mut sieved = Sieved {
            next_page_token: page.next_page_token,
            partial: page.partial,
            ..Sieved::default()
        };
        for raw in page.occurrences {
            if !self.occurrence(raw, note, most_others, hasher, &mut sieved) {
                sieved.foreign += 1;
            }
        }
        Ok(sieved)
    }

    /// Whether the occurrence counts.
    fn occurrence(
        &self,
        raw: &RawValue,
        of: Option<&NoteName>,
        most_others: usize,
        hasher: &RandomState,
        sieved: &mut Sieved,
    ) -> bool {
        let Ok(occurrence) = Occurrence::read(raw) else { return false };
        sieved.names.push(hasher.hash_one(occurrence.name()));
        let Some((name, image)) = self.is_ours(&occurrence) else { return false };
        let Some(note) = occurrence.note().filter(|note| of.is_none_or(|of| of == *note)) else {
            return false;
        };
        let wanted = self.notes.contains(note);
        let recorded = self.records.iter().any(|pattern| pattern.matches(note));
        let counts = wanted || recorded;
        if !counts && sieved.others.len() >= most_others {
            return false;
        }
        if counts && (of.is_some() || !wanted) {
            sieved.held += raw.get().len() as u64;
        }
        let sifted = self.sift(&name, image, &occurrence, wanted, recorded);
        if counts && (wanted || sifted.record.is_some() || sifted.unreadable.is_some()) {
            sieved.kept.push(sifted);
            return true;
        }
        if !sifted.candidates.is_empty() && sieved.others.len() < most_others {
            sieved.others.push(sifted);
        }
        false
    }

    /// Name and image, if the occurrence is of the project and says that it is about one of the
    /// images.
    fn is_ours(&self, occurrence: &Occurrence<'_>) -> Option<(OccurrenceName, PinnedImage)> {
        let image = occurrence.resource()?.image();
        if !self.images.contains(&image) {
            return None;
        }
        let name: OccurrenceName = occurrence.name().parse().ok()?;
        (name.project() == self.project).then_some((name, image))
    }

    fn sift(
        &self,
        name: &OccurrenceName,
        image: PinnedImage,
        occurrence: &Occurrence<'_>,
        wanted: bool,
        recorded: bool,
    ) -> Sifted {
        let Evidence { candidates, record, unreadable } = occurrence.evidence(&self.source);
        let record = record.filter(|_| recorded).and_then(|record| {
            serde_json::to_value(&record).ok().map(|value| (record.list(), value))
        });
        let unreadable = unreadable.filter(|_| wanted || recorded).map(|unreadable| {
            let (source, detail) = (Arc::clone(&self.source), &unreadable.detail);
            let code = Code::SignatureMalformed;
            Rejection::new(source, name.to_string(), "grafeas", code, detail)
        });
        Sifted { name: name.to_string(), image, candidates, record, unreadable }
    }
}
