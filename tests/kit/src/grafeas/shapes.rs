//! Occurrences as writers post them.

use serde_json::{Value, json};

use crate::base64;

/// A v1beta1 attestation in OpenPGP: `signature` is an attached message, armored (or whatever is
/// to be tried in its place).
pub fn attestation_pgp(uri: &str, note: &str, signature: &str, key_id: &str) -> Value {
    let signed = json!({
        "signature": signature,
        "contentType": "SIMPLE_SIGNING_JSON",
        "pgpKeyId": key_id,
    });
    let details = json!({"attestation": {"pgpSignedAttestation": signed}});
    occurrence(uri, note, "ATTESTATION", "attestation", details)
}

/// A v1beta1 generic attestation: a payload, and signatures over it with their key ids.
pub fn attestation_generic(
    uri: &str,
    note: &str,
    payload: &[u8],
    signatures: &[(&[u8], &str)],
) -> Value {
    let signed = json!({
        "contentType": "SIMPLE_SIGNING_JSON",
        "serializedPayload": base64(payload),
        "signatures": listed(signatures),
    });
    let details = json!({"attestation": {"genericSignedAttestation": signed}});
    occurrence(uri, note, "ATTESTATION", "attestation", details)
}

/// A v1 attestation: a payload, and signatures over it with their key ids.
pub fn attestation_v1(
    uri: &str,
    note: &str,
    payload: &[u8],
    signatures: &[(&[u8], &str)],
) -> Value {
    let signed = json!({
        "serializedPayload": base64(payload),
        "signatures": listed(signatures),
    });
    json!({
        "resourceUri": uri,
        "noteName": note,
        "kind": "ATTESTATION",
        "attestation": signed,
    })
}

/// A v1beta1 build record of that artifact from that commit.
pub fn build_occurrence(uri: &str, note: &str, repository: &str, revision: &str) -> Value {
    let checksum = uri.rsplit_once('@').map_or("", |(_, digest)| digest);
    let provenance = json!({
        "id": "build-1",
        "projectId": "kit",
        "builtArtifacts": [{"checksum": checksum, "id": uri, "names": [uri]}],
        "createTime": "2026-01-02T03:04:05Z",
        "creator": "ci@example.test",
        "sourceProvenance": {"context": {"git": {"url": repository, "revisionId": revision}}},
        "builderVersion": "1",
    });
    occurrence(uri, note, "BUILD", "build", json!({"provenance": provenance}))
}

/// A v1beta1 vulnerability record: `HIGH`, `CRITICAL`, …, with a fix or without.
pub fn vulnerability_occurrence(uri: &str, note: &str, severity: &str, fixable: bool) -> Value {
    let version = |name: &str| json!({"name": name, "revision": "1", "kind": "NORMAL"});
    let at = |version: Value| json!({"cpeUri": "cpe:/o:debian:debian_linux:12", "package": "openssl", "version": version});
    let mut issue = json!({"affectedLocation": at(version("3.0.11"))});
    if fixable {
        issue["fixedLocation"] = at(version("3.0.13"));
    }
    let details = json!({
        "type": "os",
        "severity": severity,
        "effectiveSeverity": severity,
        "packageIssue": [issue],
    });
    occurrence(uri, note, "VULNERABILITY", "vulnerability", details)
}

/// Any v1beta1 occurrence: `field` is the member that holds its details.
pub fn occurrence(uri: &str, note: &str, kind: &str, field: &str, details: Value) -> Value {
    let mut occurrence = json!({"resource": {"uri": uri}, "noteName": note, "kind": kind});
    occurrence[field] = details;
    occurrence
}

fn listed(signatures: &[(&[u8], &str)]) -> Vec<Value> {
    let one = |(bytes, key_id): &(&[u8], &str)| json!({"signature": base64(bytes), "publicKeyId": key_id});
    signatures.iter().map(one).collect()
}
