//! Occurrences in every wrapping, from the servers and tools that write them.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::attest::{
    Signed,
    grafeas::{Evidence, Occurrence, Page},
};
use serde_json::{Value, json};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/grafeas/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read(occurrence: &Value) -> Evidence {
    let raw = serde_json::value::to_raw_value(occurrence).unwrap();
    Occurrence::read(&raw).unwrap().evidence(&Arc::from("grafeas"))
}

fn occurrence(details: &Value) -> Value {
    let mut occurrence = json!({
        "name": "projects/p/occurrences/o",
        "noteName": "projects/p/notes/n",
        "resource": {"uri": format!("https://registry.test/demo/app@{D}")},
    });
    for (name, value) in details.as_object().unwrap() {
        occurrence[name] = value.clone();
    }
    occurrence
}

/// What became of the signed contents, in one word each.
fn kinds(evidence: &Evidence) -> Vec<&'static str> {
    let kind = |signed: &Signed| match signed {
        Signed::OpenPgpMessage(_) => "message",
        Signed::OpenPgpDetached(_) => "detached",
        Signed::Raw { .. } => "raw",
        Signed::Dsse(_) => "dsse",
        Signed::Certified { .. } => "certified",
        Signed::Metadata { .. } => "metadata",
        Signed::Jws(_) => "jws",
        Signed::Unsupported { format, .. } => format,
    };
    evidence.candidates.iter().map(|candidate| kind(&candidate.signed)).collect()
}

#[test]
fn the_reference_servers_lists_are_read() {
    for (name, count, token) in [
        ("occurrences-list.json", 7, ""),
        ("occurrences-page1.json", 4, "4"),
        ("occurrences-page2.json", 3, ""),
        ("note-occurrences.json", 5, ""),
        ("occurrences-empty.json", 0, ""),
    ] {
        let body = fixture(name);
        let page = Page::parse(&body).unwrap();
        assert_eq!(
            (page.occurrences.len(), page.next_page_token.as_str()),
            (count, token),
            "{name}"
        );
        for raw in page.occurrences {
            let occurrence = Occurrence::read(raw).unwrap();
            assert!(occurrence.note().is_some() && occurrence.resource().is_some(), "{name}");
            let evidence = occurrence.evidence(&Arc::from("grafeas"));
            assert_eq!(evidence.unreadable, None, "{name}");
            assert_eq!(evidence.candidates.len() + usize::from(evidence.record.is_some()), 1);
        }
    }
    for name in
        ["error-404.json", "error-409.json", "error-400-page.json", "error-400-v1-body.json"]
    {
        assert!(Page::parse(&fixture(name)).is_err(), "{name}");
    }
}

