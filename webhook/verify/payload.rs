//! What was signed, in the shape that policies see it.

use std::{
    cell::OnceCell,
    sync::{Arc, LazyLock},
};

use serde_json::json;

use crate::{
    attest::{Carrier, CompactJson, Meaning, Subject, metadata, notation},
    name::escape,
};

/// A payload that means something.
#[derive(Clone, Debug)]
pub struct Payload {
    /// A statement's predicate has moved to `predicate`, and so has what Notation signed; metadata
    /// has none there.
    pub meaning: Meaning,
    pub predicate_type: Arc<str>,
    pub predicate: Arc<CompactJson>,
}

impl Payload {
    /// Bytes that it points to.
    pub fn beside(&self) -> usize {
        let said = match &self.meaning {
            Meaning::SimpleSigning(simple) => simple.reference.len(),
            Meaning::ImageId(_) => 0,
            Meaning::Statement(statement) => {
                SHARED + statement.predicate_type.len() * 2 + subjects(&statement.subjects)
            }
            Meaning::Target(target) => target.media_type.len(),
            Meaning::Metadata { subjects: about, said } => {
                SHARED + size_of_val(&**said) + said.value.weight() + subjects(about)
            }
        };
        said + SHARED + self.predicate.weight()
    }
}

fn subjects(subjects: &[Subject]) -> usize {
    let digests = |subject: &Subject| -> usize {
        let each = subject.digests.iter();
        each.map(|digest| size_of_val(&digest) + digest.0.len() + digest.1.len()).sum()
    };
    let name = |subject: &Subject| subject.name.as_ref().map_or(0, |name| name.len());
    size_of_val(subjects)
        + subjects.iter().map(|subject| name(subject) + digests(subject)).sum::<usize>()
}

/// A payload that is read once a key of ours proves to have signed it: of all that strangers hang
/// on an image, nothing is.
pub struct Unread<'p> {
    carrier: Carrier<'p>,
    bytes: &'p [u8],
    read: OnceCell<Arc<Result<Payload, String>>>,
}

impl<'p> Unread<'p> {
    pub fn new(carrier: Carrier<'p>, bytes: &'p [u8]) -> Self {
        Self { carrier, bytes, read: OnceCell::new() }
    }

    /// What it says. It is read the first time.
    pub fn read(&self) -> Arc<Result<Payload, String>> {
        Arc::clone(self.read.get_or_init(|| read(self.carrier, self.bytes)))
    }

    #[cfg(test)]
    pub fn was_read(&self) -> bool {
        self.read.get().is_some()
    }
}

/// Reads a payload once, for all the signatures over it.
pub fn read(carrier: Carrier<'_>, payload: &[u8]) -> Arc<Result<Payload, String>> {
    let read = Meaning::of(carrier, payload).map(|mut meaning| {
        let (predicate_type, predicate) = match &mut meaning {
            Meaning::SimpleSigning(simple) => {
                let optional = std::mem::take(&mut simple.optional);
                (Arc::clone(&SIMPLE_SIGNING), json!({ "optional": optional }))
            }
            Meaning::ImageId(_) => (Arc::clone(&IMAGE_ID), json!({})),
            Meaning::Statement(statement) => {
                let predicate = std::mem::take(&mut statement.predicate);
                (statement.predicate_type.as_str().into(), predicate)
            }
            Meaning::Metadata { .. } => (Arc::clone(&METADATA), json!({})),
            Meaning::Target(target) => (Arc::clone(&NOTATION), target.payload.take()),
        };
        Payload { meaning, predicate_type, predicate: Arc::new(predicate.into()) }
    });
    Arc::new(read.map_err(|bad| escape(&bad.to_string(), SHOWN)))
}

/// What it costs to share something: the two counts of an [`Arc`].
pub const SHARED: usize = 2 * size_of::<usize>();

/// The types that are not the payload's own word, each once.
static SIMPLE_SIGNING: LazyLock<Arc<str>> = LazyLock::new(|| "simple-signing".into());
static IMAGE_ID: LazyLock<Arc<str>> = LazyLock::new(|| "image-id".into());
static NOTATION: LazyLock<Arc<str>> = LazyLock::new(|| notation::FORMAT.into());
static METADATA: LazyLock<Arc<str>> = LazyLock::new(|| metadata::PREDICATE_TYPE.into());

/// How much of outside text a reason quotes.
const SHOWN: usize = 256;
