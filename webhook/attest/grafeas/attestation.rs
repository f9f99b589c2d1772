//! Signed contents of an occurrence, unwrapped.
//!
//! Four OpenPGP wrappings are in use, and neither the armor's label nor the member that holds them
//! tells which one it is: Kritis and Voucher write attached messages under `BEGIN PGP SIGNATURE`,
//! old Kritis wraps the armor in base64 again, Kritis' signer puts it into a generic attestation
//! without payload, and ocibuilder writes a detached signature over the image ID. The packets
//! decide.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use sequoia_openpgp::{
    packet::Tag,
    parse::{PacketParser, PacketParserResult, Parse as _},
};
use serde_json::Value;

use crate::{
    attest::{Envelope, RawSignature, Signed},
    name::Code,
};

/// All signed contents that an occurrence's details and its top-level envelope hold.
///
/// Writers that store an envelope repeat its payload and signatures in the details, because servers
/// ask for some; the envelope then says what those signatures cover, and is what gets verified.
///
/// # Errors
/// What is wrong with them, in words for a person.
pub(super) fn signed(
    details: Option<&(&'static str, Value)>,
    envelope: Option<&Value>,
) -> Result<Vec<Signed>, String> {
    let mut signed = match details {
        Some(("attestation", details)) => attestation(details, envelope.is_some())?,
        Some(("dsseAttestation", details)) => from_envelope(&outer(member(details, "envelope")?)?),
        _ => Vec::new(),
    };
    if let Some(envelope) = envelope {
        let outer = outer(envelope)?;
        signed.retain(
            |one| !matches!(one, Signed::Raw { payload, .. } if payload == outer.payload()),
        );
        signed.extend(from_envelope(&outer));
    }
    Ok(signed)
}

fn attestation(details: &Value, has_envelope: bool) -> Result<Vec<Signed>, String> {
    // v1beta1 nests one level more than v1.
    let details = details.get("attestation").filter(|inner| !inner.is_null()).unwrap_or(details);
    if let Some(pgp) = details.get("pgpSignedAttestation").filter(|pgp| !pgp.is_null()) {
        return Ok(vec![pgp_signed(pgp)?]);
    }
    let generic = details.get("genericSignedAttestation").filter(|generic| !generic.is_null());
    let signed = generic_signed(generic.unwrap_or(details))?;
    if signed.is_empty() && !has_envelope {
        return Err("has an attestation without any signature".into());
    }
    Ok(signed)
}

/// `pgpSignedAttestation`: the signature is armor, or armor in base64.
fn pgp_signed(pgp: &Value) -> Result<Signed, String> {
    let text = text(pgp, "signature")?.trim();
    let bytes = if text.starts_with("-----BEGIN") {
        Bytes::copy_from_slice(text.as_bytes())
    } else {
        decode("signature", text)?
    };
    Ok(open_pgp(bytes))
}

/// `genericSignedAttestation` of v1beta1 and `attestation` of v1.
///
/// With a payload the signatures are over that payload and nothing else, whatever they bring along.
/// Without one each signature must be an OpenPGP message.
fn generic_signed(generic: &Value) -> Result<Vec<Signed>, String> {
    let payload = decode("serializedPayload", optional_text(generic, "serializedPayload")?)?;
    let mut signatures = Vec::new();
    for signature in list(generic, "signatures")? {
        let bytes = decode("signature", text(signature, "signature")?)?;
        let key_id = optional_text(signature, "publicKeyId")?;
        signatures
            .push(RawSignature { bytes, key_id: (!key_id.is_empty()).then(|| key_id.to_owned()) });
    }
    let mut signed = if signatures.is_empty() {
        Vec::new()
    } else if payload.is_empty() {
        signatures.into_iter().map(|signature| open_pgp(signature.bytes)).collect()
    } else {
        vec![Signed::Raw { payload, signatures }]
    };
    if !list(generic, "jwts")?.is_empty() {
        let detail = "JSON web tokens are not read as attestations".to_owned();
        let code = Code::SignatureUnknownKey;
        signed.push(Signed::Unsupported { format: "jwt", code, detail });
    }
    Ok(signed)
}

/// A DSSE envelope, and what Tekton Chains makes of one: around simple signing it stores a plain
/// signature over the payload, around a statement the whole signed envelope as the signature.
fn from_envelope(outer: &Envelope) -> Vec<Signed> {
    if outer.payload_type() == SIMPLE_SIGNING {
        let signatures = outer.signatures().iter().map(|signature| RawSignature {
            bytes: signature.signature.clone(),
            key_id: signature.key_id.clone(),
        });
        return vec![Signed::Raw {
            payload: outer.payload().clone(),
            signatures: signatures.collect(),
        }];
    }
    let inner: Vec<_> = outer
        .signatures()
        .iter()
        .filter_map(|signature| Envelope::parse(&signature.signature).ok())
        .filter(|inner| {
            inner.payload() == outer.payload() && inner.payload_type() == outer.payload_type()
        })
        .map(Signed::Dsse)
        .collect();
    if inner.is_empty() { vec![Signed::Dsse(outer.clone())] } else { inner }
}

fn outer(envelope: &Value) -> Result<Envelope, String> {
    let bytes = serde_json::to_vec(envelope).map_err(|error| error.to_string())?;
    Envelope::parse(&bytes)
        .map_err(|error| format!("has an envelope that is not readable: {error}"))
}

/// Attached or detached, by the packets: nothing but signatures is a detached signature. What is
/// no OpenPGP at all is left for the verifier to reject.
fn open_pgp(bytes: Bytes) -> Signed {
    if only_signatures(&bytes) {
        Signed::OpenPgpDetached(bytes)
    } else {
        Signed::OpenPgpMessage(bytes)
    }
}

fn only_signatures(bytes: &[u8]) -> bool {
    let mut any = false;
    let mut next = PacketParser::from_bytes(bytes);
    loop {
        match next {
            Ok(PacketParserResult::Some(parser)) if parser.packet.tag() == Tag::Signature => {
                any = true;
                next = parser.next().map(|(_, rest)| rest);
            }
            Ok(PacketParserResult::EOF(_)) => return any,
            _ => return false,
        }
    }
}

fn member<'a>(object: &'a Value, name: &str) -> Result<&'a Value, String> {
    object.get(name).ok_or_else(|| format!("has no {name}"))
}

fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, String> {
    match optional_text(object, name)? {
        "" => Err(format!("has no {name}")),
        text => Ok(text),
    }
}

fn optional_text<'a>(object: &'a Value, name: &str) -> Result<&'a str, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("has a {name} that is no text")),
    }
}

fn list<'a>(object: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("has {name} that are no list")),
    }
}

/// Bytes in protocol buffers' JSON: base64 of either alphabet, padded or not.
fn decode(name: &str, text: &str) -> Result<Bytes, String> {
    let engine = if text.contains(['-', '_']) { &URL } else { &STANDARD };
    let text: String = text.split_ascii_whitespace().collect();
    engine.decode(text).map(Bytes::from).map_err(|_| format!("has a {name} that is not base64"))
}

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// The payload type under which cosign and Tekton Chains carry simple signing.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
