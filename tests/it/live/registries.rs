use std::time::Duration;

use bytes::Bytes;
use countersign::name::{Code, Digest, Repository};
use countersign::source::{
    Credential, CredentialOptions, CredentialSource, Deadline, HostOptions, Reference, Registries,
    RegistriesOptions, Secret,
};
use serde_json::{Value, json};

use crate::peer::{DockerRegistry, OciServe, push_image};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[tokio::test]
#[ignore = "needs ociserve and skopeo"]
async fn evidence_is_found_by_the_referrers_api() {
    let registry = OciServe::start();
    let (registries, repository) = client(HostOptions::typed(registry.host(), false, None));
    let subject = push_image(&format!("{repository}:v1"), "subject").parse().unwrap();
    let (name, manifest) = referrer(registry.host(), subject).await;
    put(registry.host(), &name.to_string(), MANIFEST, manifest).await;

    let found = registries.referrers(&repository, subject, soon()).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.digest, &found.artifact_type)).collect();
    assert_eq!(found, [(name, &Some("application/vnd.example".into()))]);
    let fetched = registries.manifest(&repository, Reference::Digest(name), soon()).await.unwrap();
    assert_eq!(fetched.digest, name);
}

#[tokio::test]
#[ignore = "needs docker-registry and skopeo"]
async fn evidence_is_found_under_the_fallback_tag() {
    let registry = DockerRegistry::start();
    let (registries, repository) = client(HostOptions::typed(registry.host(), false, None));
    let subject: Digest = push_image(&format!("{repository}:v1"), "subject").parse().unwrap();
    assert!(registries.referrers(&repository, subject, soon()).await.unwrap().is_empty());

    let (name, manifest) = referrer(registry.host(), subject).await;
    let entry = json!({"mediaType": MANIFEST, "digest": name, "size": manifest.len()});
    put(registry.host(), &name.to_string(), MANIFEST, manifest).await;
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).to_string();
    put(registry.host(), &subject.fallback_tag(), INDEX, index).await;

    let found = registries.referrers(&repository, subject, soon()).await.unwrap();
    assert_eq!(found.iter().map(|found| found.digest).collect::<Vec<_>>(), [name]);
}

#[tokio::test]
#[ignore = "needs docker-registry and skopeo"]
async fn a_tag_is_what_skopeo_pushed_and_a_missing_one_is_said_to_be_missing() {
    let (old, new) = (DockerRegistry::start(), OciServe::start());
    for host in [old.host(), new.host()] {
        let (registries, repository) = client(HostOptions::typed(host, false, None));
        let pushed = push_image(&format!("{repository}:v1"), "tagged");
        let fetched = registries.manifest(&repository, Reference::Tag("v1"), soon()).await.unwrap();
        assert_eq!(fetched.digest.to_string(), pushed, "{host}");
        for missing in [Reference::Tag("v2"), Reference::Digest(Digest::sha256(b"nothing"))] {
            let error = registries.manifest(&repository, missing, soon()).await.unwrap_err();
            assert_eq!(error.code(), Code::ImageNotFound, "{host} {missing}: {error}");
        }
    }
}

#[tokio::test]
#[ignore = "needs docker-registry and htpasswd"]
async fn a_private_registry_lets_in_whom_it_knows_over_tls() {
    let registry = DockerRegistry::start_private("ci", "right");
    let ca: Bytes = std::fs::read(registry.folder().join("ca.crt")).unwrap().into();
    for (password, trusts, want) in [
        (Some("right"), true, Code::ImageNotFound),
        (Some("wrong"), true, Code::RegistryUnauthorized),
        (None, true, Code::RegistryUnauthorized),
        (Some("right"), false, Code::RegistryUnreachable),
    ] {
        let credentials = password.map(|password| CredentialOptions {
            repositories: vec![],
            source: CredentialSource::Given(Credential::Password {
                username: "ci".to_owned(),
                password: Secret::new(password.to_owned()),
            }),
        });
        let host = HostOptions {
            host: registry.host().to_owned(),
            ca: trusts.then(|| ca.clone()),
            credentials: credentials.into_iter().collect(),
            ..HostOptions::default()
        };
        let (registries, repository) = client(host);
        let answer = registries.manifest(&repository, Reference::Tag("v1"), soon()).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code(), want, "{password:?}, CA {trusts}: {error}");
    }
}

fn client(host: HostOptions) -> (Registries, Repository) {
    let repository = format!("{}/acme/shop", host.host).parse().unwrap();
    let options = RegistriesOptions { allow: None, hosts: vec![host] };
    (Registries::new(options).unwrap(), repository)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// Pushes what a small artifact consists of; returns its manifest, which names `subject`, and the
/// digest of that.
async fn referrer(host: &str, subject: Digest) -> (Digest, String) {
    let empty = Digest::sha256(b"{}");
    push_blob(host, empty, "{}").await;
    let config =
        json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2});
    let size = manifest_size(host, subject).await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example",
        "config": config,
        "layers": [config],
        "subject": {"mediaType": MANIFEST, "digest": subject, "size": size},
    });
    let manifest = manifest.to_string();
    (Digest::sha256(manifest.as_bytes()), manifest)
}

async fn manifest_size(host: &str, digest: Digest) -> usize {
    let url = format!("http://{host}/v2/acme/shop/manifests/{digest}");
    let answer = http().get(url).header("accept", MANIFEST).send().await.unwrap();
    let manifest = answer.error_for_status().unwrap().bytes().await.unwrap();
    serde_json::from_slice::<Value>(&manifest).unwrap();
    manifest.len()
}

async fn push_blob(host: &str, digest: Digest, content: &'static str) {
    let uploads = format!("http://{host}/v2/acme/shop/blobs/uploads/");
    let answer = http().post(&uploads).send().await.unwrap().error_for_status().unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let mut upload = url::Url::parse(&uploads).unwrap().join(location).unwrap();
    upload.query_pairs_mut().append_pair("digest", &digest.to_string());
    http().put(upload).body(content).send().await.unwrap().error_for_status().unwrap();
}

async fn put(host: &str, name: &str, media_type: &str, body: String) {
    let url = format!("http://{host}/v2/acme/shop/manifests/{name}");
    let request = http().put(url).header("content-type", media_type).body(body);
    request.send().await.unwrap().error_for_status().unwrap();
}

/// A client that is not ours.
fn http() -> reqwest::Client {
    // A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
