//! Evidence in Grafeas servers.
//!
//! Servers are not relied on to filter, to page, or to keep projects apart: the reference server
//! ignores filters, and others end lists early or never. So what comes is checked here against the
//! image, the project and the note, lists are bounded, and a list that cannot be read to its end is
//! a failure and not an absence.

mod call;
mod filed;
mod filter;
mod listing;
mod metadata;
mod missing;
mod options;
mod readback;
mod sieve;
mod token;
mod write;

use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicU64},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

pub use filed::{Filed, FiledAbout};
pub use missing::MissingParent;
pub use options::{StoreOptions, StoreOptionsError, StoreToken};

use crate::{
    attest::{Candidate, grafeas::Version},
    name::{Digest, NoteName, PinnedImage, Repository},
    source::{Bounds, Deadline, FetchError},
    verify::Rejection,
};
use call::Caller;
use filter::filters;
use listing::{Found, Outcome, Reach};
use sieve::{Sieve, Sifted};

/// A Grafeas server, and where in it occurrences are looked up.
pub struct GrafeasStore {
    caller: Caller,
    options: StoreOptions,
}

/// What a store holds about an image, checked to be about that image, in the store's project, and
/// of a note that was asked for. None of it is verified.
#[derive(Debug, Default)]
pub struct StoreEvidence {
    /// Signed statements: those of the notes that were asked for, then a few of other notes, which
    /// only explain why they do not count.
    pub candidates: Vec<Candidate>,
    /// Occurrences of these notes that cannot be read.
    pub unreadable: Vec<Rejection>,
    /// Unsigned occurrences of the notes that `records` lists, by the list they belong to.
    pub records: Vec<(&'static str, Value)>,
    /// Notes and projects that the store does not know.
    pub missing: Vec<MissingParent>,
}

impl GrafeasStore {
    /// A store that nobody has contacted yet.
    ///
    /// # Errors
    /// [`StoreOptionsError`] where the options contradict each other or a certificate is none.
    pub fn new(options: StoreOptions) -> Result<Self, StoreOptionsError> {
        Ok(Self { caller: Caller::new(&options)?, options })
    }

    /// The same within `bounds`, which others may share.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { caller: self.caller.within(bounds), ..self }
    }

    /// The version that it speaks.
    pub fn api(&self) -> Version {
        self.options.api
    }

    /// Its name in the configuration, which is the `source` of what comes from it.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// What there is about the image `repository@digest`, for any of `digests`.
    ///
    /// Occurrences of `notes` are asked for by note, so that a flood of others hides none; the
    /// project's list brings the records, and what stands under other notes.
    ///
    /// # Errors
    /// [`FetchError`] if any list that may hold something of use could not be read whole. A note or
    /// project that the store does not know is no error but a remark.
    pub async fn occurrences(
        &self,
        repository: &Repository,
        digests: &[Digest],
        notes: &[NoteName],
        deadline: Deadline,
    ) -> Result<StoreEvidence, FetchError> {
        let notes: HashSet<&NoteName> = notes.iter().collect();
        if notes.is_empty() && self.options.records.is_empty() {
            return Ok(StoreEvidence::default());
        }
        let sieve = Arc::new(Sieve {
            source: Arc::clone(&self.options.name),
            project: self.options.project.clone(),
            images: digests
                .iter()
                .map(|&digest| PinnedImage { repository: repository.clone(), digest })
                .collect(),
            notes: notes.iter().map(|&note| note.clone()).collect(),
            records: self.options.records.clone(),
            held: AtomicU64::new(0),
        });
        let filters = filters(self.options.api, repository, digests);
        let routes = self.routes(&notes, &filters);
        let lists: Vec<(Route, Outcome)> = stream::iter(routes)
            .map(|route| async {
                let found = self.list(&route, &sieve, deadline).await?;
                Ok::<_, FetchError>((route, found))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(self.merge(lists))
    }

    /// Notes first: of what two lists hold, the first is kept.
    fn routes(&self, notes: &HashSet<&NoteName>, filters: &[Option<String>]) -> Vec<Route> {
        let mut notes: Vec<_> = notes.iter().copied().collect();
        notes.sort();
        let reach =
            if self.options.records.is_empty() { Reach::FirstPage } else { Reach::ToTheEnd };
        let by_note = notes.into_iter().flat_map(|note| {
            filters.iter().map(move |filter| Route {
                parent: note.to_string(),
                note: Some(note.clone()),
                filter: filter.clone(),
                reach: Reach::ToTheEnd,
            })
        });
        let by_project = filters.iter().map(|filter| Route {
            parent: self.options.project.to_string(),
            note: None,
            filter: filter.clone(),
            reach,
        });
        by_note.chain(by_project).collect()
    }

    async fn list(
        &self,
        route: &Route,
        sieve: &Arc<Sieve>,
        deadline: Deadline,
    ) -> Result<Outcome, FetchError> {
        match listing::read(&self.caller, route, sieve, deadline).await {
            // Nothing that counts comes from this list; it only explains.
            Err(FetchError::Unauthorized { .. } | FetchError::TooMuch { .. })
                if route.reach == Reach::FirstPage =>
            {
                Ok(Outcome::Found(Found::default()))
            }
            outcome => outcome,
        }
    }

    fn merge(&self, lists: Vec<(Route, Outcome)>) -> StoreEvidence {
        let mut evidence = StoreEvidence::default();
        let mut seen = HashSet::new();
        let mut others = Vec::new();
        for (route, outcome) in lists {
            let Outcome::Found(found) = outcome else {
                let Route { parent, note, .. } = route;
                let missing = MissingParent { store: Arc::clone(&self.options.name), parent, note };
                if !evidence.missing.contains(&missing) {
                    evidence.missing.push(missing);
                }
                continue;
            };
            for Sifted { name, candidates, record, unreadable, .. } in found.kept {
                if seen.insert(name) {
                    evidence.candidates.extend(candidates);
                    evidence.records.extend(record);
                    evidence.unreadable.extend(unreadable);
                }
            }
            others.extend(found.others);
        }
        others.retain(|other| !seen.contains(&other.name));
        evidence.candidates.extend(others.into_iter().flat_map(|other| other.candidates));
        evidence
    }
}

/// One list to read.
#[derive(Clone, Debug)]
struct Route {
    /// The note or the project whose occurrences it lists.
    parent: String,
    /// The note that all of them must be of.
    note: Option<NoteName>,
    filter: Option<String>,
    reach: Reach,
}

/// Lists that are read at once.
const AT_ONCE: usize = 8;
