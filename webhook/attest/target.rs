//! What the Notary Project signs: the descriptor of a manifest.

use serde::Deserialize;
use serde_json::Value;

use super::json::{BadJson, parse_json};
use crate::name::{BadDigest, Digest};

/// The manifest that a signature is about, by its descriptor. It names no repository.
#[derive(Clone, Debug)]
pub struct Target {
    pub digest: Digest,
    pub media_type: String,
    /// The payload as it was signed, annotations of the signer's included.
    pub payload: Value,
}

/// Why a payload is none of the Notary Project's.
#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    #[error(transparent)]
    Json(#[from] BadJson),
    #[error("no payload of the Notary Project: {0}")]
    Shape(serde_json::Error),
    #[error("targetArtifact.digest {text:?} is no digest")]
    Digest { text: String, source: BadDigest },
    #[error("content type {0:?} is none of the Notary Project's")]
    ContentType(String),
}

impl Target {
    /// Reads a payload of this content type.
    ///
    /// # Errors
    /// [`BadTarget`] says what is wrong.
    pub fn parse(content_type: &str, payload: &[u8]) -> Result<Self, BadTarget> {
        if content_type != CONTENT_TYPE {
            return Err(BadTarget::ContentType(content_type.to_owned()));
        }
        let payload = parse_json(payload, MAX_SIZE)?;
        let Wire { target } = Wire::deserialize(&payload).map_err(BadTarget::Shape)?;
        let digest = target
            .digest
            .parse()
            .map_err(|source| BadTarget::Digest { text: target.digest.clone(), source })?;
        Ok(Self { digest, media_type: target.media_type, payload })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "targetArtifact")]
    target: Descriptor,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    media_type: String,
    /// It must be there. The digest covers every byte, so that it says nothing more.
    #[serde(rename = "size")]
    _size: u64,
}

const CONTENT_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// The largest payload: a descriptor with a person's annotations.
const MAX_SIZE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_one_descriptor_and_nothing_else() {
        let hex = "0b".repeat(32);
        let payload = |rest: &str| {
            format!(r#"{{"targetArtifact":{{"digest":"sha256:{hex}","mediaType":"m"{rest}}}}}"#)
        };
        let good = payload(r#","size":401,"annotations":{"a":"b"}"#);
        for (name, kind, text, want) in [
            ("a descriptor", CONTENT_TYPE, good.clone(), None),
            ("of another type", "application/json", good.clone(), Some("content type")),
            ("without its size", CONTENT_TYPE, payload(""), Some("missing field")),
            ("of no size", CONTENT_TYPE, payload(r#","size":-1"#), Some("no payload")),
            ("twice", CONTENT_TYPE, payload(r#","size":1,"mediaType":"n""#), Some("appears twice")),
            ("no digest", CONTENT_TYPE, good.replace("sha256", "sha1"), Some("is no digest")),
            ("more", CONTENT_TYPE, good.replace("}}}", "}},\"x\":1}"), Some("unknown field")),
        ] {
            match (Target::parse(kind, text.as_bytes()), want) {
                (Ok(target), None) => assert_eq!(target.media_type, "m", "{name}"),
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
