//! Grafeas occurrences, v1beta1 and v1, as evidence.
//!
//! One reader serves both versions: their members do not collide, and servers and writers mix
//! spellings (`noteName` and `note_name`) and leave `kind` empty or wrong, so what an occurrence is
//! follows from the details that it carries. Nothing here is proof: an occurrence says which note
//! and image it is about, and whoever may write to the store may say anything. Signed occurrences
//! become a [`Candidate`] for the verifier, unsigned ones a [`Record`].

mod attestation;
mod convert;
mod kinds;
mod page;
mod record;
mod resource;
mod spelling;

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

pub use convert::convert;
pub use kinds::{Class, Kind, Version};
pub use page::{Page, PageError};
pub use record::Record;
pub use resource::ResourceUri;
pub use spelling::{TwoSpellings, camel_case};

use crate::{attest::Candidate, name::NoteName};

/// One occurrence of a list: what it claims to be about is read, its details not yet.
///
/// Lists hold thousands of occurrences of other images where a server ignores filters, so only
/// those that are about the image in question are read in full, by [`Occurrence::evidence`].
#[derive(Debug)]
pub struct Occurrence<'a> {
    raw: &'a RawValue,
    name: String,
    note: Option<NoteName>,
    resource: Option<ResourceUri>,
}

/// What one occurrence holds.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Signed statements, not verified.
    pub candidates: Vec<Candidate>,
    /// The unsigned details, if any.
    pub record: Option<Record>,
    /// Why (part of) it could not be read.
    pub unreadable: Option<Unreadable>,
}

/// An occurrence that could not be read. It blocks no other.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("occurrence {name:?}: {detail}")]
pub struct Unreadable {
    /// Its name as the server sent it, empty where it has none.
    pub name: String,
    /// What is wrong with it.
    pub detail: String,
}

impl<'a> Occurrence<'a> {
    /// Reads name, note and resource of one element of a list.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not an object with these members as texts.
    pub fn read(raw: &'a RawValue) -> Result<Self, Unreadable> {
        let unreadable = |detail: &str| Unreadable { name: String::new(), detail: detail.into() };
        if !raw.get().starts_with('{') {
            return Err(unreadable("is no JSON object"));
        }
        let head: Head<'_> = serde_json::from_str(raw.get())
            .map_err(|_| unreadable("has no readable name, note and resource"))?;
        let uri = head.resource_uri.or(head.resource.and_then(|resource| resource.uri));
        Ok(Self {
            raw,
            name: without_location(&head.name.unwrap_or_default()),
            note: head.note_name.and_then(|note| without_location(&note).parse().ok()),
            resource: uri.and_then(|uri| uri.parse().ok()),
        })
    }

    /// Its name, as the server sent it but for a `locations/…` part.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The note that it claims to be of, if that is a note name.
    pub fn note(&self) -> Option<&NoteName> {
        self.note.as_ref()
    }

    /// What it claims to be about, if that names something by digest.
    pub fn resource(&self) -> Option<&ResourceUri> {
        self.resource.as_ref()
    }

    /// Reads the details. `source` is the name of the store, for the candidates and records.
    pub fn evidence(&self, source: &Arc<str>) -> Evidence {
        let mut evidence = Evidence::default();
        if let Err(detail) = self.read_details(source, &mut evidence) {
            evidence.unreadable = Some(Unreadable { name: self.name.clone(), detail });
        }
        evidence
    }

    fn read_details(&self, source: &Arc<str>, evidence: &mut Evidence) -> Result<(), String> {
        let value: Value = serde_json::from_str(self.raw.get())
            .map_err(|error| format!("is not readable JSON: {error}"))?;
        let value = camel_case(value).map_err(|error| error.to_string())?;
        let Value::Object(mut members) = value else {
            return Err("is no JSON object".into());
        };
        members.retain(|_, value| !value.is_null());
        let recorded_at = time(members.get("createTime"));
        let envelope = members.remove("envelope");
        let details = details(&mut members)?;

        let signed = attestation::signed(details.as_ref(), envelope.as_ref())?;
        evidence.candidates = signed
            .into_iter()
            .map(|signed| Candidate {
                note: self.note.clone(),
                recorded_at,
                ..Candidate::new(Arc::clone(source), &*self.name, signed)
            })
            .collect();
        if let Some((field, details)) = details {
            evidence.record = record::Kind::of(field).map(|kind| Record {
                kind,
                source: Arc::clone(source),
                name: self.name.clone(),
                note: self.note.clone(),
                resource: self.resource.as_ref().map(ToString::to_string),
                recorded_at,
                details: kind.details(details),
            });
        }
        if evidence.candidates.is_empty() && evidence.record.is_none() {
            return Err("has no details that are known here".into());
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "noteName", alias = "note_name")]
    note_name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "resourceUri", alias = "resource_uri")]
    resource_uri: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource: Option<HeadResource<'a>>,
}

#[derive(Deserialize)]
struct HeadResource<'a> {
    #[serde(borrow)]
    uri: Option<Cow<'a, str>>,
}

/// `projects/P/locations/L/notes/N` is `projects/P/notes/N`, kept in a region.
fn without_location(name: &str) -> String {
    match name.split('/').collect::<Vec<_>>().as_slice() {
        ["projects", project, "locations", _, collection, id] => {
            format!("projects/{project}/{collection}/{id}")
        }
        _ => name.to_owned(),
    }
}

/// The one details member, by which the kind is known: `kind` itself is the writer's word.
fn details(members: &mut Map<String, Value>) -> Result<Option<(&'static str, Value)>, String> {
    let mut found = FIELDS.iter().filter(|field| members.contains_key(**field));
    let Some(&field) = found.next() else { return Ok(None) };
    if let Some(other) = found.next() {
        return Err(format!("has two details, {field} and {other}"));
    }
    Ok(members.remove(field).map(|details| (field, details)))
}

/// A server's time. Zero times of Go (`0001-01-01T00:00:00Z`) mean that there is none.
fn time(value: Option<&Value>) -> Option<Timestamp> {
    let time: Timestamp = value?.as_str()?.parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// Details members of both versions that are read here.
const FIELDS: [&str; 12] = [
    "attestation",
    "dsseAttestation",
    "build",
    "derivedImage",
    "image",
    "vulnerability",
    "discovered",
    "discovery",
    "installation",
    "package",
    "deployment",
    "sbomReference",
];
