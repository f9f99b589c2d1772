//! What gets signed, and envelopes for it, made without the product's help.

use serde_json::{Value, json};

use crate::{base64, key::Key};

/// A simple signing payload, the bytes that Kritis and `countersign sign` sign.
pub fn simple_signing(repository: &str, digest: &str) -> Vec<u8> {
    simple_signing_of("atomic container signature", repository, digest)
}

/// The same with another `critical.type`.
pub fn simple_signing_of(kind: &str, reference: &str, digest: &str) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": digest},
            "type": kind,
        },
    });
    payload.to_string().into_bytes()
}

/// An in-toto statement (v1) about one subject. `digest` is `algorithm:hex`.
pub fn statement(predicate_type: &str, name: &str, digest: &str, predicate: Value) -> Value {
    let (algorithm, hex) = digest.split_once(':').expect("a digest with its algorithm");
    let mut statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {algorithm: hex}}],
        "predicateType": predicate_type,
    });
    statement["predicate"] = predicate;
    statement
}

/// DSSE's pre-authentication encoding: what is signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (kind, length) = (payload_type, payload.len());
    let mut bytes = format!("DSSEv1 {} {kind} {length} ", kind.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// A DSSE envelope around `payload` with signatures that are at hand: (key id, bytes).
pub fn envelope(payload_type: &str, payload: &[u8], signatures: &[(&str, &[u8])]) -> Value {
    let listed = signatures.iter().map(|(keyid, sig)| json!({"keyid": keyid, "sig": base64(sig)}));
    json!({
        "payload": base64(payload),
        "payloadType": payload_type,
        "signatures": listed.collect::<Vec<_>>(),
    })
}

/// A DSSE envelope around a statement, signed by each of these keys: detached binary OpenPGP
/// signatures over the PAE, `keyid` the fingerprint.
pub fn signed_statement(statement: &Value, keys: &[&Key]) -> Value {
    let payload = statement.to_string().into_bytes();
    let pae = pae(IN_TOTO, &payload);
    let signed = keys.iter().map(|key| (key.fingerprint(), key.sign_detached(&pae)));
    let signed: Vec<(String, Vec<u8>)> = signed.collect();
    let listed: Vec<(&str, &[u8])> =
        signed.iter().map(|(keyid, sig)| (keyid.as_str(), sig.as_slice())).collect();
    envelope(IN_TOTO, &payload, &listed)
}

/// The payload type of in-toto statements in DSSE.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
