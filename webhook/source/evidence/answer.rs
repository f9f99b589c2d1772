//! What one source says of one digest.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    attest::buildkit::EmbeddedStatement,
    source::FetchError,
    verify::{Opened, Rejection},
};

use super::{
    cache::{Perishable, Shelf},
    lookup::Haul,
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
    pub opened: Vec<Opened>,
    /// What looks like evidence and cannot be read.
    pub unreadable: Vec<Rejection>,
    /// What no signature covers.
    pub records: Records,
    /// Statements that lie in the index; which signature over it covers them is judged anew.
    pub statements: Vec<EmbeddedStatement>,
    /// What a person should know about an empty answer: notes that the store does not have.
    pub remarks: Vec<String>,
    weight: usize,
}

/// Unsigned statements by the list of `records` that they belong to, as JSON.
#[derive(Clone, Debug, Default)]
pub struct Records(pub Vec<(&'static str, Value)>);

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
    pub(super) fn nothing() -> Self {
        Self::new(Instant::now(), Vec::new(), Haul::default())
    }

    /// What was hauled in, once the signatures of its candidates are checked.
    pub(super) fn new(looked_up: Instant, opened: Vec<Opened>, haul: Haul) -> Self {
        let Haul { candidates: _, unreadable, records, statements, remarks } = haul;
        let weight = size_of::<Self>()
            + opened.iter().map(Opened::weight).sum::<usize>()
            + unreadable.iter().map(|bad| 256 + bad.detail.len()).sum::<usize>()
            + records.0.iter().map(|(_, value)| weigh(value)).sum::<usize>()
            + statements.iter().map(|one| 512 + weigh(&one.predicate)).sum::<usize>();
        Self { looked_up, opened, unreadable, records, statements, remarks, weight }
    }

    /// Whether its source has nothing about the digest.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.unreadable.is_empty()
            && self.records.0.is_empty()
            && self.statements.is_empty()
    }
}

impl Perishable for Answer {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Shelf) -> Duration {
        if self.is_empty() { times.none } else { times.found }
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

/// Bytes that a JSON value holds, roughly.
fn weigh(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(weigh).sum(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| 64 + name.len() + weigh(value)).sum()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}
