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
//! | DSSE, type `application/vnd.in-toto+json` | any | in-toto statement, or malformed |
//! | DSSE, any other type | any | malformed |
//!
//! Signatures over the payload are what an occurrence has beside `serializedPayload`, and what a
//! layer of cosign's has in an annotation. An envelope is the same whether an occurrence, a layer or
//! a sigstore bundle brings it; a bundle's signature over a message that it does not bring means
//! nothing.

use super::{BadSimpleSigning, BadStatement, SimpleSigning, Statement};
use crate::name::Digest;

/// What carries a signature and its payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier<'a> {
    /// A signature over the payload's own bytes: the literal of a signed OpenPGP message, or a
    /// payload beside its signatures.
    Plain,
    /// A DSSE envelope with this payload type.
    Dsse(&'a str),
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
}

/// Why a signed payload means nothing to us.
#[derive(Debug, thiserror::Error)]
pub enum BadMeaning {
    #[error(transparent)]
    SimpleSigning(#[from] BadSimpleSigning),
    #[error(transparent)]
    Statement(#[from] BadStatement),
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
            Carrier::Dsse(IN_TOTO) => Ok(Self::Statement(Statement::parse(payload)?)),
            Carrier::Dsse(other) => Err(BadMeaning::PayloadType(other.to_owned())),
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
            ("image ID in DSSE", in_dsse, &image_id, Err("no JSON")),
            ("image ID with a newline", Carrier::Plain, &newline, Err("no JSON")),
        ] {
            let got = Meaning::of(carrier, payload.as_bytes());
            match (&got, want) {
                (Ok(Meaning::SimpleSigning(_)), Ok("simple signing"))
                | (Ok(Meaning::ImageId(_)), Ok("image ID"))
                | (Ok(Meaning::Statement(_)), Ok("statement")) => {}
                (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                _ => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
