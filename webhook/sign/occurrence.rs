//! Attestations as Grafeas occurrences, in the shapes that Kritis, Voucher and Binary Authorization
//! read.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sequoia_openpgp::armor::{self, Writer};
use serde_json::{Value, json};

use super::{Attestation, SigningKeyError};
use crate::{
    attest::{
        Signed,
        grafeas::{ResourceUri, Version},
    },
    name::NoteName,
};

/// The occurrence that carries an attestation, in v1beta1's shape.
///
/// v1 has no member for an OpenPGP message: for it the message is a signature beside the payload
/// that it holds, as Binary Authorization documents it.
pub fn of(
    attestation: &Attestation,
    note: &NoteName,
    api: Version,
) -> Result<Value, SigningKeyError> {
    let image = &attestation.image;
    let key_id = attestation.signer.to_string();
    let generic = |signatures: Value| {
        json!({"genericSignedAttestation": {
            "contentType": "SIMPLE_SIGNING_JSON",
            "serializedPayload": STANDARD.encode(&attestation.payload),
            "signatures": signatures,
        }})
    };
    let (details, envelope) = match &attestation.signed {
        Signed::Dsse(envelope) => {
            // Servers ask for details; what is signed is the envelope.
            let signatures = envelope.signatures().iter().map(
                |one| json!({"signature": STANDARD.encode(&one.signature), "publicKeyId": key_id}),
            );
            let details = json!({"genericSignedAttestation": {
                "serializedPayload": STANDARD.encode(envelope.payload()),
                "signatures": signatures.collect::<Vec<_>>(),
            }});
            (details, Some(json!(envelope)))
        }
        Signed::OpenPgpMessage(message) => {
            let armor = armored(message, armor::Kind::Message)?;
            let details = match api {
                Version::V1Beta1 => json!({"pgpSignedAttestation": {
                    "signature": armor,
                    "contentType": "SIMPLE_SIGNING_JSON",
                    "pgpKeyId": key_id,
                }}),
                Version::V1 => generic(json!([
                    {"signature": STANDARD.encode(armor), "publicKeyId": key_id}
                ])),
            };
            (details, None)
        }
        Signed::Raw { signatures, .. } => {
            let signatures = signatures.iter().map(
                |one| json!({"signature": STANDARD.encode(&one.bytes), "publicKeyId": one.key_id}),
            );
            (generic(signatures.collect()), None)
        }
        Signed::OpenPgpDetached(signature) => {
            let armor = armored(signature, armor::Kind::Signature)?;
            let details = match api {
                // The short key ID, and no content type, as ocibuilder writes them.
                Version::V1Beta1 => json!({"pgpSignedAttestation": {
                    "signature": armor,
                    "pgpKeyId": key_id.get(key_id.len().saturating_sub(16)..),
                }}),
                Version::V1 => generic(json!([
                    {"signature": STANDARD.encode(armor), "publicKeyId": key_id}
                ])),
            };
            (details, None)
        }
        // Metadata stays beside its value, in the registry.
        Signed::Metadata { .. } | Signed::Certified { .. } | Signed::Unsupported { .. } => {
            (Value::Null, None)
        }
    };
    let mut occurrence = json!({
        "resource": {"uri": ResourceUri::written_for(&image.repository, image.digest)},
        "noteName": note.as_str(),
        "kind": "ATTESTATION",
        "attestation": {"attestation": details},
    });
    if let (Some(members), Some(envelope)) = (occurrence.as_object_mut(), envelope) {
        members.insert("envelope".into(), envelope);
    }
    Ok(occurrence)
}

fn armored(message: &[u8], kind: armor::Kind) -> Result<String, SigningKeyError> {
    let mut writer = Writer::new(Vec::new(), kind).map_err(SigningKeyError::fault)?;
    writer.write_all(message).map_err(SigningKeyError::fault)?;
    let armored = writer.finalize().map_err(SigningKeyError::fault)?;
    String::from_utf8(armored).map_err(SigningKeyError::fault)
}
