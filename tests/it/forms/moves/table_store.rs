//! The forms that lie in Grafeas servers, each with what comes of its twins.

use countersign_kit::{Carrier, Evidence, Form, Keys, base64, base64_decode};
use serde_json::{Value, json};

use super::{Code, Wants, table::signed};
use crate::verify_support::fixture;

const OPENPGP: Wants = Wants::in_store("signature.invalid");
const PKIX: Wants = Wants::in_store("signature.unknown-key");

const SHOP: Option<&str> = Some("docker.io/acme/shop");
const FINGERPRINT: &str = "DAEAAB61E62C14EB2689856A5B684FA25469970F";
const NI: &str = "ni:///sha-256;9nxbqWeHkhG4fKdmxy2YlNyDCiyPYt6g5YDCmQaO1nQ";
const KMS: &str = "//cloudkms.googleapis.com/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";

type Write = fn(&Evidence) -> Value;

/// `pgpSignedAttestation`, the armor as it is.
const PGP: Write = |evidence| {
    let signed = json!({"signature": evidence.armored(), "contentType": "SIMPLE_SIGNING_JSON", "pgpKeyId": FINGERPRINT});
    json!({"attestation": {"attestation": {"pgpSignedAttestation": signed}}})
};

/// The same, the armor in base64.
const PGP_IN_BASE64: Write = |evidence| {
    let mut occurrence = PGP(evidence);
    let signed = &mut occurrence["attestation"]["attestation"]["pgpSignedAttestation"];
    signed["signature"] = base64(evidence.armored().as_bytes()).into();
    occurrence
};

/// `genericSignedAttestation`.
const GENERIC: Write = |evidence| json!({"attestation": {"attestation": {"genericSignedAttestation": evidence.details(KMS)}}});

/// The same without a payload, the armor in base64.
const GENERIC_ARMOR: Write =
    |evidence| GENERIC(&Evidence::Message(evidence.armored().into_bytes()));

/// Of v1.
const V1: Write = |evidence| json!({"attestation": evidence.details(NI)});

/// Of v1, and beside the payload a message that holds it again.
const V1_MESSAGE: Write = |evidence| {
    let mut details = Evidence::Message(evidence.armored().into_bytes()).details(FINGERPRINT);
    details["serializedPayload"] = base64(&fixture("kritis/binauthz.json")).into();
    json!({"attestation": details})
};

pub fn rows() -> Vec<(Form, Wants)> {
    let message = |name: &str| Evidence::Message(fixture(&format!("kritis/{name}.asc")));
    let raw = |signature: &str| Evidence::Raw {
        payload: fixture("kritis/binauthz.json"),
        signature: fixture(&format!("kritis/{signature}.sig")),
    };
    let gpg = || Keys::OpenPgp(fixture("keys/gpg-test.pub.asc"));
    let pkix = |name: &str| Keys::Pkix(fixture(name));
    let store = |name: &str, evidence, api, write, keys| Form {
        name: name.to_owned(),
        evidence,
        carrier: Carrier::Store(api, write),
        keys,
        image: signed(),
        digest: None,
        named: SHOP,
        attests: "simple-signing",
    };
    let (old, new) = ("v1beta1", "v1");
    let ecdsa = || pkix("kritis/pkix.pub");
    let rsa = || pkix("kritis/rsa.pub");
    let mut rows = vec![
        (store("Kritis", message("kritis"), old, PGP, gpg()), OPENPGP),
        (
            store("Kritis 0.2.1, armor in base64", message("kritis"), old, PGP_IN_BASE64, gpg()),
            OPENPGP,
        ),
        (
            store("Kritis' signer, no payload", message("kritis"), old, GENERIC_ARMOR, gpg()),
            OPENPGP,
        ),
        (store("Kritis in v1", message("kritis"), new, V1, gpg()), OPENPGP),
        (store("Voucher", message("voucher"), old, PGP, gpg()), OPENPGP),
        (store("Voucher, no payload", message("voucher"), old, GENERIC_ARMOR, gpg()), OPENPGP),
        (store("Voucher in v1", message("voucher"), new, V1, gpg()), OPENPGP),
        (
            store("Binary Authorization, PGP, v1beta1", message("binauthz"), old, PGP, gpg()),
            OPENPGP,
        ),
        (
            store("Binary Authorization, PGP, v1", message("binauthz"), new, V1_MESSAGE, gpg()),
            Wants {
                payload: Code("signature.malformed"),
                subject: Code("signature.malformed"),
                ..OPENPGP
            },
        ),
        (
            store("Binary Authorization, ECDSA, v1beta1", raw("binauthz"), old, GENERIC, ecdsa()),
            PKIX,
        ),
        (store("Binary Authorization, ECDSA, v1", raw("binauthz"), new, V1, ecdsa()), PKIX),
        (
            store("Binary Authorization, RSA, v1beta1", raw("binauthz-rsa"), old, GENERIC, rsa()),
            PKIX,
        ),
        (store("Binary Authorization, RSA, v1", raw("binauthz-rsa"), new, V1, rsa()), PKIX),
    ];
    rows.extend(chains());
    rows
}

