//! The one table from carrier and payload to what a signature means.
//!
//! A signature over bytes says nothing about how to read them, and a key that signs for one
//! purpose must not be made to say something for another. So the carrier decides the reading, and
//! there is no second try.
//!
//! | carrier | payload | meaning |
//! | --- | --- | --- |
//! | signed OpenPGP message, or signatures over the payload | 71 bytes `sha256:<hex>` | image ID |
//! | the same | anything else | simple signing, or malformed |
//! | detached OpenPGP signature | 71 bytes `sha256:<hex>` | image ID |
//! | DSSE, type `application/vnd.in-toto+json` | any | in-toto statement, but none of metadata, or malformed |
//! | the same with a value beside it | any | statement of metadata about that value, or malformed |
//! | DSSE, any other type | any | malformed |
//! | JSON web signature, type `application/vnd.cncf.notary.payload.v1+json` | any | a descriptor, or malformed |
//! | the same, any other type | any | malformed |
//!
//! Signatures over the payload are what an occurrence has beside `serializedPayload`, and what a
//! layer of cosign's has in an annotation. An envelope is the same whether an occurrence, a layer or
//! a sigstore bundle brings it; a bundle's signature over a message that it does not bring means
//! nothing.

use std::sync::Arc;

use super::{
    BadSimpleSigning, BadStatement, BadTarget, SimpleSigning, Statement, Subject, Target,
    metadata::{BadMetadata, Metadata, MetadataValue, PREDICATE_TYPE},
};
use crate::name::Digest;

/// What carries a signature and its payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier<'a> {
    /// A signature over the payload's own bytes: the literal of a signed OpenPGP message, or a
    /// payload beside its signatures.
    Plain,
    /// A DSSE envelope with this payload type.
    Dsse(&'a str),
    /// A DSSE envelope with this payload type, and a value beside it.
    Metadata(&'a str, &'a [u8]),
    /// A JSON web signature that says that its payload is of this type.
    Jws(&'a str),
}

/// The one thing that a signed payload says.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// This manifest, under this name.
    SimpleSigning(SimpleSigning),
    /// This image configuration, by its digest alone.
    ImageId(Digest),
    /// This predicate about these subjects.
    Statement(Statement),
    /// This value, for these subjects.
    Metadata { subjects: Vec<Subject>, said: Arc<MetadataValue> },
    /// This manifest, wherever it lies.
    Target(Target),
}