#[test]
fn attestations_of_the_reference_server_are_read() {
    let pgp: Value =
        serde_json::from_slice(&fixture("occurrence-create-attestation-pgp.json")).unwrap();
    let evidence = read(&pgp);
    let [candidate] = evidence.candidates.as_slice() else { panic!("{evidence:?}") };
    assert_eq!(&*candidate.source, "grafeas");
    assert_eq!(
        candidate.name,
        "projects/image-build/occurrences/a7cf1687-b9c9-4e6d-852c-3154a4ce6eae"
    );
    assert_eq!(candidate.note.as_ref().unwrap().to_string(), "projects/image-build/notes/qa");
    assert_eq!(candidate.recorded_at.unwrap().to_string(), "2026-11-21T09:47:22.392600857Z");
    let Signed::OpenPgpMessage(bytes) = &candidate.signed else { panic!("{candidate:?}") };
    assert!(bytes.starts_with(b"-----BEGIN PGP MESSAGE-----\n\nowGb"));

    let generic: Value =
        serde_json::from_slice(&fixture("occurrence-create-attestation-generic.json")).unwrap();
    let evidence = read(&generic);
    let Signed::Raw { payload, signatures } = &evidence.candidates[0].signed else {
        panic!("{evidence:?}")
    };
    assert!(payload.starts_with(br#"{"critical":{"identity":{"docker-reference":"registry.test"#));
    assert!(signatures[0].bytes.starts_with(b"-----BEGIN PGP MESSAGE-----"));
    let key = "openpgp4fpr:DAEAAB61E62C14EB2689856A5B684FA25469970F";
    assert_eq!(signatures[0].key_id.as_deref(), Some(key));
}

#[test]
fn every_wrapping_is_told_by_its_packets() {
    let armor = pgp_armor();
    let mislabeled = armor.replace("PGP MESSAGE", "PGP SIGNATURE");
    let twice = STANDARD.encode(&armor);
    let detached = detached_armor();
    let statement = STANDARD.encode(r#"{"_type":"https://in-toto.io/Statement/v1"}"#);
    let in_toto = json!({"payload": statement, "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "c2ln", "keyid": "k"}]});
    let chains = json!({"payload": statement, "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": STANDARD.encode(in_toto.to_string())}]});
    let simple = json!({"payload": "e30=", "payloadType":
        "application/vnd.dev.cosign.simplesigning.v1+json", "signatures": [{"sig": "c2ln"}]});
    let pgp = |signature: &str| json!({"attestation": {"attestation": {"pgpSignedAttestation": {"signature": signature}}}});
    let generic = |payload: Option<&str>, signature: &str| {
        json!({"attestation": {"attestation": {"genericSignedAttestation": {
            "contentType": "SIMPLE_SIGNING_JSON", "serializedPayload": payload,
            "signatures": [{"signature": signature}]}}}})
    };
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("gpg --sign", pgp(&armor), &["message"]),
        ("Kritis' label", pgp(&mislabeled), &["message"]),
        ("old Kritis' base64", pgp(&twice), &["message"]),
        ("ocibuilder", pgp(&detached), &["detached"]),
        ("Kritis' signer", generic(None, &twice), &["message"]),
        ("Voucher's empty payload", generic(Some(""), &twice), &["message"]),
        ("a payload beside it", generic(Some("e30="), &twice), &["raw"]),
        ("a url-safe payload without padding", generic(Some("e30_"), "c2ln"), &["raw"]),
        (
            "snake_case and Go's zero time",
            json!({"create_time": "0001-01-01T00:00:00Z", "attestation": {"attestation":
                {"pgp_signed_attestation": {"signature": detached, "pgp_key_id": "A"}}}}),
            &["detached"],
        ),
        (
            "v1",
            json!({"attestation": {"serializedPayload": "e30=", "signatures": [{"signature": "c2ln", "publicKeyId": "k"}]}}),
            &["raw"],
        ),
        (
            "v1 with a web token",
            json!({"attestation": {"jwts": [{"compactJwt": "a.b.c"}]}}),
            &["jwt"],
        ),
        (
            "an envelope",
            json!({"build": {"provenance": {"id": "1"}}, "envelope": in_toto}),
            &["dsse"],
        ),
        ("an envelope alone", json!({"envelope": in_toto}), &["dsse"]),
        ("DSSE_ATTESTATION", json!({"dsseAttestation": {"envelope": in_toto}}), &["dsse"]),
        ("Chains' envelope in an envelope", json!({"build": {}, "envelope": chains}), &["dsse"]),
        (
            "Chains' simple signing",
            json!({"attestation": {"serializedPayload": "e30=", "signatures": [{"signature": "c2ln"}]}, "envelope": simple}),
            &["raw"],
        ),
        ("what is no OpenPGP is left to the verifier", pgp("aGVsbG8="), &["message"]),
        (
            "a wrong kind does not matter",
            json!({"kind": "VULNERABILITY", "attestation": {"attestation": {"pgpSignedAttestation": {"signature": armor}}}}),
            &["message"],
        ),
        (
            "members without a value",
            json!({"build": null, "kind": 99, "remediation": "", "attestation": {"attestation": {"pgpSignedAttestation": {"signature": armor}}}}),
            &["message"],
        ),
    ];
    for (name, details, want) in cases {
        let evidence = read(&occurrence(&details));
        assert_eq!(evidence.unreadable, None, "{name}");
        assert_eq!(kinds(&evidence), want, "{name}");
    }
}

#[test]
fn chains_inner_envelope_is_what_gets_verified() {
    let inner = json!({"payload": "e30=", "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "c2ln", "keyid": "inner"}]});
    let mut outer = json!({"payload": "e30=", "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": STANDARD.encode(inner.to_string()), "keyid": "outer"}]});
    let key = |evidence: &Evidence| match &evidence.candidates[0].signed {
        Signed::Dsse(envelope) => envelope.signatures()[0].key_id.clone(),
        other => panic!("{other:?}"),
    };
    let evidence = read(&occurrence(&json!({"build": {}, "envelope": outer})));
    assert_eq!(key(&evidence).as_deref(), Some("inner"));
    // Another payload outside than inside: the inner one covers nothing that is shown.
    outer["payload"] = "e1t9".into();
    let evidence = read(&occurrence(&json!({"build": {}, "envelope": outer})));
    assert_eq!(key(&evidence).as_deref(), Some("outer"));
}

#[test]
fn what_cannot_be_read_says_why() {
    let cases = [
        ("nothing", json!({}), "has no details that are known here"),
        ("an unknown kind", json!({"compliance": {}}), "has no details that are known here"),
        (
            "two kinds",
            json!({"build": {}, "deployment": {}}),
            "has two details, build and deployment",
        ),
        ("no signature", json!({"attestation": {"attestation": {}}}), "without any signature"),
        (
            "an empty OpenPGP attestation",
            json!({"attestation": {"attestation": {"pgpSignedAttestation": {}}}}),
            "has no signature",
        ),
        (
            "no base64",
            json!({"attestation": {"attestation": {"pgpSignedAttestation": {"signature": "*"}}}}),
            "has a signature that is not base64",
        ),
        (
            "a number for a text",
            json!({"attestation": {"serializedPayload": 7, "signatures": []}}),
            "has a serializedPayload that is no text",
        ),
        (
            "two spellings",
            json!({"createTime": "x", "create_time": "y", "build": {}}),
            "has createTime in two spellings",
        ),
        (
            "a broken envelope",
            json!({"envelope": {"payload": 7}}),
            "an envelope that is not readable",
        ),
    ];
    for (name, details, want) in cases {
        let evidence = read(&occurrence(&details));
        let unreadable = evidence.unreadable.unwrap_or_else(|| panic!("{name}")).to_string();
        assert!(unreadable.contains(want), "{name}: {unreadable}");
        assert!(evidence.candidates.is_empty(), "{name}");
    }
}

#[test]
fn p2_records_have_one_shape_and_no_authority() {
    let cases = [
        (
            "occurrence-create-build.json",
            "builds",
            "/build/provenance/creator",
            json!("ci@example.test"),
        ),
        (
            "occurrence-create-vulnerability.json",
            "vulnerabilities",
            "/vulnerability/effectiveSeverity",
            json!("HIGH"),
        ),
        (
            "occurrence-create-vulnerability.json",
            "vulnerabilities",
            "/vulnerability/packageIssue/0/affectedPackage",
            json!("openssl"),
        ),
        (
            "occurrence-create-vulnerability.json",
            "vulnerabilities",
            "/vulnerability/fixAvailable",
            json!(true),
        ),
    ];
    for (name, list, pointer, want) in cases {
        let evidence = read(&serde_json::from_slice(&fixture(name)).unwrap());
        assert!(evidence.candidates.is_empty(), "{name}");
        let record = evidence.record.unwrap();
        assert_eq!(record.list(), list);
        let value = serde_json::to_value(&record).unwrap();
        assert_eq!(value.pointer(pointer), Some(&want), "{name}: {value}");
        assert_eq!(value["source"], "grafeas");
        assert!(value["note"].as_str().unwrap().starts_with("projects/image-build/notes/"));
        assert!(value["recordedAt"].as_str().unwrap().starts_with("2026-11-21T"));
        assert!(value.get("authority").is_none());
    }
}

#[test]
fn a_provenance_in_a_build_is_read_in_either_spelling() {
    let predicate = json!({
        "buildDefinition": {"buildType": "t", "externalParameters": {"my_key": {"in_it": 1}}},
        "runDetails": {"builder": {"id": "b"}},
    });
    let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [],
        "predicateType": "https://slsa.dev/provenance/v1", "predicate": predicate});
    let snake = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [],
    "predicate_type": "https://slsa.dev/provenance/v1", "predicate": {
        "build_definition": {"build_type": "t", "external_parameters": {"my_key": {"in_it": 1}}},
        "run_details": {"builder": {"id": "b"}},
    }});
    for (name, build) in [
        ("camelCase", json!({"inTotoSlsaProvenanceV1": statement})),
        ("snake_case", json!({"in_toto_slsa_provenance_v1": snake})),
    ] {
        let evidence = read(&occurrence(&json!({"build": build})));
        assert!(evidence.candidates.is_empty(), "{name}: p2: nobody signed it");
        let value = serde_json::to_value(evidence.record.unwrap()).unwrap();
        assert_eq!(value["build"]["inTotoSlsaProvenanceV1"], statement, "{name}");
    }
}

