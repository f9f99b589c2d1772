//! An attestation or a record as a file.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Attestation, Claim, Entry, Record, RecordKind, RecordNote};
use crate::{
    attest::{
        BadEnvelope, BadMeaning, BadStatement, Carrier, Envelope, IN_TOTO, Meaning, RawSignature,
        Signed, Statement,
    },
    name::{Fingerprint, NoteName, PinnedImage},
};

/// The file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packed {
    version: u32,
    image: PinnedImage,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<PackedAttestation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<PackedRecord>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackedAttestation {
    predicate_type: String,
    signer: Fingerprint,
    created: Timestamp,
    /// What was signed, for people and for checking.
    payload: String,
    signed: PackedSignature,
}

/// The carrier of the signature.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum PackedSignature {
    /// An OpenPGP message, in base64.
    Message(String),
    /// A DSSE envelope.
    Envelope(Value),
    /// Signatures over the payload, in base64.
    Raw(Vec<PackedRaw>),
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackedRaw {
    signature: String,
    key_id: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackedRecord {
    kind: RecordKind,
    /// The note, where the signer named it; else whoever publishes does.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<NoteName>,
    /// The vulnerability that the note is named after.
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerability: Option<String>,
    note_details: Value,
    details: Value,
}

/// Why a file is none of ours.
#[derive(Debug, thiserror::Error)]
pub enum BadPacked {
    #[error("{0}")]
    Json(serde_json::Error),
    #[error(
        "it is of version {0}, of which nothing is known here; publish it with the program that wrote it"
    )]
    Version(u32),
    #[error("it holds neither an attestation nor a record")]
    Empty,
    #[error("its {0} is not base64")]
    Base64(&'static str),
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    #[error(transparent)]
    Meaning(#[from] BadMeaning),
    #[error(transparent)]
    Statement(#[from] BadStatement),
    #[error("a signature of the form {0} cannot wait in a folder; sign and publish in one run")]
    Form(&'static str),
    #[error("its payload is not what the envelope holds")]
    Payload,
    #[error("it says that its type is {said:?}, and its payload is {found:?}")]
    Type { said: String, found: String },
}

impl Packed {
    /// # Errors
    /// [`BadPacked::Form`] for a signature that stands beside neither its payload nor a statement.
    pub(super) fn of(attestation: &Attestation) -> Result<Self, BadPacked> {
        let signed = match &attestation.signed {
            Signed::Dsse(envelope) => {
                PackedSignature::Envelope(serde_json::to_value(envelope).map_err(BadPacked::Json)?)
            }
            Signed::Raw { signatures, .. } => PackedSignature::Raw(
                signatures
                    .iter()
                    .map(|one| PackedRaw {
                        signature: STANDARD.encode(&one.bytes),
                        key_id: one.key_id.clone(),
                    })
                    .collect(),
            ),
            Signed::OpenPgpMessage(bytes) => PackedSignature::Message(STANDARD.encode(bytes)),
            Signed::OpenPgpDetached(_)
            | Signed::Certified { .. }
            | Signed::Metadata { .. }
            | Signed::Jws(_)
            | Signed::Unsupported { .. } => {
                return Err(BadPacked::Form(attestation.signed.format()));
            }
        };
        let packed = PackedAttestation {
            predicate_type: attestation.claim.predicate_type().to_owned(),
            signer: attestation.signer,
            created: attestation.created,
            payload: STANDARD.encode(&attestation.payload),
            signed,
        };
        let image = attestation.image.clone();
        Ok(Self { version: VERSION, image, attestation: Some(packed), record: None })
    }

    pub(super) fn of_record(image: &PinnedImage, record: &Record) -> Self {
        let packed = PackedRecord {
            kind: record.kind,
            note: match &record.note {
                RecordNote::Named(note) => Some(note.clone()),
                RecordNote::Beside | RecordNote::Vulnerability(_) => None,
            },
            vulnerability: match &record.note {
                RecordNote::Vulnerability(id) => Some(id.clone()),
                RecordNote::Beside | RecordNote::Named(_) => None,
            },
            note_details: record.note_details.clone(),
            details: record.details.clone(),
        };
        Self { version: VERSION, image: image.clone(), attestation: None, record: Some(packed) }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BadPacked> {
        let packed: Self = serde_json::from_slice(bytes).map_err(BadPacked::Json)?;
        if packed.version == VERSION { Ok(packed) } else { Err(BadPacked::Version(packed.version)) }
    }

    pub(super) fn image(&self) -> &PinnedImage {
        &self.image
    }

    /// Adds what it holds to what is to be said about its image. What is signed is read from the
    /// signed bytes; whether the signature is good is checked before it is published.
    pub(super) fn unpack(self, entry: &mut Entry) -> Result<(), BadPacked> {
        match (self.attestation, self.record) {
            (Some(attestation), None) => entry.signed.push(attestation.unpack(&entry.image)?),
            (None, Some(record)) => entry.records.push(record.into()),
            _ => return Err(BadPacked::Empty),
        }
        Ok(())
    }
}

impl PackedAttestation {
    fn unpack(self, image: &PinnedImage) -> Result<Attestation, BadPacked> {
        let payload = decode(&self.payload, "payload")?;
        let (signed, claim) = match self.signed {
            PackedSignature::Message(message) => {
                (Signed::OpenPgpMessage(decode(&message, "message")?), simple(&payload)?)
            }
            PackedSignature::Raw(signatures) => {
                let signatures = signatures
                    .into_iter()
                    .map(|one| {
                        let bytes = decode(&one.signature, "signature")?;
                        Ok(RawSignature { bytes, key_id: one.key_id })
                    })
                    .collect::<Result<_, BadPacked>>()?;
                (Signed::Raw { payload: payload.clone(), signatures }, simple(&payload)?)
            }
            PackedSignature::Envelope(envelope) => {
                let envelope = Envelope::parse(envelope.to_string().as_bytes())?;
                if *envelope.payload() != payload || envelope.payload_type() != IN_TOTO {
                    return Err(BadPacked::Payload);
                }
                let Statement { predicate_type, predicate, .. } = Statement::parse(&payload)?;
                (Signed::Dsse(envelope), Claim::statement(&predicate_type, predicate))
            }
        };
        if claim.predicate_type() != self.predicate_type {
            let (said, found) = (self.predicate_type, claim.predicate_type().to_owned());
            return Err(BadPacked::Type { said, found });
        }
        Ok(Attestation {
            image: image.clone(),
            claim: Arc::new(claim),
            signer: self.signer,
            payload,
            signed,
            created: self.created,
        })
    }
}

impl From<PackedRecord> for Record {
    fn from(packed: PackedRecord) -> Self {
        let PackedRecord { kind, note, vulnerability, note_details, details } = packed;
        let note = match (note, vulnerability) {
            (Some(note), _) => RecordNote::Named(note),
            (None, Some(id)) => RecordNote::Vulnerability(id),
            (None, None) => RecordNote::Beside,
        };
        Self { kind, note, note_details, details }
    }
}

/// The claim of a payload that travels in its own bytes: simple signing, or nothing that is signed
/// here.
fn simple(payload: &[u8]) -> Result<Claim, BadPacked> {
    match Meaning::of(Carrier::Plain, payload)? {
        Meaning::SimpleSigning(_) => Ok(Claim::SimpleSigning),
        _ => Err(BadPacked::Payload),
    }
}

fn decode(text: &str, what: &'static str) -> Result<Bytes, BadPacked> {
    STANDARD.decode(text).map(Bytes::from).map_err(|_| BadPacked::Base64(what))
}

/// Of the form of these files.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detached_signature_does_not_become_an_attestation_without_any() {
        let image = format!("registry.example/acme/shop@sha256:{}", "0".repeat(64));
        let attestation = Attestation {
            image: image.parse().unwrap(),
            claim: Claim::ImageId.into(),
            signer: "AB".repeat(20).parse().unwrap(),
            payload: Bytes::from_static(b"id"),
            signed: Signed::OpenPgpDetached(Bytes::from_static(b"signature")),
            created: Timestamp::UNIX_EPOCH,
        };
        let error = Packed::of(&attestation).unwrap_err().to_string();
        let want = "a signature of the form openpgp-detached cannot wait in a folder";
        assert!(error.starts_with(want), "{error}");
    }
}
