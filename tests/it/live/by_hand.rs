//! What people make by hand with gpg, oras, regctl and a plain HTTP client, read by
//! `countersign verify`: no word of it was written by us.

use std::{
    fs,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::{attesting, stores},
    peer::{DockerRegistry, GnuPg, Grafeas, OciServe, binary, push_image, run, seen},
};

const TYPE: &str = "https://a.example/p";
const NOTE: &str = "projects/build/notes/by-hand";

/// A configuration that trusts this key for one thing, said at one place.
fn configure(desk: &Desk, host: &str, store: &str, attests: &str) {
    let (store, note) = match store {
        "" => (String::new(), String::new()),
        url => (stores(url), format!(", note: {NOTE}")),
    };
    desk.write(
        "hand.yaml",
        &(store + &attesting(host, "hand", &format!("attests: [\"{attests}\"]{note}"))),
    );
}

fn allowed(desk: &Desk, image: &str) -> Result<(), String> {
    let judged = desk.run(&["verify", image, "--config", "hand.yaml"]);
    if judged.status.success() { Ok(()) } else { Err(stdout(&judged) + &stderr(&judged)) }
}

fn simple_signing(repository: &str, digest: &str) -> String {
    json!({
        "critical": {
            "identity": {"docker-reference": repository},
            "image": {"docker-manifest-digest": digest},
            "type": "atomic container signature",
        },
        "optional": {},
    })
    .to_string()
}

/// A DSSE envelope, put together from the specification and a detached signature of gpg's.
fn envelope(gpg: &GnuPg, user: &str, repository: &str, digest: &str) -> String {
    let hex = digest.trim_start_matches("sha256:");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": repository, "digest": {"sha256": hex}}],
        "predicateType": TYPE,
        "predicate": {"by": "hand"},
    })
    .to_string();
    let kind = "application/vnd.in-toto+json";
    let encoded = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    let signature = gpg.sign(user, &["--detach-sign"], encoded.as_bytes());
    json!({
        "payload": STANDARD.encode(&statement),
        "payloadType": kind,
        "signatures": [{"keyid": user, "sig": STANDARD.encode(signature)}],
    })
    .to_string()
}

fn tool(desk: &Desk, program: &str, arguments: &[&str]) {
    let output = Command::new(binary(program))
        .args(arguments)
        .current_dir(desk.path("."))
        .env("HOME", desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", stderr(&output));
}

#[test]
#[ignore = "needs ociserve, docker-registry, skopeo, oras, regctl and gpg"]
fn what_is_attached_by_hand_is_read() {
    for program in ["oras", "regctl"] {
        let version = run(Command::new(binary(program)).arg("version"));
        let version = version.split_whitespace().find(|word| word.contains('.')).unwrap_or("?");
        seen(program, version);
    }
    let gpg = GnuPg::new();
    let user = gpg.generate("By hand <hand@acme.example>", "ed25519");
    let stranger = gpg.generate("Stranger <stranger@evil.example>", "ed25519");
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let desk = Desk::new();
        desk.write("hand.asc", &gpg.certificate(&user));
        let repository = format!("{host}/acme/shop");
        let digest = push_image(&format!("{repository}:v1"), "by hand");
        let named = format!("{repository}@{digest}");
        tool(&desk, "regctl", &["registry", "set", "--tls", "disabled", host]);

        let attach = |by: &str| {
            let message =
                gpg.sign(by, &["--sign"], simple_signing(&repository, &digest).as_bytes());
            fs::write(desk.path("message"), message).unwrap();
            let ours = "application/vnd.countersign.attestation.v1";
            let file = "message:application/vnd.countersign.simple-signing.v1+pgp";
            tool(&desk, "oras", &["attach", "--plain-http", "--artifact-type", ours, &named, file]);
        };
        configure(&desk, host, "", "simple-signing");
        attach(&stranger);
        let denied = allowed(&desk, &named).unwrap_err();
        assert!(denied.contains("signature.unknown-key"), "{host}: {denied}");
        attach(&user);
        allowed(&desk, &named).unwrap_or_else(|text| panic!("{host}: {text}"));

        configure(&desk, host, "", TYPE);
        allowed(&desk, &named).unwrap_err();
        desk.write("envelope.json", &envelope(&gpg, &user, &repository, &digest));
        let put = ["artifact", "put", "--subject", &named, "--file", "envelope.json"];
        let types = [
            "--artifact-type",
            "application/vnd.countersign.attestation.v1",
            "--file-media-type",
            "application/vnd.dsse.envelope.v1+json",
        ];
        tool(&desk, "regctl", &[&put[..], &types].concat());
        allowed(&desk, &named).unwrap_or_else(|text| panic!("{host}: {text}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs grafeas-server and gpg"]
async fn what_is_posted_by_hand_is_read() {
    let (desk, grafeas, gpg) = (Desk::new(), Grafeas::start(), GnuPg::new());
    let user = gpg.generate("By hand <hand@acme.example>", "rsa3072");
    desk.write("hand.asc", &gpg.certificate(&user));
    let repository = format!("{}/acme/shop", desk.registry.host());
    let digest = desk.shop.digest();
    let message =
        gpg.sign(&user, &["--armor", "--sign"], simple_signing(&repository, &digest).as_bytes());
    let posted = [
        ("projects".to_owned(), json!({"name": "projects/build"})),
        (
            "projects/build/notes?noteId=by-hand".to_owned(),
            json!({"name": NOTE, "kind": "ATTESTATION",
                "attestationAuthority": {"hint": {"humanReadableName": "by hand"}}}),
        ),
        (
            "projects/build/occurrences".to_owned(),
            json!({
                "resource": {"uri": format!("https://{repository}@{digest}")},
                "noteName": NOTE,
                "kind": "ATTESTATION",
                "attestation": {"attestation": {"pgpSignedAttestation": {
                    "signature": String::from_utf8(message).unwrap(),
                    "contentType": "SIMPLE_SIGNING_JSON",
                    "pgpKeyId": user,
                }}},
            }),
        ),
    ];
    configure(&desk, &desk.registry.host(), &grafeas.url(), "simple-signing");
    allowed(&desk, &desk.by_digest()).unwrap_err();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (path, body) in posted {
        let to = format!("{}/v1beta1/{path}", grafeas.url());
        let answer = client
            .post(to)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }
    allowed(&desk, &desk.by_digest()).unwrap_or_else(|text| panic!("{text}"));
    // Another image of the same repository has nothing.
    let other = desk.registry.put("acme/shop", &countersign_kit::image("other").build());
    allowed(&desk, &format!("{repository}@{other}")).unwrap_err();
}
