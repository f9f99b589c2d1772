use std::time::Duration;

use bytes::Bytes;
use countersign::{
    name::{Code, Digest, Repository},
    source::{
        Credential, CredentialOptions, CredentialSource, Deadline, HostOptions, Pushed, Reference,
        Registries, RegistriesOptions, Secret,
    },
};
use serde_json::{Value, json};
use url::Url;

use crate::peer::{DockerRegistry, OciServe, push_image};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What we push is listed by the registry itself, or by us under the fallback tag; either way we
/// find it again, and so does a client that is not ours.
#[tokio::test]
#[ignore = "needs ociserve, docker-registry and skopeo"]
async fn evidence_that_we_push_is_listed_for_everybody() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for (host, has_api) in [(new.host(), true), (old.host(), false)] {
        let (registries, repository) = client(HostOptions::typed(host, false, None));
        let subject: Digest = push_image(&format!("{repository}:v1"), "subject").parse().unwrap();
        let none = registries.referrers(&repository, subject, soon()).await.unwrap();
        assert!(none.is_empty(), "{host}: {none:?}");

        // Twice is as good as once, and a second referrer does not push out the first.
        let mut pushed = Vec::new();
        for content in ["first", "first", "second"] {
            let evidence = push_evidence(&registries, &repository, subject, content).await;
            assert_eq!(evidence.fallback_tag.is_none(), has_api, "{host}: {evidence:?}");
            pushed.push(evidence.digest);
        }
        pushed.sort_unstable();
        pushed.dedup();

        let found = registries.referrers(&repository, subject, soon()).await.unwrap();
        let mut found: Vec<Digest> = found.iter().map(|found| found.digest).collect();
        found.sort_unstable();
        assert_eq!(found, pushed, "{host}");

        let list = if has_api {
            format!("referrers/{subject}")
        } else {
            format!("manifests/{}", subject.fallback_tag())
        };
        let list: Value =
            get(&format!("http://{repository}/{list}").replacen("/acme", "/v2/acme", 1)).await;
        let listed = list["manifests"].as_array().unwrap();
        assert_eq!(listed.len(), 2, "{host}: {list}");
        for entry in listed {
            assert_eq!(entry["artifactType"], "application/vnd.example", "{host}: {list}");
            assert_eq!(entry["annotations"]["acme.example/kept"], "yes", "{host}: {list}");
        }
    }
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
    for (password, trusts, want) in [
        (Some("right"), true, Code::ImageNotFound),
        (Some("wrong"), true, Code::RegistryUnauthorized),
        (None, true, Code::RegistryUnauthorized),
        (Some("right"), false, Code::RegistryUnreachable),
    ] {
        let mut host = private(&registry, password.map(|password| ("ci", password)));
        host.ca = host.ca.filter(|_| trusts);
        let (registries, repository) = client(host);
        let answer = registries.manifest(&repository, Reference::Tag("v1"), soon()).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code(), want, "{password:?}, CA {trusts}: {error}");
    }
}

#[tokio::test]
#[ignore = "needs docker-registry, token-server, htpasswd and openssl"]
async fn p9_tokens_come_from_the_configured_realm_only() {
    let registry = DockerRegistry::start_with_tokens("acme", "right");
    let realm: Url = registry.realm().unwrap().parse().unwrap();
    let elsewhere: Url = "https://auth.example/token".parse().unwrap();
    for (name, password, realm, repository, want) in [
        ("known", "right", Some(&realm), "acme/shop", Code::ImageNotFound),
        ("wrong password", "wrong", Some(&realm), "acme/shop", Code::RegistryUnauthorized),
        ("what is another's", "right", Some(&realm), "other/shop", Code::RegistryUnauthorized),
        ("realm not configured", "right", None, "acme/shop", Code::RegistryRealmRefused),
        ("another realm", "right", Some(&elsewhere), "acme/shop", Code::RegistryRealmRefused),
    ] {
        let host = private(&registry, Some(("acme", password)));
        let (registries, _) = client(HostOptions { token_realm: realm.cloned(), ..host });
        let repository = format!("{}/{repository}", registry.host()).parse().unwrap();
        let answer = registries.manifest(&repository, Reference::Tag("v1"), soon()).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code(), want, "{name}: {error}");
    }

    let host = private(&registry, Some(("acme", "right")));
    let (registries, repository) = client(HostOptions { token_realm: Some(realm), ..host });
    let content = Bytes::from_static(b"kept");
    let pushed = registries.push_blob(&repository, "text/plain", content, soon()).await.unwrap();
    let blob = registries.blob(&repository, &pushed, 100, soon()).await.unwrap();
    assert_eq!(blob, "kept", "with a token to push, and one to pull");
}

/// How to talk to a private registry: its authority, and maybe a user with a password.
fn private(registry: &DockerRegistry, user: Option<(&str, &str)>) -> HostOptions {
    let credentials = user.map(|(username, password)| CredentialOptions {
        repositories: vec![],
        source: CredentialSource::Given(Credential::Password {
            username: username.to_owned(),
            password: Secret::new(password.to_owned()),
        }),
    });
    HostOptions {
        host: registry.host().to_owned(),
        ca: Some(std::fs::read(registry.folder().join("ca.crt")).unwrap().into()),
        credentials: credentials.into_iter().collect(),
        ..HostOptions::default()
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

async fn push_evidence(
    registries: &Registries,
    repository: &Repository,
    subject: Digest,
    content: &str,
) -> Pushed {
    let blob = |media_type, content: &str| {
        registries.push_blob(repository, media_type, content.to_owned().into(), soon())
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example",
        "config": blob("application/vnd.oci.empty.v1+json", "{}").await.unwrap(),
        "layers": [blob("application/vnd.example", content).await.unwrap()],
        "subject": registries
            .manifest(repository, Reference::Digest(subject), soon())
            .await
            .map(|image| json!({"mediaType": MANIFEST, "digest": subject, "size": image.bytes.len()}))
            .unwrap(),
        "annotations": {"acme.example/kept": "yes"},
    });
    let manifest = manifest.to_string().into();
    registries.push_manifest(repository, MANIFEST, manifest, soon()).await.unwrap()
}

/// As a client would that is not ours.
async fn get(url: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).header("accept", INDEX).send().await.unwrap();
    let body = answer.error_for_status().unwrap().bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}
