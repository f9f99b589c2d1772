//! An image ID signed by gpg as ocibuilder had it signed, and layers as skopeo packs and pushes them.

use std::{fs, path::Path, process::Command};

use countersign_kit::{Grafeas, attestation_pgp, sha256, tar};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    configuration::{IMAGE_ID, attesting, stores},
    peer::{DockerRegistry, GnuPg, binary, run, seen},
};

const NOTE: &str = "projects/build/notes/oci-attest";

/// Writes an OCI layout of an image with these archives, whose configuration names those; its image
/// ID.
fn write_layout(folder: &Path, archives: &[Vec<u8>], named: &[Vec<u8>]) -> String {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = sha256(bytes);
        fs::write(blobs.join(digest.replace("sha256:", "")), bytes).unwrap();
        json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": bytes.len()})
    };
    let diff_ids: Vec<_> = named.iter().map(|archive| sha256(archive)).collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = config.to_string();
    let layers: Vec<_> = archives.iter().map(|archive| blob("layer.v1.tar", archive)).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", config.as_bytes()),
        "layers": layers,
    });
    let mut image = blob("manifest.v1+json", manifest.to_string().as_bytes());
    image["annotations"] = json!({"org.opencontainers.image.ref.name": "image"});
    let index = json!({"schemaVersion": 2, "manifests": [image]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    sha256(config.as_bytes())
}

/// Pushes the layout with its layers packed so; the manifest's digest.
fn push(layout: &Path, reference: &str, format: &str) -> String {
    let digest = layout.join("digest");
    run(Command::new(binary("skopeo"))
        .args(["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"])
        .args(["--dest-compress-format", format])
        .arg(format!("--digestfile={}", digest.display()))
        .arg(format!("oci:{}:image", layout.display()))
        .arg(format!("docker://{reference}"))
        .env("HOME", layout));
    fs::read_to_string(digest).unwrap()
}

fn kinds(reference: &str) -> Vec<String> {
    let raw = run(Command::new(binary("skopeo"))
        .args(["inspect", "--raw", "--tls-verify=false"])
        .arg(format!("docker://{reference}")));
    let manifest: Value = serde_json::from_str(&raw).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.map(|layer| layer["mediaType"].as_str().unwrap().to_owned()).collect()
}

fn verify(folder: &Path, image: &str) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["verify", image, "--config", "countersign.yaml"])
        .current_dir(folder)
        .output()
        .unwrap();
    let (out, told) = (ended.stdout, ended.stderr);
    format!(
        "{:?} {}{}",
        ended.status.code(),
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&told)
    )
}

#[test]
#[ignore = "needs gpg, skopeo and docker-registry"]
fn p4_the_layers_that_skopeo_pushed_are_those_of_the_id_that_gpg_signed() {
    seen("skopeo", run(Command::new(binary("skopeo")).arg("--version")).trim());
    let (gpg, layouts) = (GnuPg::new(), TempDir::new().unwrap());
    let key = gpg.generate("oci", "rsa3072");
    // Of a few megabytes, so that they come in more than one piece.
    let content: Vec<u8> =
        (0..2_000_000_u32).flat_map(|number| (number / 3).to_le_bytes()).collect();
    let archives = [tar("base", &content), tar("app", b"app")];
    let (good, evil) = (layouts.path().join("good"), layouts.path().join("evil"));
    let image_id = write_layout(&good, &archives, &archives);
    // The signed configuration over another layer, as whoever may push can put it.
    let others = [archives[0].clone(), tar("app", b"evil")];
    assert_eq!(write_layout(&evil, &others, &archives), image_id);
    let how = ["--textmode", "--armor", "--detach-sign"];
    let signature = String::from_utf8(gpg.sign(&key, &how, image_id.as_bytes())).unwrap();

    // skopeo remembers what a registry has in another packing, so each has its own.
    for format in ["gzip", "zstd"] {
        let (registry, store) = (DockerRegistry::start(), Grafeas::start());
        let folder = TempDir::new().unwrap();
        let (host, url) = (registry.host(), store.url());
        store.put_project("projects/build");
        store.put_note(NOTE);
        let uri = format!("https://{host}/acme/shop@{image_id}");
        store.put("projects/build", attestation_pgp(&uri, NOTE, &signature, &key));
        fs::write(folder.path().join("oci.asc"), gpg.certificate(&key)).unwrap();
        let text = stores(&url) + &attesting(host, "oci", &format!("note: {NOTE}, {IMAGE_ID}"));
        fs::write(folder.path().join("countersign.yaml"), text).unwrap();

        let reference = format!("{host}/acme/shop:good");
        let digest = push(&good, &reference, format);
        let kinds = kinds(&reference);
        assert!(kinds.iter().all(|kind| kind.ends_with(format)), "{format}: {kinds:?}");
        let said = verify(folder.path(), &format!("{host}/acme/shop@{digest}"));
        assert!(said.starts_with("Some(0)"), "{format}: {said}");

        let digest = push(&evil, &format!("{host}/acme/shop:evil"), format);
        let said = verify(folder.path(), &format!("{host}/acme/shop@{digest}"));
        assert!(said.starts_with("Some(1)"), "{format}: {said}");
        for want in ["payload.layers-unbound", "layer 2 of it"] {
            assert!(said.contains(want), "{format}: {said}");
        }
    }
}
