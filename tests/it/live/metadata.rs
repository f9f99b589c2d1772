use std::process::Command;

use countersign_kit::Key;
use tempfile::TempDir;

use crate::peer::{DockerRegistry, OciServe, push_image, run};

/// Metadata is put beside an image, found, read and deleted, whether the registry lists referrers
/// itself or leaves that to a tag.
#[test]
#[ignore = "needs ociserve, docker-registry and skopeo"]
fn metadata_is_kept_by_real_registries() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    let folder = TempDir::new().unwrap();
    let key = Key::generate("QA <qa@acme.example>");
    std::fs::write(folder.path().join("qa.key"), key.secret_armored()).unwrap();
    std::fs::write(folder.path().join("qa.asc"), key.certificate_armored()).unwrap();
    // Longer than what stands in the manifest too.
    let value = format!("{{\"approved\": true, \"why\": \"{}\"}}", "x".repeat(20_000));
    std::fs::write(folder.path().join("yes.json"), &value).unwrap();
    for host in [new.host(), old.host()] {
        let image = format!("{host}/acme/shop");
        push_image(&format!("{image}:latest"), "metadata");
        let metadata = |line: &str| {
            let line = line.replace("IMAGE", &image);
            let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
            command.arg("metadata").args(line.split_whitespace());
            run(command.current_dir(folder.path()).env("DOCKER_CONFIG", folder.path()))
        };
        let expires = "--expires 2100-01-01T00:00:00Z";
        let put = format!("put IMAGE approval yes.json --key qa.key {expires}");
        assert!(metadata(&put).contains("@sha256:"), "{host}");
        assert_eq!(metadata(&put), "", "{host}: it stands there");
        metadata("put IMAGE contact yes.json");
        assert_eq!(metadata("get IMAGE approval --keyring qa.asc"), value, "{host}");
        let listed = metadata("list IMAGE --keyring qa.asc");
        assert_eq!(listed.lines().count(), 3, "{host}: {listed}");
        metadata("delete IMAGE approval --yes");
        let listed = metadata("list IMAGE");
        assert_eq!(listed.lines().count(), 2, "{host}: {listed}");
    }
}
