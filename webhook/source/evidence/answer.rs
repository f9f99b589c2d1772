//! What one source says of one digest.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use serde_json::Value;

use crate::{
    attest::{CompactJson, buildkit::EmbeddedStatement},
    source::{FetchError, MissingParent},
    verify::{Opened, Rejection},
};

use super::{
    cache::{Lifetimes, Perishable},
    lookup::Findings,
    query::Query,
};

/// A source and what it said, or why it could not be asked.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The name of a store, `referrers`, `tags`, `lookaside` or `index`.
    pub source: Arc<str>,
    /// A failure is no absence: nothing may be concluded from it.
    pub outcome: Result<Arc<Answer>, Arc<FetchError>>,
}

/// How a lookup ended, as rules see it.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// There is something, whatever it is worth.
    Found,
    /// There is nothing.
    None,
    /// Nobody knows.
    Failed(Arc<FetchError>),
}

/// Everything that a source has about a digest, signatures checked, nothing judged.
#[derive(Debug)]
pub struct Answer {
    /// When it was looked up.
    pub looked_up: Instant,
    /// Attestations with their signatures checked.
    pub opened: Box<[Opened]>,
    /// What looks like evidence and cannot be read.
    pub unreadable: Box<[Rejection]>,
    /// What no signature covers, by the list of `records` that it belongs to.
    pub records: Box<[(&'static str, Arc<CompactJson>)]>,
    /// Statements that lie in the index; which signature over it covers them is judged anew.
    pub statements: Box<[EmbeddedStatement]>,
    /// Notes and projects that the store does not know, so that it has nothing under them.
    pub missing: Box<[MissingParent]>,
    /// What it is known to be the answer to: what it was looked up for, until a reload that made no
    /// difference to it.
    pub(super) query: ArcSwap<Query>,
    weight: usize,
    told: usize,
}

impl Answered {
    /// How the lookup ended.
    pub fn lookup(&self) -> Lookup {
        match &self.outcome {
            Err(error) => Lookup::Failed(Arc::clone(error)),
            Ok(answer) if answer.is_empty() => Lookup::None,
            Ok(_) => Lookup::Found,
        }
    }
}

impl Answer {
    /// That there is nothing, which needed no asking.
    pub(super) fn nothing(query: Arc<Query>) -> Self {
        Self::new(Instant::now(), Vec::new(), Findings::default(), query)
    }

    /// What was found, once the signatures of its candidates are checked.
    pub(super) fn new(
        looked_up: Instant,
        opened: Vec<Opened>,
        findings: Findings,
        query: Arc<Query>,
    ) -> Self {
        let Findings { opened: _, candidates: _, unreadable, records, statements, missing } =
            findings;
        let compact = |(list, record): (_, Value)| (list, Arc::new(CompactJson::from(record)));
        let mut answer = Self {
            looked_up,
            opened: opened.into(),
            unreadable: unreadable.into(),
            records: records.into_iter().map(compact).collect(),
            statements: statements.into(),
            missing: missing.into(),
            query: ArcSwap::new(query),
            weight: 0,
            told: 0,
        };
        let unreadable: usize = answer.unreadable.iter().map(Rejection::weight).sum();
        answer.told = unreadable + answer.opened.iter().map(Opened::told).sum::<usize>();
        answer.weight = answer.weigh(unreadable);
        answer
    }

    /// Bytes of it that whoever judges an image by it has again: why something does not count.
    pub fn told(&self) -> usize {
        self.told
    }

    fn weigh(&self, unreadable: usize) -> usize {
        let stated = |one: &EmbeddedStatement| {
            size_of::<EmbeddedStatement>() + one.predicate_type.len() + one.predicate.weight()
        };
        size_of::<Self>()
            + self.opened.iter().map(Opened::weight).sum::<usize>()
            + unreadable
            + self.records.iter().map(|(_, one)| one.weight()).sum::<usize>()
            + size_of_val(&*self.records)
            + self.statements.iter().map(stated).sum::<usize>()
            + self.missing.iter().map(MissingParent::weight).sum::<usize>()
    }

    /// Whether its source has nothing about the digest.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.unreadable.is_empty()
            && self.records.is_empty()
            && self.statements.is_empty()
    }
}

impl Perishable for Answer {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Lifetimes) -> Duration {
        if self.is_empty() { times.none } else { times.found }
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

#[cfg(test)]
impl Answer {
    /// One with a statement of so many bytes, and with rejections of one KiB.
    pub(crate) fn heavy(bytes: usize, rejections: usize) -> Arc<Self> {
        use crate::{
            name::{Code, Digest},
            verify::Trust,
        };

        let digest = Digest::sha256(b"");
        let statement = EmbeddedStatement {
            digest,
            subject: digest,
            predicate_type: "t".into(),
            predicate: Arc::new(CompactJson::Text("x".repeat(bytes).into())),
        };
        let told = "x".repeat(1024);
        let rejected = Rejection::new("tags", "n", "oci", Code::SignatureMalformed, &told);
        let findings = Findings {
            statements: vec![statement],
            unreadable: vec![rejected; rejections],
            ..Findings::default()
        };
        let query = Arc::new(Query::new(Arc::new(Trust::new(Vec::new()).unwrap()), false));
        Arc::new(Self::new(Instant::now(), Vec::new(), findings, query))
    }
}
