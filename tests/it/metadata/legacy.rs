//! An existing `_manifesto` tag, read and taken over.

use bytes::Bytes;
use countersign_kit::{Content, Referrers, sha256};
use serde_json::{Value, json};
use tar::EntryType;

use super::{desk::Desk, hostile::tar};

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What `docker build` made of one file.
fn docker_image(layer: Vec<u8>) -> Content {
    let (config, layer) = (Bytes::from_static(b"{}"), Bytes::from(layer));
    let blob = |kind: &str, bytes: &Bytes| {
        let media_type = format!("application/vnd.docker.{kind}");
        json!({"mediaType": media_type, "digest": sha256(bytes), "size": bytes.len()})
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": DOCKER,
        "config": blob("container.image.v1+json", &config),
        "layers": [blob("image.rootfs.diff.tar.gzip", &layer)],
    });
    Content { blobs: vec![config, layer], ..Content::raw(DOCKER, manifest.to_string()) }
}

fn data(bytes: &[u8]) -> Content {
    docker_image(tar(&[("data", EntryType::Regular, bytes)]))
}

/// Leaves a list that names these values for the desk's image.
fn leave(desk: &Desk, values: &[(&str, String)]) {
    let values: Vec<Value> =
        values.iter().map(|(kind, digest)| json!({"type": kind, "digest": digest})).collect();
    let list = json!({"images": [{"image_digest": desk.shop.digest(), "manifesto": values}]});
    desk.registry.put_image("acme/shop", "_manifesto", &data(list.to_string().as_bytes()));
}

#[test]
fn what_manifesto_left_is_listed_printed_and_taken_over() {
    let desk = Desk::new();
    // A registry of those days.
    desk.registry.set_referrers(Referrers::Off);
    let approval = desk.registry.put_blob("acme/shop", "{\"approved\": true}");
    let old = desk.registry.put("acme/shop", &data(b"a profile"));
    leave(&desk, &[("approval", approval), ("seccomp", old)]);

    let listed = desk.run("list --legacy IMAGE").good().stdout();
    assert!(
        listed.contains("approval  sha256:") && listed.contains("seccomp   sha256:"),
        "{listed}"
    );
    assert_eq!(desk.run("get --legacy IMAGE seccomp").good().stdout(), "a profile");
    desk.run("get --legacy IMAGE contact").bad(1, "left no contact");

    let imported = desk.run("import IMAGE --key ann.key --expires 1h").good();
    assert_eq!(imported.stdout().lines().count(), 2, "{}", imported.stdout());
    assert_eq!(desk.run("get IMAGE seccomp --keyring qa.asc").good().stdout(), "a profile");
    assert!(desk.verify().0, "the sign-off counts now that somebody signed it");

    let unsigned = desk.run("import IMAGE --all").good();
    assert_eq!(unsigned.stdout().lines().count(), 2, "unsigned ones stand for themselves");
    let again = desk.run("import IMAGE --all").good();
    assert_eq!(again.stderr().matches("unchanged: ").count(), 2, "{}", again.stderr());
}

#[test]
fn p8_hostile_lists_and_values_are_refused_each_with_its_reason() {
    let desk = Desk::new();
    desk.run("list --legacy IMAGE").bad(1, "has no tag \"_manifesto\"");
    let good = desk.registry.put_blob("acme/shop", "good");
    let large = desk.registry.put_blob("acme/shop", vec![b'x'; 1024 * 1024 + 1]);
    let two = desk.registry.put("acme/shop", &docker_image(tar(&[("x", EntryType::Regular, b"")])));
    leave(
        &desk,
        &[
            ("good", good),
            ("missing", sha256(b"nowhere")),
            ("large", large),
            ("other", two),
            ("a type", sha256(b"x")),
        ],
    );
    let ran = desk.run("import IMAGE --key ann.key").bad(1, "\"a type\" is no type of metadata");
    assert_eq!(ran.stdout().lines().count(), 1, "what is good is taken: {}", ran.stdout());
    for (kind, words) in [
        ("missing", "has no blob"),
        ("large", "more than 1048576 bytes of a blob"),
        ("other", "which Manifesto does not write"),
    ] {
        let line = format!("error: {kind} of ");
        let told = ran.stderr();
        let told = told
            .lines()
            .find(|told| told.starts_with(&line))
            .unwrap_or_else(|| panic!("{kind}: {told}"));
        assert!(told.contains(words), "{kind}: {told}");
    }

    desk.registry.put_image("acme/shop", "_manifesto", &docker_image(b"no tar".to_vec()));
    desk.run("list --legacy IMAGE").bad(1, "is none of Manifesto's: its layer");
    let index = Content::raw(
        "application/vnd.oci.image.index.v1+json",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    );
    desk.registry.put_image("acme/shop", "_manifesto", &index);
    desk.run("list --legacy IMAGE").bad(1, "its image has no layers");
}
