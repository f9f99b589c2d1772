//! `sign --ocibuilder`: what ocibuilder wrote, and what gates look up beside it.

use std::{fs, path::Path, process::Command};

use countersign_kit::{Auth, Content, Key, Registry, Users, image, index};
use serde_json::{Value, json};

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::{attesting, stores_with_records},
};

/// A file of ocibuilder for this desk, and a configuration that trusts the key.
pub fn prepared(desk: &Desk, store: &str, key: &Key) -> String {
    let host = desk.registry.host();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ocibuilder/ocibuilder.yaml");
    let text = fs::read_to_string(fixture).unwrap();
    let text = text.replace("REPOSITORY", &format!("{host}/acme/shop")).replace("HOSTNAME", store);
    desk.write("ocibuilder.yaml", &text);
    desk.write("oci.asc", &key.certificate_armored());
    let stores = stores_with_records(store).replace("projects/build", "projects/image-build");
    let note = "projects/image-build/notes/oci-attest";
    for (file, attests) in [
        ("id.yaml", "[image-id], identity: digest, layersCheckedBy: runtime"),
        ("gate.yaml", "[image-id], identity: digest, layersCheckedBy: gate"),
        ("digest.yaml", "[simple-signing]"),
    ] {
        desk.write(
            file,
            &format!(
                "{stores}{}",
                attesting(&host, "oci", &format!("note: {note}, attests: {attests}"))
            ),
        );
    }
    text
}

pub fn sign(desk: &Desk, key: &str, more: &[&str]) -> std::process::Output {
    sign_image(desk, &desk.by_digest(), key, more)
}

fn sign_image(desk: &Desk, image: &str, key: &str, more: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["sign", "--ocibuilder", "ocibuilder.yaml", image])
        .args(more)
        .current_dir(desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .env("OCI_PRI_KEY", key)
        .env("OCI_PUB_KEY", "not looked at")
        .output()
        .unwrap()
}

#[test]
fn what_ocibuilder_wrote_counts_by_id_and_by_digest() {
    let desk = Desk::new();
    // ocibuilder's documentation has its keys made with an empty passphrase.
    let key = Key::options("oci").password("").generate();
    prepared(&desk, &desk.grafeas.url(), &key);
    let missing = sign(&desk, &key.secret_armored(), &[]);
    assert_eq!(missing.status.code(), Some(1), "{}", stderr(&missing));
    for note in ["oci-attest", "oci-build", "oci-image", "--create-note"] {
        assert!(stderr(&missing).contains(note), "{}", stderr(&missing));
    }
    let times = ["--started", "2026-11-20T08:00:00Z", "--finished", "2026-11-20T08:05:00Z"];
    let signed =
        sign(&desk, &key.secret_armored(), &[&["--create-note"], times.as_slice()].concat());
    assert!(signed.status.success(), "{}", stderr(&signed));
    assert_eq!(stdout(&signed).lines().count(), 6, "three kinds, twice: {}", stdout(&signed));
    let again = sign(&desk, &key.secret_armored(), &times);
    assert_eq!(
        (again.status.code(), stdout(&again)),
        (Some(0), String::new()),
        "{}",
        stderr(&again)
    );
    for file in ["id.yaml", "gate.yaml", "digest.yaml"] {
        let judged = desk.run(&["verify", &desk.by_tag(), "--config", file]);
        assert!(judged.status.success(), "{file}: {}", stdout(&judged));
    }
    let shown = desk.run(&["evidence", &desk.by_tag(), "--config", "digest.yaml"]);
    let input: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let records = &input["images"][0]["records"];
    check_records(&desk, records);
    let provenance = &records["builds"][0]["build"]["provenance"];
    assert_eq!(provenance["startTime"], "2026-11-20T08:00:00Z");
    assert_eq!(provenance["endTime"], "2026-11-20T08:05:00Z");
}

pub fn check_records(desk: &Desk, records: &Value) {
    let (repository, digest) = (format!("{}/acme/shop", desk.registry.host()), desk.shop.digest());
    let of = |list: &str, member: &str, digest: &str| {
        let ends = |one: &&Value| one["resource"].as_str().is_some_and(|uri| uri.ends_with(digest));
        let found = records[list].as_array().and_then(|all| all.iter().find(ends));
        found.unwrap_or_else(|| panic!("{list} of {digest}: {records}"))[member].clone()
    };
    let provenance = of("builds", "build", &digest)["provenance"].clone();
    assert_eq!(
        provenance["builtArtifacts"],
        json!([{"checksum": digest, "id": format!("{repository}@{digest}"), "names": [format!("{repository}:1.4")]}])
    );
    assert_eq!(provenance["projectId"], "image-build");
    assert_eq!(provenance["creator"], "builder@acme.example");
    assert_eq!(
        provenance["sourceProvenance"],
        json!({"artifactStorageSourceUri": "https://git.example/acme/shop"})
    );
    let image = of("derived", "image", &digest);
    assert_eq!(image["fingerprint"]["v1Name"], desk.shop.image_id());
    assert_eq!(
        image["fingerprint"]["v2Blob"].as_array().map(Vec::len),
        Some(desk.shop.blobs.len() - 1)
    );
    assert!(image["fingerprint"]["v2Name"].as_str().unwrap().starts_with("sha256:"), "{image}");
}

