use std::{path::Path, process::Command};

use countersign::name::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{binary, isolated, run, seen, version_in};

/// Pushes an image without layers to `reference` with skopeo, over plain HTTP, and returns its
/// digest; another `label` makes another digest.
pub fn push_image(reference: &str, label: &str) -> String {
    let folder = TempDir::new().unwrap();
    let layout = folder.path().join("layout");
    let digest = write_layout(&layout, label);
    let skopeo = binary("skopeo");
    seen("skopeo", version_in(&run(Command::new(&skopeo).arg("--version"))));
    run(isolated(skopeo, folder.path())
        .args(["--insecure-policy", "copy", "--quiet", "--preserve-digests"])
        .arg("--dest-tls-verify=false")
        .arg(format!("oci:{}:image", layout.display()))
        .arg(format!("docker://{reference}")));
    digest
}

fn write_layout(folder: &Path, label: &str) -> String {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let blob = |kind: &str, content: &Value| {
        let bytes = content.to_string();
        let digest = Digest::sha256(bytes.as_bytes());
        std::fs::write(blobs.join(digest.hex()), &bytes).unwrap();
        let media_type = format!("application/vnd.oci.image.{kind}.v1+json");
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
    };
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"label": label}},
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    let mut image = blob(
        "manifest",
        &json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob("config", &config),
            "layers": [],
        }),
    );
    let digest = image["digest"].as_str().unwrap().to_owned();
    image["annotations"] = json!({"org.opencontainers.image.ref.name": "image"});
    let index = json!({"schemaVersion": 2, "manifests": [image]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digest
}