/// Why a signed payload means nothing to us.
#[derive(Debug, thiserror::Error)]
pub enum BadMeaning {
    #[error(transparent)]
    SimpleSigning(#[from] BadSimpleSigning),
    #[error(transparent)]
    Statement(#[from] BadStatement),
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    #[error(transparent)]
    Target(#[from] BadTarget),
    #[error("payload type {0:?} is none that is read from a DSSE envelope")]
    PayloadType(String),
}

impl Meaning {
    /// Reads a payload in the only way that its carrier allows.
    ///
    /// # Errors
    /// [`BadMeaning`]: the payload is not what its carrier says.
    pub fn of(carrier: Carrier<'_>, payload: &[u8]) -> Result<Self, BadMeaning> {
        match carrier {
            Carrier::Plain => match image_id(payload) {
                Some(config) => Ok(Self::ImageId(config)),
                None => Ok(Self::SimpleSigning(SimpleSigning::parse(payload)?)),
            },
            Carrier::Dsse(IN_TOTO) => match Statement::parse(payload)? {
                statement if statement.predicate_type == PREDICATE_TYPE => {
                    Err(BadMetadata::NoValue.into())
                }
                statement => Ok(Self::Statement(statement)),
            },
            Carrier::Metadata(IN_TOTO, value) => {
                let Statement { predicate_type, subjects, predicate } = Statement::parse(payload)?;
                let metadata = Metadata::read(&predicate_type, predicate)?;
                Ok(Self::Metadata { subjects, said: Arc::new(metadata.with_value(value)?) })
            }
            Carrier::Jws(kind) => Ok(Self::Target(Target::parse(kind, payload)?)),
            Carrier::Dsse(other) | Carrier::Metadata(other, _) => {
                Err(BadMeaning::PayloadType(other.to_owned()))
            }
        }
    }
}

/// The digest that 71 bytes of `sha256:` and lowercase hex spell.
fn image_id(payload: &[u8]) -> Option<Digest> {
    if payload.len() != 71 {
        return None;
    }
    str::from_utf8(payload).ok()?.parse().ok()
}

/// The payload type of in-toto statements in DSSE.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_the_carrier_decides_the_reading() {
        let hex = "0b".repeat(32);
        let image_id = format!("sha256:{hex}");
        let simple = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{image_id}"}},"type":"cosign container image signature"}}}}"#
        );
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{hex}"}}}}],"predicateType":"x"}}"#
        );
        let in_dsse = Carrier::Dsse(IN_TOTO);
        let cosign = Carrier::Dsse("application/vnd.dev.cosign.simplesigning.v1+json");
        let newline = format!("{image_id}\n");
        let metadata = statement.replace(
            r#""predicateType":"x""#,
            &format!(
                r#""predicateType":"{PREDICATE_TYPE}","predicate":{{"type":"a","mediaType":"text/plain","digest":"{}","size":2,"created":"2026-01-02T03:04:05Z"}}"#,
                Digest::sha256(b"ok")
            ),
        );
        let with = |value| Carrier::Metadata(IN_TOTO, value);
        let notary = Carrier::Jws("application/vnd.cncf.notary.payload.v1+json");
        let target =
            format!(r#"{{"targetArtifact":{{"digest":"{image_id}","mediaType":"m","size":1}}}}"#);
        for (name, carrier, payload, want) in [
            ("simple signing", Carrier::Plain, &simple, Ok("simple signing")),
            ("image ID", Carrier::Plain, &image_id, Ok("image ID")),
            ("statement", in_dsse, &statement, Ok("statement")),
            ("statement, not in DSSE", Carrier::Plain, &statement, Err("the document")),
            ("simple signing in DSSE", in_dsse, &simple, Err("no in-toto statement")),
            ("simple signing in DSSE, so typed", cosign, &simple, Err("none that is read")),
            ("statement in DSSE, typed otherwise", cosign, &statement, Err("none that is read")),
            ("statement in DSSE, untyped", Carrier::Dsse(""), &statement, Err("none that is read")),
            (
                "type in capitals",
                Carrier::Dsse("Application/vnd.in-toto+json"),
                &statement,
                Err("none that is read"),
            ),
            ("metadata", with(b"ok"), &metadata, Ok("metadata")),
            ("metadata of another value", with(b"no"), &metadata, Err("is not sha256:")),
            ("metadata without a value", in_dsse, &metadata, Err("stands nowhere beside it")),
            ("another statement, with a value", with(b"ok"), &statement, Err("not about metadata")),
            (
                "metadata, typed otherwise",
                Carrier::Metadata("", b"ok"),
                &metadata,
                Err("none that is read"),
            ),
            ("descriptor", notary, &target, Ok("descriptor")),
            ("descriptor, typed otherwise", Carrier::Jws(IN_TOTO), &target, Err("content type")),
            ("descriptor alone", Carrier::Plain, &target, Err("the document")),
            ("descriptor in DSSE", in_dsse, &target, Err("no in-toto statement")),
            ("statement in a web signature", notary, &statement, Err("unknown field")),
            ("simple signing in a web signature", notary, &simple, Err("unknown field")),
            ("image ID in DSSE", in_dsse, &image_id, Err("no JSON")),
            ("image ID with a newline", Carrier::Plain, &newline, Err("no JSON")),
        ] {
            let got = Meaning::of(carrier, payload.as_bytes());
            match (&got, want) {
                (Ok(Meaning::SimpleSigning(_)), Ok("simple signing"))
                | (Ok(Meaning::ImageId(_)), Ok("image ID"))
                | (Ok(Meaning::Statement(_)), Ok("statement"))
                | (Ok(Meaning::Metadata { .. }), Ok("metadata"))
                | (Ok(Meaning::Target(_)), Ok("descriptor")) => {}
                (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                _ => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