#[test]
fn what_is_wrong_with_the_file_or_the_image() {
    let desk = Desk::new();
    let key = Key::options("oci").generate();
    let text = prepared(&desk, &desk.grafeas.url(), &key);
    let secret = key.secret_armored();
    let inline = format!("      {}", secret.trim_end().replace('\n', "\n      "));
    for (name, text, code, want) in [
        ("no block", "build: {}\n".to_owned(), 2, "ocibuilder.yaml: has no metadata: block"),
        (
            "no note",
            text.replace("image: projects/image-build/notes/oci-image", "other: x"),
            2,
            "has no metadata.storeConfig.grafeas.notes.image",
        ),
        (
            "a kind that is none",
            text.replace("[attestation, build, image]", "[sbom]"),
            2,
            "line 30: this is not as in",
        ),
        ("no kind", text.replace("[attestation, build, image]", "[]"), 2, "metadata.data is empty"),
        (
            "no URL",
            text.replace(&desk.grafeas.url(), "grafeas"),
            2,
            "metadata.hostname \"grafeas\" is no URL",
        ),
        (
            "no key",
            text.replace("envPrivateKey: OCI_PRI_KEY", "envPrivateKey: \"\""),
            2,
            "names a key",
        ),
        (
            "a variable that is not there",
            text.replace("OCI_PRI_KEY", "OCI_NO_KEY"),
            1,
            "OCI_NO_KEY",
        ),
        (
            "the key in the file",
            text.replace("envPrivateKey: OCI_PRI_KEY", &format!("plainPrivateKey: |\n{inline}")),
            0,
            "",
        ),
    ] {
        desk.write("ocibuilder.yaml", &text);
        let ended = sign(&desk, &secret, &["--create-note"]);
        assert_eq!(ended.status.code(), Some(code), "{name}: {}", stderr(&ended));
        assert!(stderr(&ended).contains(want), "{name}: {}", stderr(&ended));
        assert!(!stderr(&ended).contains("PRIVATE KEY"), "{name}: {}", stderr(&ended));
    }
    let both =
        sign(&desk, &secret, &["--store", "http://127.0.0.1:1", "--note", "projects/p/notes/n"]);
    assert_eq!(both.status.code(), Some(2), "{}", stderr(&both));
}

/// An image that says by annotations what it was built on.
fn annotated(name: &str, base: &Content, digest: &str) -> Content {
    image("shop")
        .on(base)
        .step("COPY /shop /shop")
        .step("CMD [\"/shop\"]")
        .annotation("org.opencontainers.image.base.name", name)
        .annotation("org.opencontainers.image.base.digest", digest)
        .build()
}

