//! What was seen at the build is what is judged at admission: one build through every carrier.

use std::{
    fs::{self, File},
    process::{Command, Output},
};

use countersign_kit::{Content, Engine, EngineKind, image};
use serde_json::{Value, json};

use super::vector;
use crate::scene::Scene;

/// A rule that reads statements, so that they are looked up.
pub const READS: &str = "package acme\n\ndeny contains statement.name if {\n\tsome image in input.images\n\tsome statement in image.statements\n}\n";

fn evidence(image: &str, docker_host: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["evidence", image])
        .env("DOCKER_HOST", docker_host)
        .env_remove("COUNTERSIGN_CONFIG")
        .output()
        .unwrap()
}

/// What was printed, by platform: its manifest, the statements, what was rejected.
fn seen(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    told(&printed)
}

/// The same, of a policy input.
pub fn told(document: &Value) -> Vec<Value> {
    let images = document["images"].as_array().unwrap().iter();
    images
        .map(|image| {
            json!({
                "manifest": image["platform"]["digest"],
                "statements": image["statements"],
                "rejected": image["rejected"],
                "lookup": image["lookups"]["index"],
            })
        })
        .collect()
}

/// What a gate sees of it, with a rule that reads statements.
async fn at_admission(content: &Content) -> Vec<Value> {
    let rules = tempfile::tempdir().unwrap();
    let rule = rules.path().join("acme.rego");
    fs::write(&rule, READS).unwrap();
    let rule = rule.display();
    let policy = format!(
        "  - {{name: reads, match: {{}}, mode: enforce, rules: [{{path: {rule}, package: acme}}]}}"
    );
    let scene = Scene::with("", &policy);
    scene.registry.put_image("acme/shop", "1.4", content);
    let pinned = scene.image(&format!("acme/shop@{}", content.digest()));
    told(&scene.input(&pinned).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_build_says_the_same_in_layout_engine_and_registry() {
    for (file, statements) in [
        ("artifact-slsa1.tar", 1),
        ("image-manifest-slsa02.tar", 1),
        ("multi-artifact-slsa1.tar", 2),
        ("git-builder-slsa1.tar", 1),
        ("vcs-builder-slsa02.tar", 1),
        ("no-provenance.tar", 0),
        ("docker-save.tar", 0),
    ] {
        let content = vector::content(file);
        let want = at_admission(&content).await;
        let count: usize = want.iter().map(|one| one["statements"].as_array().unwrap().len()).sum();
        assert_eq!(count, statements, "{file}: {want:#?}");

        let folder = tempfile::tempdir().unwrap();
        let unpacked = folder.path().join("layout");
        tar::Archive::new(File::open(vector::path(file)).unwrap()).unpack(&unpacked).unwrap();
        let name = "registry.test/demo/bk:v1";
        let socket = folder.path().join("docker.sock");
        let engine = Engine::start(&socket, EngineKind::Containerd, &[(name, &content)]);
        let tar = vector::path(file);
        for place in [
            format!("oci:{}", unpacked.display()),
            format!("oci-archive:{}", tar.display()),
            format!("docker-archive:{}", tar.display()),
            format!("docker://{name}"),
        ] {
            let got = seen(&evidence(&place, &engine.host()));
            assert_eq!(got, want, "{file} as {place}");
        }
    }
}

#[test]
fn a_moved_statement_is_rejected_offline_too() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path();
    tar::Archive::new(File::open(vector::path("artifact-slsa1.tar")).unwrap())
        .unpack(layout)
        .unwrap();
    // The index lists the same statements for another manifest of the layout.
    let other = image("other").build();
    let put = |bytes: &[u8]| {
        let digest = countersign_kit::sha256(bytes);
        fs::write(layout.join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
        json!({"digest": digest, "size": bytes.len()})
    };
    put(&other.manifest);
    let index = vector::content("artifact-slsa1.tar");
    let text = String::from_utf8(index.manifest.to_vec()).unwrap();
    let mut moved: Value = serde_json::from_str(&text).unwrap();
    moved["manifests"][0]["digest"] = other.digest().into();
    moved["manifests"][0]["size"] = other.manifest.len().into();
    moved["manifests"][1]["annotations"]["vnd.docker.reference.digest"] = other.digest().into();
    let mut listed = put(moved.to_string().as_bytes());
    listed["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
    let list = json!({"schemaVersion": 2, "manifests": [listed]});
    fs::write(layout.join("index.json"), list.to_string()).unwrap();

    let got = seen(&evidence(&format!("oci:{}", layout.display()), ""));
    assert_eq!(got[0]["statements"], json!([]), "{got:#?}");
    assert_eq!(got[0]["rejected"][0]["code"], "payload.other-image", "{got:#?}");
}

#[test]
fn an_engine_that_cannot_tell_says_why() {
    let content = vector::content("artifact-slsa1.tar");
    let name = "shop:1.4";
    for (what, kind, asked, want) in [
        ("old", Some(EngineKind::Old), name, "too old to tell"),
        ("graph driver", Some(EngineKind::GraphDriver), name, "turn on its containerd image"),
        ("no image", Some(EngineKind::Containerd), "other:1", "has no image other:1"),
        ("no name", Some(EngineKind::Containerd), "../containers/x", "is no name of an image"),
        ("nobody", None, name, "does not answer"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let engine = kind.map(|kind| Engine::start(&socket, kind, &[(name, &content)]));
        let host = format!("unix://{}", socket.display());
        let output = evidence(&format!("docker://{asked}"), &host);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{what}: {error}");
        assert!(error.contains(want), "{what}: {error}");
        drop(engine);
    }
    let output = evidence("docker://shop", "tcp://127.0.0.1:2375");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("only unix:///path is asked"), "{error}");
    let output = evidence("registry.example/shop", "");
    assert_eq!(output.status.code(), Some(2));
}
