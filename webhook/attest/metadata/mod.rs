//! Metadata beside an image: a value of some type, and the statement that binds it to the image.
//!
//! An OCI referrer with two layers. The first is the statement, in a DSSE envelope where it is
//! signed and bare where it is not; the second is the value, any bytes. The statement names type,
//! media type, size and digest of the value, so that whoever exchanges the value breaks it.

mod names;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BadEnvelope, BadJson, CompactJson, IN_TOTO,
    artifact::ENVELOPE_LAYER,
    json::parse_json,
    oci::{Descriptor, Manifest},
};
use crate::name::Digest;

pub use names::{BadMediaType, BadMetadataType, MediaType, MetadataType};

/// What a referrer with metadata is called in `artifactType`.
pub const ARTIFACT_TYPE: &str = "application/vnd.countersign.metadata.v1";

/// The predicate type of metadata; an authority is given it as `metadata/<type>`.
pub const PREDICATE_TYPE: &str = "https://countersign.dev/metadata/v1";

/// The annotation that tells the type before the layers are read. A hint, as all annotations.
pub const TYPE_ANNOTATION: &str = "countersign.dev/metadata-type";

/// The layer of a statement that nobody signed.
pub const UNSIGNED_LAYER: &str = IN_TOTO;

/// Most bytes of a value. Profiles and sign-offs have some kilobytes.
pub const LARGEST_VALUE: u64 = 1024 * 1024;

/// Most bytes of the statement, in its envelope.
pub const LARGEST_STATEMENT: u64 = 64 * 1024;

/// What a statement of [`PREDICATE_TYPE`] says of the value beside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// What the value is about: `approval`, `profile`, `contact`, …
    #[serde(rename = "type")]
    pub kind: MetadataType,
    /// What the bytes of the value are.
    pub media_type: MediaType,
    /// Of the value.
    pub digest: Digest,
    /// Of the value, in bytes.
    pub size: u64,
    /// When it was made, by the word of who made it. Of one signer only the newest counts.
    pub created: Timestamp,
    /// From when on it should not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Metadata together with its value, which hashes to what the metadata says.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataValue {
    /// What was said.
    pub metadata: Metadata,
    /// JSON as it is, anything else as text in base64.
    pub value: CompactJson,
}

/// The two layers of a referrer with metadata.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'m> {
    /// The statement.
    pub statement: &'m Descriptor,
    /// Whether the statement is in an envelope.
    pub signed: bool,
    /// The value.
    pub value: &'m Descriptor,
}

/// Why something is no metadata that can be read.
#[derive(Debug, thiserror::Error)]
pub enum BadMetadata {
    #[error("it has {0} layers where a statement and a value are read")]
    Layers(usize),
    #[error("its first layer is of type {0:?}, which is no statement")]
    Statement(String),
    #[error("its value has {size} bytes, at most {LARGEST_VALUE} are read")]
    TooLarge { size: u64 },
    #[error("its predicate is no metadata: {0}")]
    Predicate(serde_json::Error),
    #[error("it is about {0:?}, not about metadata")]
    PredicateType(String),
    #[error("its value stands nowhere beside it")]
    NoValue,
    #[error("the value beside it has {found} bytes where its statement says {said}")]
    Size { said: u64, found: u64 },
    #[error("the value beside it is not {0}, which its statement names")]
    OtherValue(Digest),
    #[error("its value is said to be {media_type}, but is {why}")]
    Value { media_type: MediaType, why: BadJson },
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
}

impl Metadata {
    /// Metadata about `value`.
    pub fn of(
        kind: MetadataType,
        media_type: MediaType,
        value: &[u8],
        created: Timestamp,
        expires: Option<Timestamp>,
    ) -> Self {
        let (digest, size) = (Digest::sha256(value), value.len() as u64);
        Self { kind, media_type, digest, size, created, expires }
    }

    /// Reads the predicate of a statement of `predicate_type`.
    ///
    /// # Errors
    /// [`BadMetadata`]: another type, or another shape.
    pub fn read(predicate_type: &str, predicate: Value) -> Result<Self, BadMetadata> {
        if predicate_type != PREDICATE_TYPE {
            return Err(BadMetadata::PredicateType(predicate_type.to_owned()));
        }
        let metadata: Self = serde_json::from_value(predicate).map_err(BadMetadata::Predicate)?;
        match metadata.size {
            size if size > LARGEST_VALUE => Err(BadMetadata::TooLarge { size }),
            _ => Ok(metadata),
        }
    }

