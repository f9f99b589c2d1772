//! `input.images[]`: one image on one platform, and what is known about it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::held;
use crate::{
    attest::{CompactJson, buildkit::EmbeddedStatement, oci::ImageConfig, sources::INDEX},
    name::{Code, Digest, ImageRef, Repository},
    verify::{Level, Rejection, SubjectImage, Verified},
};

/// One image on one platform.
#[derive(Clone, Debug)]
pub struct ImageEntry<'a> {
    /// Where the review names it, as a path into the object: `spec.containers[0].image`.
    pub path: &'a str,
    pub container: Container<'a>,
    /// As the review writes it.
    pub given: &'a ImageRef,
    /// What it was resolved to.
    pub digest: Digest,
    pub media_type: &'a str,
    /// Of an index, the platform that this entry is about; `None` where there is no index.
    pub platform: Option<&'a Platform>,
    /// Given only where a rule reads it ([`super::Reads::config`]).
    pub config: Option<&'a ImageConfig>,
    /// What counts: attestations, and metadata, which rules find under its type.
    pub attestations: &'a [Verified],
    pub records: &'a Records,
    /// Statements that lie in the index, and which authority's signature covers them, if any.
    pub statements: &'a [StatementEntry<'a>],
    pub rejected: &'a [Rejection],
    pub lookups: &'a BTreeMap<Arc<str>, Lookup>,
}

/// A statement that lies in the index.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEntry<'a> {
    /// Always `index`.
    pub source: &'static str,
    /// The digest of the statement's bytes.
    pub name: String,
    /// Whose signature over the index covers it; one entry for each, or one with null.
    pub authority: Option<&'a str>,
    pub subject: SubjectImage,
    pub predicate_type: &'a str,
    pub predicate: &'a CompactJson,
}

impl<'a> StatementEntry<'a> {
    /// `statement`, covered by the signature of `authority` over the index, if by any.
    pub fn new(statement: &'a EmbeddedStatement, authority: Option<&'a str>) -> Self {
        let (digest, level) = (statement.subject, Level::Manifest);
        Self {
            source: INDEX,
            name: statement.digest.to_string(),
            authority,
            subject: SubjectImage { repository: None, digest, level },
            predicate_type: &statement.predicate_type,
            predicate: &statement.predicate,
        }
    }
}

/// Who runs the image.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Container<'a> {
    pub name: &'a str,
    /// `container`, `initContainer`, `ephemeralContainer`, `volume`
    pub kind: &'a str,
}

/// A platform of an index; texts that its descriptor leaves out are empty.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: String,
    pub os_version: String,
    /// Of the platform's manifest.
    pub digest: Digest,
    /// Of its configuration, the image ID; null where the manifest names none.
    pub config: Option<Digest>,
}

/// What stores say without a signature; vouched for by their access control only.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Records {
    pub builds: Vec<Arc<CompactJson>>,
    pub derived: Vec<Arc<CompactJson>>,
    pub vulnerabilities: Vec<Arc<CompactJson>>,
    pub discoveries: Vec<Arc<CompactJson>>,
    /// What else hangs on the image in its registry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<Arc<CompactJson>>,
}

/// How the search in one source ended. The engine denies on failures, not the rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// There is something, whether it counts or not.
    Found,
    /// There is nothing.
    None,
    /// Nobody knows.
    Failed(Code),
}

impl Serialize for ImageEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let repository: &Repository = self.given.repository();
        let mut entry = serializer.serialize_struct("ImageEntry", 17)?;
        entry.serialize_field("path", self.path)?;
        entry.serialize_field("container", &self.container)?;
        entry.serialize_field("given", self.given.as_str())?;
        entry.serialize_field("reference", &format!("{repository}@{}", self.digest))?;
        entry.serialize_field("registry", repository.host())?;
        entry.serialize_field("repository", repository.as_str())?;
        entry.serialize_field("tag", &self.given.tag())?;
        entry.serialize_field("digest", &self.digest)?;
        entry.serialize_field("mediaType", self.media_type)?;
        entry.serialize_field("platform", &self.platform)?;
        entry.serialize_field("config", &self.config)?;
        let attestations: Vec<&Verified> =
            self.attestations.iter().filter(|verified| verified.metadata().is_none()).collect();
        entry.serialize_field("attestations", &attestations)?;
        entry.serialize_field("records", self.records)?;
        entry.serialize_field("statements", self.statements)?;
        entry.serialize_field("metadata", &held::by_type(self.attestations))?;
        entry.serialize_field("rejected", self.rejected)?;
        entry.serialize_field("lookups", self.lookups)?;
        entry.end()
    }
}

impl Lookup {
    /// How two lookups in one source ended together: failed beats found beats none.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        match (self, other) {
            (failed @ Self::Failed(_), _) | (_, failed @ Self::Failed(_)) => failed,
            (Self::Found, _) | (_, Self::Found) => Self::Found,
            (Self::None, Self::None) => Self::None,
        }
    }
}

impl Serialize for Lookup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Found => serializer.serialize_str("found"),
            Self::None => serializer.serialize_str("none"),
            Self::Failed(code) => serializer.collect_str(&format_args!("failed:{code}")),
        }
    }
}