#[test]
fn names_in_a_region_are_the_same_names() {
    let mut regional = occurrence(&json!({"build": {}}));
    regional["name"] = "projects/p/locations/eu/occurrences/o".into();
    regional["noteName"] = "projects/p/locations/eu/notes/n".into();
    let raw = serde_json::value::to_raw_value(&regional).unwrap();
    let read = Occurrence::read(&raw).unwrap();
    assert_eq!(read.name(), "projects/p/occurrences/o");
    assert_eq!(read.note().unwrap().to_string(), "projects/p/notes/n");
}

#[test]
fn elements_that_are_no_occurrences_are_refused() {
    for text in [
        "7",
        "null",
        "[]",
        r#""x""#,
        r#"{"name":7}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"noteName":"a","note_name":"b"}"#,
        r#"{"resource":"u"}"#,
    ] {
        let raw: &serde_json::value::RawValue = serde_json::from_str(text).unwrap();
        assert!(Occurrence::read(raw).is_err(), "{text}");
    }
}

fn pgp_armor() -> String {
    let pgp: Value =
        serde_json::from_slice(&fixture("occurrence-create-attestation-pgp.json")).unwrap();
    pgp["attestation"]["attestation"]["pgpSignedAttestation"]["signature"].as_str().unwrap().into()
}

/// A text-mode signature over an image ID, made as ocibuilder makes it.
fn detached_armor() -> String {
    use sequoia_openpgp::{
        cert::CertBuilder,
        policy::StandardPolicy,
        serialize::stream::{Armorer, Message, Signer},
    };
    use std::io::Write as _;

    let (cert, _) = CertBuilder::new().add_signing_subkey().generate().unwrap();
    let policy = StandardPolicy::new();
    let key = cert.keys().with_policy(&policy, None).for_signing().secret().next().unwrap();
    let pair = key.key().clone().into_keypair().unwrap();
    let mut armor = Vec::new();
    let message = Message::new(&mut armor);
    let message =
        Armorer::new(message).kind(sequoia_openpgp::armor::Kind::Signature).build().unwrap();
    let mut signer = Signer::new(message, pair).unwrap().detached().build().unwrap();
    signer.write_all(D.as_bytes()).unwrap();
    signer.finalize().unwrap();
    String::from_utf8(armor).unwrap()
}

const D: &str = "sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b";
