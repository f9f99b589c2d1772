//! What `countersign sign` puts into a registry, read by programs that others wrote.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use countersign::{
    attest::{Envelope, artifact},
    name::{Digest, Repository},
    source::{Deadline, HostOptions, Reference, Registries, RegistriesOptions},
};
use serde_json::{Value, json};

use super::verdict;
use crate::{
    cli::{Desk, stderr},
    peer::{DockerRegistry, GnuPg, OciServe, binary, push_image, run, seen},
};

const TYPE: &str = "https://a.example/p";

/// Signs `named` simply and in a statement, both attached.
fn sign(desk: &Desk, named: &str) {
    desk.write("p.json", r#"{"a": 1}"#);
    let always = ["sign", named, "--key", "builder.key", "--attach"];
    for more in [&[][..], &["--predicate", "p.json", "--type", TYPE]] {
        let signed = desk.run(&[&always[..], more].concat());
        assert!(signed.status.success(), "{}", stderr(&signed));
    }
}

/// The layers of all our attestations of an image.
async fn layers(host: &str, repository: &Repository, subject: Digest) -> Vec<(String, Vec<u8>)> {
    let hosts = vec![HostOptions::typed(host, false, None)];
    let registries = Registries::new(RegistriesOptions { allow: None, hosts }).unwrap();
    let soon = || Deadline::after(std::time::Duration::from_secs(10));
    let mut layers = Vec::new();
    for entry in registries.referrers(repository, subject, soon()).await.unwrap() {
        let at = Reference::Digest(entry.digest);
        let fetched = registries.manifest(repository, at, soon()).await.unwrap();
        let manifest: Value = serde_json::from_slice(&fetched.bytes).unwrap();
        let layer = serde_json::from_value(manifest["layers"][0].clone()).unwrap();
        let bytes = registries.blob(repository, &layer, 1 << 20, soon()).await.unwrap();
        layers.push((layer.media_type, bytes.to_vec()));
    }
    layers
}

fn tool(desk: &Desk, program: &str, arguments: &[&str]) -> Output {
    Command::new(binary(program))
        .args(arguments)
        .current_dir(desk.path("."))
        .env("HOME", desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn prints(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[ignore = "needs ociserve, docker-registry, skopeo, oras, regctl, gpg and sqv"]
async fn others_list_and_verify_what_we_attach() {
    for program in ["oras", "regctl"] {
        let version = run(Command::new(binary(program)).arg("version"));
        let version = version.split_whitespace().find(|word| word.contains('.')).unwrap_or("?");
        seen(program, version);
    }
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let desk = Desk::new();
        let repository: Repository = format!("{host}/acme/shop").parse().unwrap();
        let digest = push_image(&format!("{repository}:v1"), "published");
        let named = format!("{repository}@{digest}");
        sign(&desk, &named);

        let discover = ["discover", "--plain-http", "--format", "json", &named];
        let discovered: Value =
            serde_json::from_str(&prints(&tool(&desk, "oras", &discover))).unwrap();
        let referrers = discovered["referrers"].as_array().unwrap();
        assert_eq!(referrers.len(), 2, "{host}: {discovered:#}");
        assert!(referrers.iter().all(|one| one["artifactType"] == artifact::ARTIFACT_TYPE));

        prints(&tool(&desk, "regctl", &["registry", "set", "--tls", "disabled", host]));
        let ours = ["--filter-artifact-type", artifact::ARTIFACT_TYPE];
        let list = [&["artifact", "list", &named, "--format", "{{jsonPretty .}}"][..], &ours];
        let listed: Value =
            serde_json::from_str(&prints(&tool(&desk, "regctl", &list.concat()))).unwrap();
        assert_eq!(listed["descriptors"].as_array().map(Vec::len), Some(2), "{host}: {listed:#}");

        let layers = layers(host, &repository, digest.parse().unwrap()).await;
        let of = |kind| &layers.iter().find(|(media_type, _)| media_type == kind).unwrap().1;
        let message = of(artifact::SIMPLE_SIGNING_LAYER);
        let envelope = Envelope::parse(of(artifact::ENVELOPE_LAYER)).unwrap();
        gpg_and_sqv(&desk, message, &envelope);
        skopeo(&desk, &named, host, &digest, message);
    }
}

/// The message by gpg; the envelope's signature by gpg and sqv, over an encoding made by hand.
fn gpg_and_sqv(desk: &Desk, message: &[u8], envelope: &Envelope) {
    let gpg = GnuPg::new();
    gpg.import(&fs::read(desk.path("builder.asc")).unwrap());
    let payload: Value = serde_json::from_slice(&gpg.verify(message).unwrap()).unwrap();
    assert_eq!(payload["critical"]["type"], "atomic container signature");

    let kind = "application/vnd.in-toto+json";
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), envelope.payload().len());
    let encoded = [head.as_bytes(), envelope.payload()].concat();
    let signature = &envelope.signatures()[0].signature;
    gpg.verify_detached(signature, &encoded).unwrap();
    gpg.verify_detached(signature, envelope.payload()).unwrap_err();

    fs::write(desk.path("pae"), &encoded).unwrap();
    fs::write(desk.path("pae.sig"), signature).unwrap();
    seen("sqv", prints(&tool(desk, "sqv", &["--version"])).trim_start_matches("sqv "));
    let signer = prints(&tool(desk, "sqv", &["--keyring", "builder.asc", "pae.sig", "pae"]));
    assert_eq!(signer.trim().len(), 40, "{signer}");
    fs::write(desk.path("pae"), envelope.payload()).unwrap();
    assert!(!tool(desk, "sqv", &["--keyring", "builder.asc", "pae.sig", "pae"]).status.success());
}

/// podman's policy, with the very bytes of the referrer in a lookaside.
fn skopeo(desk: &Desk, named: &str, host: &str, digest: &str, message: &[u8]) {
    let folder = desk.path(&format!("lookaside/acme/shop@{}", digest.replace(':', "=")));
    fs::create_dir_all(&folder).unwrap();
    let lookaside = format!("file://{}", desk.path("lookaside").display());
    fs::create_dir_all(desk.path("registries.d")).unwrap();
    desk.write(
        "registries.d/a.yaml",
        &format!("docker: {{\"{host}\": {{lookaside: \"{lookaside}\"}}}}\n"),
    );
    let policy = json!({"default": [{
        "type": "signedBy",
        "keyType": "GPGKeys",
        "keyPath": desk.path("builder.asc"),
        "signedIdentity": {"type": "matchRepository"},
    }]});
    desk.write("policy.json", &policy.to_string());
    let source = format!("docker://{named}");
    let copy = [
        "--policy",
        "policy.json",
        "--registries.d",
        "registries.d",
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        "--remove-signatures",
        &source,
        "dir:copied",
    ];
    assert!(!tool(desk, "skopeo", &copy).status.success(), "nobody signed it yet");
    fs::write(folder.join("signature-1"), message).unwrap();
    prints(&tool(desk, "skopeo", &copy));
}

#[test]
#[ignore = "needs ociserve, docker-registry, skopeo and oras"]
fn p2_what_oras_attaches_is_a_record_and_no_attestation() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let desk = Desk::new();
        let repository = format!("{host}/acme/shop");
        let named = format!("{repository}@{}", push_image(&format!("{repository}:v1"), "attached"));
        desk.write("bom.json", "{}");
        let kind = "application/spdx+json";
        let file = format!("bom.json:{kind}");
        let of_type = ["--artifact-type", kind, "--annotation", "acme.example/by=qa"];
        let attach = [&["attach", "--plain-http"][..], &of_type, &[&named, &file]].concat();
        prints(&tool(&desk, "oras", &attach));

        let authority = "{name: builder, keys: [{openpgp: builder.asc}]}";
        let rule = "{use: attested, parameters: {authorities: [builder]}}";
        verdict::configure(&desk, &[host], authority, rule);
        let said = verdict::ask(&desk, &named);
        assert_eq!(said.codes, ["attested.missing"], "{host}: {said:#?}");
        assert!(said.counts.is_empty() && said.rejected.is_empty(), "{host}: {said:#?}");
        let input = verdict::evidence(&desk, &named);
        let records = &input["images"][0]["records"]["referrers"];
        assert_eq!(records.as_array().map(Vec::len), Some(1), "{host}: {input:#}");
        assert_eq!(records[0]["type"], kind, "{host}: {records:#}");
        assert_eq!(records[0]["annotations"]["acme.example/by"], "qa", "{host}: {records:#}");
    }
}

/// Twenty processes' worth of signers, on real registries.
#[tokio::test]
#[ignore = "needs ociserve, docker-registry and skopeo"]
async fn twenty_signers_lose_nothing_on_real_registries() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let desk = Desk::new();
        let repository: Repository = format!("{host}/acme/shop").parse().unwrap();
        let digest = push_image(&format!("{repository}:v1"), "crowded");
        let named = format!("{repository}@{digest}");
        std::thread::scope(|scope| {
            for at in 0..20 {
                let (desk, named) = (&desk, &named);
                scope.spawn(move || {
                    let kind = format!("https://a.example/{at}");
                    desk.write(&format!("{at}.json"), "{}");
                    let predicate = format!("{at}.json");
                    let signed = desk.run(&[
                        "sign",
                        named,
                        "--key",
                        "builder.key",
                        "--attach",
                        "--predicate",
                        &predicate,
                        "--type",
                        &kind,
                    ]);
                    assert!(signed.status.success(), "{}", stderr(&signed));
                });
            }
        });
        let layers = layers(host, &repository, digest.parse().unwrap()).await;
        assert_eq!(layers.len(), 20, "{host}");
    }
}
