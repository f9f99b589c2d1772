//! DSSE envelopes: signatures that cover what the payload is together with the payload.
//!
//! Specified by secure-systems-lab/dsse, `protocol.md` and `envelope.md`.

use std::fmt;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

use super::json::{BadJson, parse_json};

/// A parsed envelope. The payload is decoded once, and those very bytes are what gets verified
/// and read.
#[derive(Clone, Eq, PartialEq)]
pub struct Envelope {
    payload_type: String,
    payload: Bytes,
    signatures: Vec<EnvelopeSignature>,
}

/// One signature over the [`pae`] of an envelope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvelopeSignature {
    /// A hint which key made it, not covered by any signature.
    pub key_id: Option<String>,
    /// An arbitrary signature format: here a detached OpenPGP signature or a PKIX one.
    pub signature: Bytes,
}

/// Why bytes are no DSSE envelope.
#[derive(Debug, thiserror::Error)]
pub enum BadEnvelope {
    #[error(transparent)]
    Json(#[from] BadJson),
    #[error("no DSSE envelope: {0}")]
    Shape(serde_json::Error),
    #[error("{member} of the DSSE envelope is no base64")]
    Base64 { member: &'static str },
    #[error("the DSSE envelope has {count} signatures, 1 to {MAX_SIGNATURES} are read")]
    Signatures { count: usize },
}

impl Envelope {
    /// An envelope around a payload, with the signatures that were made over its [`pae`].
    pub fn new(payload_type: String, payload: Bytes, signatures: Vec<EnvelopeSignature>) -> Self {
        Self { payload_type, payload, signatures }
    }

    /// Reads an envelope. Both base64 alphabets are taken, padded or not, as DSSE demands.
    ///
    /// # Errors
    /// [`BadEnvelope`] says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let document = parse_json(bytes, MAX_SIZE)?;
        let wire: Wire = serde_json::from_value(document).map_err(BadEnvelope::Shape)?;
        if wire.signatures.is_empty() || wire.signatures.len() > MAX_SIGNATURES {
            return Err(BadEnvelope::Signatures { count: wire.signatures.len() });
        }
        let payload = decode(&wire.payload).ok_or(BadEnvelope::Base64 { member: "payload" })?;
        let signatures = wire
            .signatures
            .into_iter()
            .map(|WireSignature { sig, keyid }| {
                let signature = decode(&sig).ok_or(BadEnvelope::Base64 { member: "sig" })?;
                Ok(EnvelopeSignature { key_id: keyid.filter(|id| !id.is_empty()), signature })
            })
            .collect::<Result<_, BadEnvelope>>()?;
        Ok(Self { payload_type: wire.payload_type, payload, signatures })
    }

    /// What the payload is, for whoever signed it.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }

    /// The bytes that every signature of this envelope covers.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

/// The pre-authentication encoding: type and payload with their lengths, so that neither can be
/// taken for a part of the other.
///
/// ```
/// # use countersign::attest::pae;
/// let signed = pae("http://example.com/HelloWorld", b"hello world");
/// assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
/// ```
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signatures: Vec<_> = self
            .signatures
            .iter()
            .map(|one| WireSignature {
                sig: STANDARD.encode(&one.signature),
                keyid: one.key_id.clone(),
            })
            .collect();
        let mut envelope = serializer.serialize_struct("Envelope", 3)?;
        envelope.serialize_field("payload", &STANDARD.encode(&self.payload))?;
        envelope.serialize_field("payloadType", &self.payload_type)?;
        envelope.serialize_field("signatures", &signatures)?;
        envelope.end()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Envelope")
            .field("payload_type", &self.payload_type)
            .field("payload", &self.payload.len())
            .field("signatures", &self.signatures.len())
            .finish()
    }
}

#[derive(Deserialize)]
struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize, Serialize)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

fn decode(text: &str) -> Option<Bytes> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok().map(Bytes::from)
}

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The largest envelope that is read: a statement of full size, in base64.
const MAX_SIZE: usize = 11 * 1024 * 1024;

/// More signatures than people put on anything; each costs at least one public-key operation.
const MAX_SIGNATURES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_of_both_alphabets_and_what_is_none() {
        let bytes = Bytes::from_static(&[0xfb, 0xff, 0xfe, 0x01]);
        let envelope = |payload: &str, rest: &str| {
            format!(r#"{{"payloadType":"t","payload":"{payload}","signatures":{rest}}}"#)
        };
        let one = r#"[{"sig":"AA=="}]"#;
        for (name, text, want) in [
            ("standard", envelope("+//+AQ==", one), None),
            ("url-safe", envelope("-__-AQ==", one), None),
            ("unpadded", envelope("-__-AQ", r#"[{"sig":"AA","keyid":""}]"#), None),
            ("mixed", envelope("+__+AQ==", one), Some("payload of the DSSE envelope")),
            ("bits left over", envelope("+//+AR==", one), Some("payload of the DSSE envelope")),
            ("spaced", envelope("+//+ AQ==", one), Some("payload of the DSSE envelope")),
            ("no signature", envelope("", "[]"), Some("0 signatures")),
            (
                "many",
                envelope("", &format!("[{}]", vec![r#"{"sig":""}"#; 17].join(","))),
                Some("17 signatures"),
            ),
            ("bad signature", envelope("", r#"[{"sig":"!"}]"#), Some("sig of the DSSE")),
            ("payload twice", envelope("", r#"[], "payload":"AA==""#), Some("appears twice")),
            ("no payload", r#"{"payloadType":"t","signatures":[]}"#.into(), Some("missing field")),
        ] {
            match (Envelope::parse(text.as_bytes()), want) {
                (Ok(envelope), None) => {
                    assert_eq!(envelope.payload(), &bytes, "{name}");
                    assert_eq!(envelope.signatures()[0].key_id, None, "{name}");
                    let written = serde_json::to_vec(&envelope).unwrap();
                    assert_eq!(Envelope::parse(&written).unwrap(), envelope, "{name}");
                }
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