    /// Checks that `value` is the value that this is about.
    ///
    /// # Errors
    /// It has another size or digest.
    pub fn check(&self, value: &[u8]) -> Result<(), BadMetadata> {
        if value.len() as u64 != self.size {
            return Err(BadMetadata::Size { said: self.size, found: value.len() as u64 });
        }
        if self.digest.covers(value) { Ok(()) } else { Err(BadMetadata::OtherValue(self.digest)) }
    }

    /// Takes the value in: JSON where its media type says so, base64 of its bytes else.
    ///
    /// # Errors
    /// It is another value, or is said to be JSON and has not one reading as such.
    pub fn with_value(self, value: &[u8]) -> Result<MetadataValue, BadMetadata> {
        self.check(value)?;
        let value = if self.media_type.is_json() {
            parse_json(value, value.len())
                .map_err(|why| BadMetadata::Value { media_type: self.media_type.clone(), why })?
        } else {
            Value::String(STANDARD.encode(value))
        };
        Ok(MetadataValue { metadata: self, value: value.into() })
    }

    /// Whether it should not count any more.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl<'m> Layers<'m> {
    /// Finds the layers in the manifest of a referrer.
    ///
    /// # Errors
    /// There are others, or larger ones.
    pub fn of(manifest: &'m Manifest) -> Result<Self, BadMetadata> {
        let [statement, value] = manifest.layers.as_slice() else {
            return Err(BadMetadata::Layers(manifest.layers.len()));
        };
        let signed = match statement.media_type.as_str() {
            ENVELOPE_LAYER => true,
            UNSIGNED_LAYER => false,
            other => return Err(BadMetadata::Statement(other.to_owned())),
        };
        if value.size > LARGEST_VALUE {
            return Err(BadMetadata::TooLarge { size: value.size });
        }
        Ok(Self { statement, signed, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(media_type: &str, value: &[u8]) -> Metadata {
        let (kind, media_type) = ("approval".parse().unwrap(), media_type.parse().unwrap());
        Metadata::of(kind, media_type, value, Timestamp::UNIX_EPOCH, None)
    }

    #[test]
    fn p4_the_value_is_the_one_that_the_statement_names() {
        let json: &[u8] = br#"{"approved":true}"#;
        for (name, metadata, value, want) in [
            ("JSON", about("application/json", json), json, Ok(r#"{"approved":true}"#)),
            ("JSON of a kind", about("application/x+json", json), json, Ok(r#"{"approved":true}"#)),
            ("text", about("text/plain", b"ok"), b"ok", Ok(r#""b2s=""#)),
            ("JSON, said to be text", about("text/plain", b"1"), b"1", Ok(r#""MQ==""#)),
            ("exchanged", about("text/plain", b"ok"), b"no", Err("is not sha256:")),
            ("longer", about("text/plain", b"ok"), b"ok ", Err("has 3 bytes where")),
            (
                "no JSON",
                about("application/json", b"ok"),
                b"ok",
                Err("said to be application/json"),
            ),
            (
                "a member twice",
                about("application/json", br#"{"a":1,"a":2}"#),
                br#"{"a":1,"a":2}"#,
                Err("appears twice"),
            ),
        ] {
            match (metadata.with_value(value), want) {
                (Ok(got), Ok(want)) => {
                    assert_eq!(serde_json::to_string(&got.value).unwrap(), want, "{name}");
                }
                (Err(bad), Err(want)) => {
                    let text = bad.to_string();
                    assert!(text.contains(want), "{name}: {text}");
                }
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }

    #[test]
    fn predicates_are_read_back_and_others_refused() {
        let good = about("text/plain", b"ok");
        let written = serde_json::to_value(&good).unwrap();
        assert_eq!(written["type"], "approval");
        assert_eq!(Metadata::read(PREDICATE_TYPE, written.clone()).unwrap(), good);
        for (name, member, value, want) in [
            ("no type", "type", Value::Null, "is no metadata"),
            ("a path as type", "type", "a/b".into(), "no type of metadata"),
            ("parameters", "mediaType", "text/plain; charset=x".into(), "no media type"),
            ("no digest", "digest", "b2s=".into(), "is no metadata"),
            ("too large", "size", (LARGEST_VALUE + 1).into(), "at most"),
            ("no time", "created", "yesterday".into(), "is no metadata"),
        ] {
            let mut bad = written.clone();
            bad[member] = value;
            let text = Metadata::read(PREDICATE_TYPE, bad).unwrap_err().to_string();
            assert!(text.contains(want), "{name}: {text}");
        }
        let text = Metadata::read("x", written).unwrap_err().to_string();
        assert!(text.contains("not about metadata"), "{text}");
    }
}