#[test]
fn distance_is_counted_from_the_base_that_the_image_names() {
    let desk = Desk::new();
    let key = Key::options("oci").generate();
    let secret = key.secret_armored();
    let text = prepared(&desk, &desk.grafeas.url(), &key);
    desk.write("ocibuilder.yaml", &text.replace("[attestation, build, image]", "[image]"));
    let elsewhere = Registry::start();
    let base = image("base").step("ADD rootfs /").step("CMD [\"/bin/sh\"]").build();
    let arm = image("base-arm").platform("linux/arm64").step("ADD arm /").build();
    let both = index([&arm, &base]).build();
    let other = image("other").step("ADD other /").build();
    let here = desk.registry.host();
    for (registry, name) in [(&desk.registry, "base/os"), (&elsewhere, "base/os")] {
        registry.put(name, &both);
        registry.put(name, &other);
    }
    let there = format!("{}/base/os", elsewhere.host());
    let login = json!({"auths": {elsewhere.host(): {"auth": countersign_kit::base64(b"a:b")}}});
    desk.write("config.json", &login.to_string());
    let labelled = image("shop")
        .on(&base)
        .step("COPY /shop /shop")
        .step("CMD [\"/shop\"]")
        .config(
            "Labels",
            json!({
                "org.opencontainers.image.base.name": format!("{here}/base/os:12"),
                "org.opencontainers.image.base.digest": base.digest(),
            }),
        )
        .build();
    let gone = format!("sha256:{}", "0f".repeat(32));
    let named = |name: &str, digest: &str| annotated(name, &base, digest);
    let (all, since) = (4, 2);
    for (name, built, distance, steps, said) in [
        (
            "no base",
            image("shop").on(&base).step("COPY a").step("CMD a").build(),
            Some(all),
            all,
            "",
        ),
        ("its manifest", named(&format!("{here}/base/os"), &base.digest()), Some(since), since, ""),
        ("an index, by labels", labelled, Some(since), since, ""),
        ("an index", named(&format!("{here}/base/os:12"), &both.digest()), Some(since), since, ""),
        ("in another registry", named(&there, &both.digest()), Some(since), since, ""),
        ("another image", named(&there, &other.digest()), None, all, "do not begin with those of"),
        ("gone", named(&there, &gone), None, all, "has no manifest"),
        (
            "no digest",
            image("shop")
                .on(&base)
                .step("COPY a")
                .step("CMD b")
                .annotation("org.opencontainers.image.base.name", "debian")
                .build(),
            None,
            all,
            "it does not name that by repository and digest",
        ),
    ] {
        let digest = desk.registry.put("acme/shop", &built);
        let image = format!("{here}/acme/shop@{digest}");
        desk.grafeas.clear();
        let signed = sign_image(&desk, &image, &secret, &["--create-note"]);
        assert!(signed.status.success(), "{name}: {}", stderr(&signed));
        assert!(stderr(&signed).contains(said), "{name}: {}", stderr(&signed));
        let noted = stderr(&signed).contains("is from its base image is not recorded");
        assert_eq!(noted, distance.is_none(), "{name}: {}", stderr(&signed));
        let filed = desk.grafeas.occurrences();
        let derived = &filed[0]["derivedImage"]["derivedImage"];
        let named = !["no base", "another image", "no digest"].contains(&name);
        assert_eq!(derived["baseResourceUrl"].is_string(), named, "{name}: {derived:#}");
        assert_eq!(derived["distance"], json!(distance), "{name}: {derived:#}");
        assert_eq!(derived["layerInfo"].as_array().map(Vec::len), Some(steps), "{name}");
        assert_eq!(derived["layerInfo"][0]["directive"], "CMD", "{name}: the last comes first");
    }
    let note = desk.grafeas.note("projects/image-build/notes/oci-image").unwrap();
    assert!(note["baseImage"]["resourceUrl"].is_string(), "{note:#}");
}

/// Credentials of the command line are for the image's registry; the base's gets its own, and where
/// there is none, an image does not send us to internal addresses.
#[test]
fn p9_a_base_elsewhere_gets_the_login_of_its_own_registry() {
    let desk = Desk::new();
    let key = Key::options("oci").generate();
    let text = prepared(&desk, &desk.grafeas.url(), &key);
    desk.write("ocibuilder.yaml", &text.replace("[attestation, build, image]", "[image]"));
    let elsewhere = Registry::start();
    elsewhere.set_auth(Auth::Basic(Users::one("reader", "its own")));
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "hunter2")));
    let base = image("base").step("ADD rootfs /").build();
    elsewhere.put("base/os", &base);
    let built = annotated(&format!("{}/base/os", elsewhere.host()), &base, &base.digest());
    let digest = desk.registry.put("acme/shop", &built);
    let image = format!("{}/acme/shop@{digest}", desk.registry.host());
    let sign = || {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["sign", "--ocibuilder", "ocibuilder.yaml", &image, "--create-note"])
            .args(["--username", "ci"])
            .current_dir(desk.path("."))
            .env("DOCKER_CONFIG", desk.path("."))
            .env("REGISTRY_PASSWORD", "hunter2")
            .output()
            .unwrap()
    };
    let without = sign();
    assert!(without.status.success(), "{}", stderr(&without));
    assert!(stderr(&without).contains("an internal address"), "{}", stderr(&without));
    let advice = format!("; if {} is meant, `docker login` to it", elsewhere.host());
    assert!(stderr(&without).contains(&advice), "{}", stderr(&without));
    assert_eq!(elsewhere.connections(), 0, "nobody but the image names it");
    let login = countersign_kit::base64(b"reader:its own");
    let config = json!({"auths": {elsewhere.host(): {"auth": login}}});
    desk.write("config.json", &config.to_string());
    desk.grafeas.clear();
    let with = sign();
    assert!(with.status.success(), "{}", stderr(&with));
    let filed = desk.grafeas.occurrences();
    assert_eq!(filed[0]["derivedImage"]["derivedImage"]["distance"], 2, "{}", stderr(&with));
}
