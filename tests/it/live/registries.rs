use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::peer::{DockerRegistry, OciServe, push_layout};

/// What tells the two registries apart, and all that the tests here rely on.
#[tokio::test]
#[ignore = "needs docker-registry, ociserve and skopeo"]
async fn one_registry_knows_referrers_and_the_other_does_not() {
    let (old, new) = (DockerRegistry::start(), OciServe::start());
    let layout = TempDir::new().unwrap();
    let digest = write_layout(layout.path());
    for (host, status) in [(old.host(), 404), (new.host(), 200)] {
        push_layout(layout.path(), "v1", &format!("{host}/acme/shop:v1"));
        let answer = get(&format!("http://{host}/v2/acme/shop/referrers/{digest}")).await;
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
#[ignore = "needs docker-registry and htpasswd"]
async fn a_private_registry_asks_for_a_password_over_tls() {
    let registry = DockerRegistry::start_private("ci", "secret");
    let ca = std::fs::read(registry.folder().join("ca.crt")).unwrap();
    let client = client().tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()]);
    let client = client.build().unwrap();
    let url = format!("https://{}/v2/", registry.host());
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"test\"");
    let answer = client.get(&url).basic_auth("ci", Some("secret")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// Writes an OCI layout of one image, tagged `v1`, and returns the image's digest.
pub fn write_layout(folder: &Path) -> String {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let blob = |bytes: &[u8], media_type: &str| {
        let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(blobs.join(&hex), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
    };
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(config.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json"),
        "layers": [],
    });
    let mut image =
        blob(manifest.to_string().as_bytes(), "application/vnd.oci.image.manifest.v1+json");
    let digest = image["digest"].as_str().unwrap().to_owned();
    image["annotations"] = json!({"org.opencontainers.image.ref.name": "v1"});
    let index = json!({"schemaVersion": 2, "manifests": [image]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digest
}

async fn get(url: &str) -> reqwest::Response {
    client().build().unwrap().get(url).send().await.unwrap()
}

fn client() -> reqwest::ClientBuilder {
    // A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
