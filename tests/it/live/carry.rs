use std::process::Command;

use tempfile::TempDir;

use crate::peer::{DockerRegistry, OciServe, binary, push_image, run};

/// From a registry without the referrers API over a layout into one that has it, and back; what
/// skopeo finds in the layout is the image.
#[test]
#[ignore = "needs ociserve, docker-registry and skopeo"]
fn an_image_goes_around_with_its_evidence() {
    let (old, new) = (DockerRegistry::start(), OciServe::start());
    let folder = TempDir::new().unwrap();
    let countersign = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        run(command.args(arguments).current_dir(&folder).env("DOCKER_CONFIG", folder.path()))
    };
    let at = |host: &str, path: &str| format!("{host}/{path}:1.4");
    let (start, middle) = (at(old.host(), "acme/shop"), at(new.host(), "mirror/shop"));
    let digest = push_image(&start, "carried");
    countersign(&["keys", "generate", "--user", "Builder <b@acme.example>", "--out", "builder"]);
    let pinned = format!("{}/acme/shop@{digest}", old.host());
    countersign(&["sign", &pinned, "--key", "builder.key", "--attach"]);

    for (from, to) in [
        (&*start, "oci:stick:shop"),
        ("oci:stick:shop", &*middle),
        (&middle, &at(old.host(), "back/shop")),
        (&at(old.host(), "back/shop"), &at(old.host(), "beside/shop")),
    ] {
        let copied = countersign(&["copy", from, to]);
        assert_eq!(copied.lines().count(), 2, "{from} → {to}: {copied}");
        assert!(copied.contains(&digest), "{from} → {to}: {copied}");
        assert_eq!(countersign(&["copy", from, to]), "", "{from} → {to}: again");
    }

    let mut skopeo = Command::new(binary("skopeo"));
    let seen = run(skopeo.args(["inspect", "--raw", "oci:stick:shop"]).current_dir(&folder));
    assert_eq!(countersign::name::Digest::sha256(seen.as_bytes()).to_string(), digest);

    for image in [&middle, &at(old.host(), "beside/shop")] {
        let removed = countersign(&["detach", image, "--yes"]);
        assert_eq!(removed.lines().count(), 1, "{image}: {removed}");
        assert_eq!(countersign(&["detach", image, "--yes"]), "", "{image}: nothing is left");
    }
}
