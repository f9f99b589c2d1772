//! What is signed beside an image on disk counts as it would in the repository that it is for.

use std::{fs, path::Path, process::Command};

use countersign_kit::{Key, artifact, image, index, signed_statement, simple_signing, statement};
use serde_json::{Value, json};

use crate::{
    cli::{Desk, stderr},
    verify_support::fixture,
};

const SLSA_1: &str = "https://slsa.dev/provenance/v1";
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// Source and type of what counts, and the codes against the rest, both sorted.
type Outcome = (Vec<String>, Vec<String>);

fn outcome(images: &Value, at: usize) -> Outcome {
    let texts = |list: &str, text: &dyn Fn(&Value) -> String| {
        let mut texts: Vec<_> = images[at][list].as_array().unwrap().iter().map(text).collect();
        texts.sort();
        texts
    };
    let string = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    (
        texts("attestations", &|one| {
            format!("{} {}", string(one, "source"), string(one, "predicateType"))
        }),
        texts("rejected", &|one| string(one, "code")),
    )
}

fn evidence(folder: &Path, image: &str, destined: &str, authority: &str) -> Value {
    let config = folder.join("countersign.yaml");
    let text = format!(
        "authorities: [{authority}]\n\
         policies: [{{name: p, match: {{}}, mode: enforce, rules: [{{use: attested, parameters: {{authorities: [tool]}}}}]}}]\n\
         registries: {{allow: [\"**\"]}}\nunmatched: deny\n"
    );
    fs::write(&config, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["evidence", image, "--as", destined, "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{image}: {}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    printed["images"].clone()
}

#[test]
fn p4_what_other_tools_left_in_a_layout_counts_for_the_repository_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), fixture("cosign/cosign.pub")).unwrap();
    let types =
        format!("[simple-signing, \"{SLSA_1}\", \"https://slsa.dev/provenance/v0.2\", \"{SIGN}\"]");
    let tool = format!("{{name: tool, keys: [{{pkix: key.pem}}], attests: {types}}}");
    let (old, new) = ("127.0.0.1:5005/cosign/old", "127.0.0.1:5006/cosign/newb");
    let tags = [
        "tags https://slsa.dev/provenance/v0.2",
        "tags https://slsa.dev/provenance/v1",
        "tags simple-signing",
    ];
    let other = "payload.other-repository";
    for (layout, destined, counts, codes) in [
        ("cosign/layout-sig-att-tags", old, &tags[..], &[][..]),
        ("cosign/layout-sig-att-tags", "a.example/b", &[], &[other; 3]),
        // What `cosign sign` signs names no repository.
        (
            "cosign/layout-bundle-referrers",
            new,
            &["referrers https://slsa.dev/provenance/v1"],
            &[other],
        ),
        (
            "cosign/layout-bundle-fallback-tag",
            "127.0.0.1:5002/cosign/newb",
            &["referrers https://slsa.dev/provenance/v1"],
            &[other],
        ),
        ("notation/layout", new, &[], &["signature.certificate"]),
    ] {
        let image = format!("oci:{}/fixtures/{layout}", env!("CARGO_MANIFEST_DIR"));
        let images = evidence(folder.path(), &image, destined, &tool);
        let want = [counts, codes].map(|texts| texts.iter().map(ToString::to_string).collect());
        assert_eq!(outcome(&images, 0), want.into(), "{layout} as {destined}");
    }
}

#[test]
fn p4_signed_statements_in_and_beside_an_index_count_where_they_belong() {
    let desk = Desk::new();
    let builder = Key::generate("Builder <builder@acme.example>");
    let destined = format!("{}/acme/shop", desk.registry.host());
    let (amd, arm) = (image("a").build(), image("b").platform("linux/arm64").build());
    let said =
        |of: &str| signed_statement(&statement(SLSA_1, &destined, of, json!({})), &[&builder]);
    let carrying = |about: &countersign_kit::Content| {
        let mut carrier = artifact("application/vnd.docker.attestation.manifest.v1+json")
            .subject(about)
            .layer(ENVELOPE, said(&amd.digest()).to_string())
            .build();
        carrier.platform = Some(json!({"architecture": "unknown", "os": "unknown"}));
        carrier.listed.insert("vnd.docker.reference.digest".into(), about.digest().into());
        carrier.listed.insert("vnd.docker.reference.type".into(), "attestation-manifest".into());
        carrier
    };
    // The statement about the one platform is listed for the other one, too.
    let whole = index([&amd, &arm])
        .attested(&amd, &[statement(SLSA_1, "_", &amd.digest(), json!({}))])
        .and(&carrying(&amd))
        .and(&carrying(&arm))
        .build();
    desk.registry.put_image("acme/shop", "2", &whole);
    let simple = builder.sign_message(&simple_signing(&destined, &whole.digest()));
    for (subject, layer, bytes) in [
        (&whole, "application/vnd.countersign.simple-signing.v1+pgp", simple),
        (&arm, ENVELOPE, said(&arm.digest()).to_string().into_bytes()),
        (&arm, ENVELOPE, b"{}".to_vec()),
    ] {
        let referrer = artifact("application/vnd.countersign.attestation.v1")
            .subject(subject)
            .inline(layer, bytes)
            .build();
        desk.registry.attach("acme/shop", &referrer);
    }
    let copied = desk.run(&["copy", &format!("{destined}:2"), "oci:stick:shop"]);
    assert!(copied.status.success(), "{}", stderr(&copied));
    desk.write("tool.asc", &builder.certificate_armored());
    let tool = format!(
        "{{name: tool, keys: [{{openpgp: tool.asc}}], attests: [simple-signing, \"{SLSA_1}\", \"embedded:{SLSA_1}\"]}}"
    );
    let stick = format!("oci:{}", desk.path("stick").display());
    let folder = desk.path("");
    let images = evidence(&folder, &stick, &destined, &tool);
    let (signed, index) = ("referrers simple-signing".to_owned(), format!("index {SLSA_1}"));
    assert_eq!(outcome(&images, 0), (vec![index, signed.clone()], vec![]), "{images:#}");
    assert_eq!(images[0]["statements"][0]["authority"], "tool", "{images:#}");
    let counts = vec![format!("referrers {SLSA_1}"), signed];
    let codes = ["payload.other-image", "signature.malformed"].map(str::to_owned);
    assert_eq!(outcome(&images, 1), (counts, codes.into()), "{images:#}");

    let stranger = Key::generate("Stranger <s@evil.example>");
    desk.write("tool.asc", &stranger.certificate_armored());
    let images = evidence(&folder, &stick, &destined, &tool);
    assert_eq!(outcome(&images, 0), (vec![], vec!["signature.unknown-key".to_owned(); 2]));
    assert_eq!(images[0]["statements"][0]["authority"], Value::Null);
}

#[test]
fn who_judges_must_be_said_for_images_on_disk_only() {
    let desk = Desk::new();
    for (name, arguments, want) in [
        ("no configuration", vec!["evidence", "oci:x", "--as", "a.example/b"], "--config <FILE>"),
        (
            "a registry",
            vec!["evidence", &desk.by_tag(), "--as", "a.example/b", "--config", "countersign.yaml"],
            "--as is for images on this machine",
        ),
        (
            "no repository",
            vec!["evidence", "oci:x", "--as", "a.example/B", "--config", "countersign.yaml"],
            "invalid value 'a.example/B'",
        ),
    ] {
        let output = desk.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stderr(&output).contains(want), "{name}: {}", stderr(&output));
    }
}