fn chains() -> Vec<(Form, Wants)> {
    let read = |name: &str| -> Value { serde_json::from_slice(&fixture(name)).unwrap() };
    let attestation = read("chains/attestation.json");
    let details = &attestation["attestation"];
    let signed_simply = Evidence::Raw {
        payload: decoded(&details["serializedPayload"]),
        signature: decoded(&details["signatures"][0]["signature"]),
    };
    let inner = |name: &str| {
        Evidence::of_envelope(&decoded(&read(name)["envelope"]["signatures"][0]["sig"]))
    };
    let chains = |name: &str, evidence, write: Write, attests| Form {
        name: name.to_owned(),
        evidence,
        carrier: Carrier::Store("v1", write),
        keys: Keys::Pkix(fixture("chains/chains.pub")),
        image: signed(),
        digest: None,
        named: SHOP,
        attests,
    };
    let forms = [
        (
            chains("Chains, ATTESTATION", signed_simply, chains_attestation, "simple-signing"),
            "chains/attestation.json",
        ),
        (
            chains(
                "Chains, BUILD, SLSA v0.2",
                inner("chains/build-slsa1.json"),
                |evidence| chains_build(evidence, "chains/build-slsa1.json"),
                "\"https://slsa.dev/provenance/v0.2\"",
            ),
            "chains/build-slsa1.json",
        ),
        (
            chains(
                "Chains, BUILD, SLSA v1",
                inner("chains/build-slsa2alpha4.json"),
                |evidence| chains_build(evidence, "chains/build-slsa2alpha4.json"),
                "\"https://slsa.dev/provenance/v1\"",
            ),
            "chains/build-slsa2alpha4.json",
        ),
    ];
    forms
        .into_iter()
        .map(|(form, file)| {
            let Carrier::Store(_, write) = form.carrier else { panic!("{}", form.name) };
            assert_eq!(
                meaning(&write(&form.evidence)),
                meaning(&read(file)),
                "{file}: as Chains wrote it"
            );
            (form, PKIX)
        })
        .collect()
}

/// A document of Chains' with the envelope inside the envelope as JSON.
fn meaning(occurrence: &Value) -> Value {
    let mut occurrence = occurrence.clone();
    for member in ["name", "noteName", "resourceUri"] {
        occurrence.as_object_mut().unwrap().remove(member);
    }
    let signature = &mut occurrence["envelope"]["signatures"][0]["sig"];
    if let Ok(inner) = serde_json::from_slice::<Value>(&decoded(signature)) {
        *signature = inner;
    }
    occurrence
}

fn chains_attestation(evidence: &Evidence) -> Value {
    let Evidence::Raw { payload, signature } = evidence else { panic!("a payload") };
    let mut occurrence: Value =
        serde_json::from_slice(&fixture("chains/attestation.json")).unwrap();
    for (at, bytes) in [
        ("/attestation/serializedPayload", payload),
        ("/attestation/signatures/0/signature", signature),
        ("/envelope/payload", payload),
        ("/envelope/signatures/0/sig", signature),
    ] {
        *occurrence.pointer_mut(at).unwrap() = base64(bytes).into();
    }
    bare(occurrence)
}

fn chains_build(evidence: &Evidence, file: &str) -> Value {
    let Evidence::Envelope { payload, signature } = evidence else { panic!("an envelope") };
    let mut occurrence: Value = serde_json::from_slice(&fixture(file)).unwrap();
    let outer = &mut occurrence["envelope"];
    outer["payload"] = base64(payload).into();
    let mut inner: Value =
        serde_json::from_slice(&decoded(&outer["signatures"][0]["sig"])).unwrap();
    inner["payload"] = base64(payload).into();
    inner["signatures"][0]["sig"] = base64(signature).into();
    outer["signatures"][0]["sig"] = base64(inner.to_string().as_bytes()).into();
    bare(occurrence)
}

/// Without the names, which the store and the place give.
fn bare(mut occurrence: Value) -> Value {
    occurrence.as_object_mut().unwrap().remove("name");
    occurrence
}

fn decoded(text: &Value) -> Vec<u8> {
    base64_decode(text.as_str().unwrap()).unwrap()
}
