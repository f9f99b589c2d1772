//! Simple signing: a small JSON document that binds a name to a manifest digest.
//!
//! Specified by containers/image (`containers-signature.5`); Kritis, Voucher, Binary
//! Authorization, Tekton Chains and cosign write the same shape with their own `critical.type`.

use serde_json::{Map, Value};

use super::json::{BadJson, parse_json};
use crate::name::{BadDigest, Digest};

/// What one simple-signing document says.
#[derive(Clone, Debug)]
pub struct SimpleSigning {
    /// `critical.identity.docker-reference`, as the signer wrote it; empty where it names none.
    pub reference: String,
    /// `critical.image.docker-manifest-digest`.
    pub digest: Digest,
    /// `critical.type`.
    pub kind: SimpleSigningKind,
    /// `optional`, which anybody may fill as they like; `{}` where it is absent or null.
    pub optional: Value,
}

/// The spellings of `critical.type` that are in use. Others are another format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SimpleSigningKind {
    /// containers/image, Kritis, Voucher, and ourselves.
    Atomic,
    /// gcloud and the documentation of Binary Authorization.
    BinaryAuthorization,
    /// cosign and Tekton Chains.
    Cosign,
}

/// Why a payload is no simple signing.
#[derive(Debug, thiserror::Error)]
pub enum BadSimpleSigning {
    #[error(transparent)]
    Json(#[from] BadJson),
    /// A member is missing, of the wrong type, or one that nobody defined.
    #[error("{place} is not what simple signing has there: {what}")]
    Shape { place: &'static str, what: &'static str },
    #[error("critical.type {0:?} is no known kind of simple signing")]
    Kind(String),
    #[error("critical.image.docker-manifest-digest {text:?} is no digest")]
    Digest { text: String, source: BadDigest },
}

impl SimpleSigning {
    /// Reads a payload as strictly as containers/image does: exactly the members that it defines,
    /// each once, and no others beside them, with two liberties that other writers need:
    /// `optional` may be missing or null, and spacing is free.
    ///
    /// # Errors
    /// [`BadSimpleSigning`] says which member is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, BadSimpleSigning> {
        let Value::Object(mut top) = parse_json(payload, MAX_SIZE)? else {
            return Err(BadSimpleSigning::Shape { place: "the document", what: "not an object" });
        };
        let optional = match top.remove("optional") {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(optional @ Value::Object(_)) => optional,
            Some(_) => {
                return Err(BadSimpleSigning::Shape { place: "optional", what: "not an object" });
            }
        };
        let mut critical = only_member(Value::Object(top), "the document", "critical")?;
        let critical = critical.as_object_mut().ok_or(NOT_CRITICAL)?;
        let (Some(kind), Some(image), Some(identity), 0) = (
            critical.remove("type"),
            critical.remove("image"),
            critical.remove("identity"),
            critical.len(),
        ) else {
            return Err(NOT_CRITICAL);
        };
        let kind = kind.as_str().ok_or(NOT_CRITICAL)?.parse()?;
        let image = only_member(image, "critical.image", "docker-manifest-digest")?;
        let reference = only_member(identity, "critical.identity", "docker-reference")?;
        let (Value::String(digest), Value::String(reference)) = (image, reference) else {
            return Err(BadSimpleSigning::Shape { place: "critical", what: "names are strings" });
        };
        let digest =
            digest.parse().map_err(|source| BadSimpleSigning::Digest { text: digest, source })?;
        Ok(Self { reference, digest, kind, optional })
    }
}

impl std::str::FromStr for SimpleSigningKind {
    type Err = BadSimpleSigning;

    fn from_str(text: &str) -> Result<Self, BadSimpleSigning> {
        match text {
            "atomic container signature" => Ok(Self::Atomic),
            "Google cloud binauthz container signature"
            | "Google Cloud BinAuthz container signature" => Ok(Self::BinaryAuthorization),
            "cosign container image signature" => Ok(Self::Cosign),
            _ => Err(BadSimpleSigning::Kind(text.to_owned())),
        }
    }
}

/// Takes the one member that an object must have, and refuses any beside it.
fn only_member(
    object: Value,
    place: &'static str,
    member: &'static str,
) -> Result<Value, BadSimpleSigning> {
    let bad = BadSimpleSigning::Shape { place, what: "exactly one member is defined there" };
    let Value::Object(mut object) = object else { return Err(bad) };
    match (object.remove(member), object.len()) {
        (Some(value), 0) => Ok(value),
        _ => Err(bad),
    }
}

const NOT_CRITICAL: BadSimpleSigning =
    BadSimpleSigning::Shape { place: "critical", what: "exactly type, image and identity" };

/// The largest payload that is read; real ones have some 300 bytes, plus what `optional` holds.
const MAX_SIZE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a well-formed document says, with one part replaced.
    fn document(from: &str, to: &str) -> String {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let text = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"a.example/b"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"atomic container signature"}},"optional":{{"creator":"x"}}}}"#
        );
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    }

    #[test]
    fn p15_simple_signing_is_strict() {
        for (name, text, want) in [
            ("as written", document("", ""), None),
            ("spaced", document("{\"identity\"", "\n {\n\"identity\""), None),
            ("no optional", document(r#","optional":{"creator":"x"}"#, ""), None),
            ("optional null", document(r#"{"creator":"x"}"#, "null"), None),
            ("gcloud", document("atomic", "Google cloud binauthz"), None),
            ("gcloud, other spelling", document("atomic", "Google Cloud BinAuthz"), None),
            ("cosign", document("atomic container", "cosign container image"), None),
            ("no name", document("a.example/b", ""), None),
            ("optional a list", document(r#"{"creator":"x"}"#, "[]"), Some("optional is not")),
            ("unknown type", document("atomic", "atomic-ish"), Some("no known kind")),
            ("type in capitals", document("atomic", "ATOMIC"), Some("no known kind")),
            (
                "extra at the top",
                document("{\"critical\"", "{\"x\":1,\"critical\""),
                Some("the document"),
            ),
            (
                "extra in critical",
                document("{\"identity\"", "{\"x\":1,\"identity\""),
                Some("exactly type, image and identity"),
            ),
            (
                "extra in image",
                document("{\"docker-manifest", "{\"x\":1,\"docker-manifest"),
                Some("critical.image"),
            ),
            (
                "extra in identity",
                document("{\"docker-reference", "{\"x\":1,\"docker-reference"),
                Some("critical.identity"),
            ),
            (
                "member twice",
                document("{\"identity\"", "{\"type\":\"\",\"identity\""),
                Some("appears twice"),
            ),
            (
                "twice in optional",
                document(r#"{"creator":"x"}"#, r#"{"a":1,"a":2}"#),
                Some("appears twice"),
            ),
            ("trailing data", document("", "") + "x", Some("trailing")),
            ("digest in capitals", document("a1a1", "A1a1"), Some("is no digest")),
            ("reference a number", document("\"a.example/b\"", "7"), Some("names are strings")),
            ("a list", "[]".into(), Some("not an object")),
            (
                "a statement",
                r#"{"_type":"https://in-toto.io/Statement/v1"}"#.into(),
                Some("the document"),
            ),
        ] {
            match (SimpleSigning::parse(text.as_bytes()), want) {
                (Ok(_), None) => {}
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
