//! Sigstore bundles: an envelope and what is needed to verify it, in one document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::certified;
use crate::{
    attest::{BadEnvelope, BadJson, Envelope, Signed, json::parse_json},
    name::Code,
};

/// Why bytes are no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BadBundle {
    #[error(transparent)]
    Json(#[from] BadJson),
    #[error("no sigstore bundle: {0}")]
    Shape(serde_json::Error),
    #[error("{0:?} is no version of the sigstore bundle that is read here")]
    Version(String),
    #[error("it holds neither an envelope nor a signature, or both")]
    Content,
    #[error("its envelope has {count} signatures, and a bundle has one")]
    Signatures { count: usize },
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
}

/// What a bundle carries. Its log entries and timestamps are not read: they say when something was
/// signed, and nothing here rests on that.
///
/// # Errors
/// [`BadBundle`] says what is wrong.
pub fn read_bundle(bytes: &[u8]) -> Result<Signed, BadBundle> {
    let document = parse_json(bytes, MAX_SIZE)?;
    let wire: Wire = serde_json::from_value(document).map_err(BadBundle::Shape)?;
    if !VERSIONS.contains(&wire.media_type.as_str()) {
        return Err(BadBundle::Version(wire.media_type));
    }
    let signed = match (wire.dsse_envelope, wire.message_signature) {
        (Some(envelope), None) => {
            let envelope = serde_json::to_vec(&envelope).map_err(BadBundle::Shape)?;
            let envelope = Envelope::parse(&envelope)?;
            let count = envelope.signatures().len();
            if count != 1 {
                return Err(BadBundle::Signatures { count });
            }
            Signed::Dsse(envelope)
        }
        (None, Some(_)) => {
            let detail = "the bundle signs a message that it does not carry, and no message but \
                          simple signing or a statement means anything here";
            let (format, code) = ("sigstore-bundle", Code::PayloadMalformed);
            Signed::Unsupported { format, code, detail: detail.to_owned() }
        }
        _ => return Err(BadBundle::Content),
    };
    Ok(match wire.verification_material.leaf() {
        Some(leaf) => certified(STANDARD.decode(leaf).as_deref(), signed),
        None => signed,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    #[serde(default)]
    verification_material: Material,
    dsse_envelope: Option<Value>,
    message_signature: Option<Value>,
}

/// Besides a hint which key it was, which is not needed: all are tried.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<Certificate>,
    x509_certificate_chain: Option<Chain>,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

impl Material {
    /// The certificate of the key that is said to have signed.
    fn leaf(&self) -> Option<&str> {
        let chain = self.x509_certificate_chain.iter().flat_map(|chain| &chain.certificates);
        self.certificate.iter().chain(chain).map(|one| one.raw_bytes.as_str()).next()
    }
}

/// An envelope of full size, with its proofs.
const MAX_SIZE: usize = 12 * 1024 * 1024;

const VERSIONS: [&str; 4] = [
    super::BUNDLE,
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_an_envelope_with_one_signature() {
        let version = super::super::BUNDLE;
        let bundle = |version: &str, rest: &str| {
            let key = r#""verificationMaterial":{"publicKey":{"hint":"x"}}"#;
            format!(r#"{{"mediaType":"{version}",{key},{rest}}}"#)
        };
        let signed = |signatures: &str| {
            format!(
                r#""dsseEnvelope":{{"payloadType":"t","payload":"","signatures":[{signatures}]}}"#
            )
        };
        let one = signed(r#"{"sig":"AA=="}"#);
        let old = "application/vnd.dev.sigstore.bundle+json;version=0.2";
        for (name, text, want) in [
            ("envelope", bundle(version, &one), Ok("dsse")),
            ("older", bundle(old, &one), Ok("dsse")),
            ("message", bundle(version, r#""messageSignature":{}"#), Ok("sigstore-bundle")),
            (
                "newer",
                bundle("application/vnd.dev.sigstore.bundle.v0.9+json", &one),
                Err("no version"),
            ),
            (
                "two signatures",
                bundle(version, &signed(r#"{"sig":"AA=="},{"sig":"AA=="}"#)),
                Err("2 signatures"),
            ),
            ("none", bundle(version, &signed("")), Err("0 signatures")),
            ("nothing", bundle(version, r#""x":0"#), Err("neither an envelope")),
            (
                "both",
                bundle(version, &format!(r#"{one},"messageSignature":{{}}"#)),
                Err("neither an envelope"),
            ),
            ("envelope twice", bundle(version, &format!("{one},{one}")), Err("appears twice")),
            ("no bundle", "{}".into(), Err("missing field")),
        ] {
            match (read_bundle(text.as_bytes()), want) {
                (Ok(signed), Ok(want)) => assert_eq!(signed.format(), want, "{name}"),
                (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
