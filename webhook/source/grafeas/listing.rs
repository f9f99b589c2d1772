//! A list, page by page, and when to stop.

use std::{
    collections::{HashSet, hash_map::RandomState},
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use http::StatusCode;

use super::{
    Route,
    call::{Caller, Reply},
    sieve::{Sieve, Sieved, Sifted},
};
use crate::{
    attest::grafeas::PageError,
    source::{Cap, Deadline, FetchError, ProtocolError, apart},
};

/// How far a list is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// Nothing of use may be missed.
    ToTheEnd,
    /// What is there explains, and need not be complete.
    FirstPage,
}

/// What became of a list.
#[derive(Debug)]
pub(super) enum Outcome {
    Found(Found),
    /// The server does not know the note or project.
    UnknownParent,
}

/// What of a list is of use.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) kept: Vec<Sifted>,
    /// Attestations of notes that were not asked for: they explain, and never count.
    pub(super) others: Vec<Sifted>,
}

/// Reads a list as far as the route reaches.
///
/// # Errors
/// [`FetchError`] if there is no answer, one that is no list, a list that leads in circles, or one
/// that hits a cap.
pub(super) async fn read(
    caller: &Caller,
    route: &Route,
    sieve: &Arc<Sieve>,
    deadline: Deadline,
) -> Result<Outcome, FetchError> {
    let mut reader = Reader {
        caller,
        route,
        sieve,
        filter: route.filter.as_deref(),
        token: String::new(),
        tokens: HashSet::new(),
        names: HashSet::new(),
        hasher: RandomState::new(),
        bytes: 0,
        foreign: 0,
        found: Found::default(),
    };
    for _ in 0..MOST_PAGES {
        let Some(body) = reader.fetch(deadline).await? else { return Ok(Outcome::UnknownParent) };
        let more = reader.take(body).await?;
        if !more || route.reach == Reach::FirstPage {
            return Ok(Outcome::Found(reader.found));
        }
    }
    Err(caller.too_much(MOST_PAGES, "pages of occurrences"))
}

struct Reader<'a> {
    caller: &'a Caller,
    route: &'a Route,
    sieve: &'a Arc<Sieve>,
    filter: Option<&'a str>,
    token: String,
    tokens: HashSet<String>,
    names: HashSet<u64>,
    hasher: RandomState,
    bytes: u64,
    foreign: usize,
    found: Found,
}

impl Reader<'_> {
    /// The next page; `None` if the server does not know what it is a list of.
    async fn fetch(&mut self, deadline: Deadline) -> Result<Option<Bytes>, FetchError> {
        loop {
            let mut query = vec![("pageSize", PAGE_SIZE)];
            query.extend(self.filter.map(|filter| ("filter", filter)));
            if !self.token.is_empty() {
                query.push(("pageToken", self.token.as_str()));
            }
            let path = format!("{}/occurrences", self.route.parent);
            match self.caller.get(&path, &query, CAP, deadline).await? {
                Reply::Message(body) => return Ok(Some(body)),
                Reply::Unknown => return Ok(None),
                // A filter in another dialect than the server's: go without.
                Reply::Refused(StatusCode::BAD_REQUEST)
                    if self.filter.is_some() && self.token.is_empty() =>
                {
                    self.filter = None;
                }
                Reply::Refused(status) | Reply::Conflict(status) => {
                    return Err(self.caller.invalid(ProtocolError::Status(status)));
                }
            }
        }
    }

    /// Sifts a page; whether there is another.
    async fn take(&mut self, body: Bytes) -> Result<bool, FetchError> {
        self.bytes += body.len() as u64;
        let sieved = self.sift(body).await.map_err(|_| {
            self.caller.invalid(ProtocolError::Other("something else than a list of occurrences"))
        })?;
        if sieved.partial {
            return Err(self.caller.invalid(ProtocolError::Other("a list with gaps")));
        }
        let brings_nothing_new =
            !sieved.names.is_empty() && sieved.names.iter().all(|name| self.names.contains(name));
        self.names.extend(sieved.names);
        self.foreign += sieved.foreign;
        self.found.kept.extend(sieved.kept);
        self.found.others.extend(sieved.others);
        if self.found.kept.len() > MOST_KEPT.saturating_mul(self.sieve.images.len()) {
            return Err(self.caller.too_much(MOST_KEPT, "occurrences about one image"));
        }
        let held = self.sieve.held.fetch_add(sieved.held, Ordering::Relaxed) + sieved.held;
        if held > MOST_HELD.saturating_mul(self.sieve.images.len() as u64) {
            return Err(self.caller.too_much(MOST_HELD, "bytes of occurrences about one image"));
        }
        if self.foreign > MOST_FOREIGN {
            return Err(self.caller.too_much(MOST_FOREIGN, "occurrences about other images"));
        }
        if sieved.next_page_token.is_empty() {
            return Ok(false);
        }
        if brings_nothing_new || !self.tokens.insert(sieved.next_page_token.clone()) {
            return Err(self.caller.invalid(ProtocolError::Circle));
        }
        if self.bytes > MOST_BYTES {
            return Err(self.caller.too_much(MOST_BYTES, "bytes of occurrences"));
        }
        self.token = sieved.next_page_token;
        Ok(true)
    }

    /// Large pages are sifted where they keep nobody waiting.
    async fn sift(&self, body: Bytes) -> Result<Sieved, PageError> {
        let most_others = MOST_OTHERS.saturating_sub(self.found.others.len());
        let (sieve, hasher) = (Arc::clone(self.sieve), self.hasher.clone());
        let note = self.route.note.clone();
        apart(body.len(), move || sieve.page(&body, note.as_ref(), most_others, &hasher)).await
    }
}

/// A page of ordinary attestations is then about a megabyte.
const PAGE_SIZE: &str = "500";

/// Of one page; statements of provenance stand in occurrences too.
const CAP: Cap = Cap { bytes: 16 << 20, what: "bytes of a page of occurrences" };

const MOST_BYTES: u64 = 64 << 20;
const MOST_PAGES: usize = 100;

/// What is about the image, and of the notes that count or whose records are wanted.
const MOST_KEPT: usize = 1000;

/// Bytes of these in all lists, as much as may refer to one image in its registry.
const MOST_HELD: u64 = 32 << 20;

/// Attestations under other notes that are handed on.
const MOST_OTHERS: usize = 16;

/// What is not, in stores that ignore filters.
const MOST_FOREIGN: usize = 50_000;
