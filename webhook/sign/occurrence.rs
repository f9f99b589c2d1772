//! Attestations as Grafeas v1beta1 occurrences, in the shape that Kritis and Voucher read.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sequoia_openpgp::armor::{self, Writer};
use serde_json::{Value, json};

use crate::{
    attest::{Signed, grafeas::ResourceUri},
    name::{NoteName, PinnedImage},
};

use super::{SigningKey, SigningKeyError};

/// The occurrence that carries `signed`, an attestation of `image` by `key`.
pub fn of(
    image: &PinnedImage,
    note: &NoteName,
    key: &SigningKey,
    signed: &Signed,
) -> Result<Value, SigningKeyError> {
    let mut occurrence = json!({
        "resource": {"uri": ResourceUri::written_for(&image.repository, image.digest)},
        "noteName": note.as_str(),
        "kind": "ATTESTATION",
    });
    let (attestation, envelope) = match signed {
        Signed::Dsse(envelope) => (
            // Servers ask for details; what is signed is the envelope.
            json!({"genericSignedAttestation": {
                "serializedPayload": STANDARD.encode(envelope.payload()),
                "signatures": envelope.signatures().iter().map(|signature| json!({
                    "signature": STANDARD.encode(&signature.signature),
                    "publicKeyId": key.fingerprint().to_string(),
                })).collect::<Vec<_>>(),
            }}),
            Some(json!(envelope)),
        ),
        Signed::OpenPgpMessage(message) => (
            json!({"pgpSignedAttestation": {
                "signature": armored(message)?,
                "contentType": "SIMPLE_SIGNING_JSON",
                "pgpKeyId": key.fingerprint().to_string(),
            }}),
            None,
        ),
        _ => (Value::Null, None),
    };
    if let Some(members) = occurrence.as_object_mut() {
        members.insert("attestation".into(), json!({"attestation": attestation}));
        members.extend(envelope.map(|envelope| ("envelope".to_owned(), envelope)));
    }
    Ok(occurrence)
}

fn armored(message: &[u8]) -> Result<String, SigningKeyError> {
    let mut writer =
        Writer::new(Vec::new(), armor::Kind::Message).map_err(SigningKeyError::fault)?;
    writer.write_all(message).map_err(SigningKeyError::fault)?;
    let armored = writer.finalize().map_err(SigningKeyError::fault)?;
    String::from_utf8(armored).map_err(SigningKeyError::fault)
}
