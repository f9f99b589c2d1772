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
    let mut occurrence = json!({
        "resource": {
            "uri": ResourceUri::written_for(&attestation.image.repository, attestation.image.digest),
        },
        "noteName": note.as_str(),
        "kind": "ATTESTATION",
        "attestation": {"attestation": details(attestation, api)?},
    });
    // Servers ask for details; what is signed is the envelope.
    if let (Some(members), Signed::Dsse(envelope)) =
        (occurrence.as_object_mut(), &attestation.signed)
    {
        members.insert("envelope".into(), json!(envelope));
    }
    Ok(occurrence)
}

fn details(attestation: &Attestation, api: Version) -> Result<Value, SigningKeyError> {
    let key_id = attestation.signer.to_string();
    let generic = |signatures: Value| {
        json!({"genericSignedAttestation": {
            "contentType": "SIMPLE_SIGNING_JSON",
            "serializedPayload": STANDARD.encode(&attestation.payload),
            "signatures": signatures,
        }})
    };
    let as_generic = |armor: &str| {
        generic(json!([{"signature": STANDARD.encode(armor), "publicKeyId": key_id}]))
    };
    Ok(match &attestation.signed {
        Signed::Dsse(envelope) => {
            let signatures = envelope.signatures().iter().map(
                |one| json!({"signature": STANDARD.encode(&one.signature), "publicKeyId": key_id}),
            );
            json!({"genericSignedAttestation": {
                "serializedPayload": STANDARD.encode(envelope.payload()),
                "signatures": signatures.collect::<Vec<_>>(),
            }})
        }
        Signed::OpenPgpMessage(message) => {
            let armor = armored(message, armor::Kind::Message)?;
            match api {
                Version::V1Beta1 => json!({"pgpSignedAttestation": {
                    "signature": armor,
                    "contentType": "SIMPLE_SIGNING_JSON",
                    "pgpKeyId": key_id,
                }}),
                Version::V1 => as_generic(&armor),
            }
        }
        Signed::Raw { signatures, .. } => {
            let signatures = signatures.iter().map(
                |one| json!({"signature": STANDARD.encode(&one.bytes), "publicKeyId": one.key_id}),
            );
            generic(signatures.collect())
        }
        Signed::OpenPgpDetached(signature) => {
            let armor = armored(signature, armor::Kind::Signature)?;
            match api {
                // The short key ID, and no content type, as ocibuilder writes them.
                Version::V1Beta1 => json!({"pgpSignedAttestation": {
                    "signature": armor,
                    "pgpKeyId": key_id.get(key_id.len().saturating_sub(16)..),
                }}),
                Version::V1 => as_generic(&armor),
            }
        }
        Signed::Metadata { .. }
        | Signed::Certified { .. }
        | Signed::Jws(_)
        | Signed::Unsupported { .. } => {
            return Err(SigningKeyError::fault("it stays in the registry and makes no occurrence"));
        }
    })
}

fn armored(message: &[u8], kind: armor::Kind) -> Result<String, SigningKeyError> {
    let mut writer = Writer::new(Vec::new(), kind).map_err(SigningKeyError::fault)?;
    writer.write_all(message).map_err(SigningKeyError::fault)?;
    let armored = writer.finalize().map_err(SigningKeyError::fault)?;
    String::from_utf8(armored).map_err(SigningKeyError::fault)
}
