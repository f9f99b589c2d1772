//! Uploads: what is kept is what was sent, and referrers are listed one way or the other.

use std::time::Duration;

use bytes::Bytes;
use countersign::source::{
    Credential, CredentialSource, Deadline, FetchError, HostOptions, Pushed, Registries, Secret,
};
use countersign_kit::{
    Answer, Auth, Content, Fault, Kind, On, Referrers, Registry, Users, artifact, image,
};
use futures_util::future::join_all;
use serde_json::Value;

use super::{client, code, digest, given, host, repository, soon};

fn attestation(subject: &Content, text: &str) -> Content {
    artifact("application/vnd.example")
        .subject(subject)
        .annotation("note", text)
        .layer("text/plain", text.to_owned())
        .build()
}

async fn push(
    client: &Registries,
    registry: &Registry,
    content: &Content,
) -> Result<Pushed, FetchError> {
    push_by(client, registry, content, soon()).await
}

async fn push_by(
    client: &Registries,
    registry: &Registry,
    content: &Content,
    deadline: Deadline,
) -> Result<Pushed, FetchError> {
    let here = repository(registry, "acme/shop");
    for bytes in &content.blobs {
        client.push_blob(&here, "application/octet-stream", bytes.clone(), deadline).await?;
    }
    client.push_manifest(&here, &content.media_type, content.manifest.clone(), deadline).await
}

#[tokio::test]
async fn where_the_api_is_the_subject_is_enough() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    let signed = attestation(&shop, "signed");
    let client = client([host(&registry)]);
    let pushed = push(&client, &registry, &signed).await.unwrap();
    assert_eq!(pushed, Pushed { digest: digest(&signed), fallback_tag: None });
    let found = client.referrers(&repository(&registry, "acme/shop"), digest(&shop), soon()).await;
    assert_eq!(found.unwrap()[0].digest, digest(&signed));
    assert!(registry.tags("acme/shop").is_empty(), "nothing is tagged");
}

#[tokio::test]
async fn blobs_that_are_there_are_not_sent() {
    let registry = Registry::start();
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    for uploads in [2, 2] {
        client.push_blob(&here, "a/b", Bytes::from("blob"), soon()).await.unwrap();
        assert_eq!(registry.count(Kind::Upload), uploads);
    }
}

#[tokio::test]
async fn without_the_api_the_tag_is_kept() {
    let registry = Registry::options().referrers(Referrers::Off).start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    let client = client([host(&registry)]);
    for (text, count) in [("one", 1), ("two", 2), ("one", 2)] {
        let signed = attestation(&shop, text);
        let pushed = push(&client, &registry, &signed).await.unwrap();
        assert_eq!(pushed.fallback_tag, Some(digest(&shop).fallback_tag()));
        let here = repository(&registry, "acme/shop");
        let found = client.referrers(&here, digest(&shop), soon()).await.unwrap();
        assert_eq!(found.len(), count, "{text}");
    }
    let (media_type, bytes) =
        registry.manifest("acme/shop", &digest(&shop).fallback_tag()).unwrap();
    assert_eq!(media_type, "application/vnd.oci.image.index.v1+json");
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    let entry = &index["manifests"][0];
    assert_eq!(entry["artifactType"], "application/vnd.example");
    assert_eq!(entry["annotations"]["note"], "one");
    assert_eq!(entry["size"], attestation(&shop, "one").manifest.len());
}

/// Each writer a process of its own, as far as the registry can tell, and none of them quick.
#[tokio::test]
async fn twenty_signers_at_once_do_not_lose_each_others_entries() {
    for referrers in [Referrers::Off, Referrers::All { filter: true }] {
        let registry = Registry::options().referrers(referrers.clone()).start();
        registry
            .fault(On::kind(Kind::Manifest).method("PUT"), Fault::Delay(Duration::from_millis(10)));
        let shop = image("shop").build();
        registry.put("acme/shop", &shop);
        let others = attestation(&shop, "was there before");
        registry.attach("acme/shop", &others);
        let signed: Vec<_> = (0..20).map(|at| attestation(&shop, &at.to_string())).collect();
        let writers = signed.iter().map(|one| async {
            let patient = Deadline::after(Duration::from_secs(60));
            push_by(&client([host(&registry)]), &registry, one, patient).await.map(|_| ())
        });
        for outcome in join_all(writers).await {
            outcome.unwrap();
        }
        let here = repository(&registry, "acme/shop");
        let found =
            client([host(&registry)]).referrers(&here, digest(&shop), soon()).await.unwrap();
        assert_eq!(found.len(), 21, "{referrers:?}");
    }
}

#[tokio::test]
async fn a_tag_that_is_something_else_is_left_alone() {
    let registry = Registry::options().referrers(Referrers::Off).start();
    let shop = image("shop").build();
    let tag = digest(&shop).fallback_tag();
    registry.put_image("acme/shop", &tag, &shop);
    let client = client([host(&registry)]);
    let error = push(&client, &registry, &attestation(&shop, "x")).await.unwrap_err();
    assert!(error.to_string().contains("no list of referrers"), "{error}");
    assert_eq!(registry.manifest("acme/shop", &tag).unwrap().1, shop.manifest);
}

#[tokio::test]
async fn what_the_registry_kept_is_read_back() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    registry.fault(On::kind(Kind::Manifest).method("GET"), Fault::padded());
    let client = client([host(&registry)]);
    let outcome = push(&client, &registry, &attestation(&shop, "x")).await;
    assert_eq!(code(outcome), "image.digest-mismatch");
}

#[tokio::test]
async fn p9_an_upload_to_another_host_gets_no_credential() {
    let storage = Registry::start();
    let registry = Registry::options().auth(Auth::Bearer(Users::one("ci", "hunter2"))).start();
    // It has the blob as soon as its storage does.
    registry.put_blob("acme/shop", "blob");
    registry.fault(On::kind(Kind::Blob).method("HEAD"), Fault::status(404));
    let location = format!("{}/v2/acme/shop/blobs/uploads/1", storage.url());
    registry.fault(
        On::kind(Kind::Upload).method("POST"),
        Fault::rewrite(move |_, answer| match answer.status {
            202 => Answer::new(202).with("location", location.clone()),
            _ => answer,
        }),
    );
    let password = Secret::new("hunter2".into());
    let ci = CredentialSource::Given(Credential::Password { username: "ci".into(), password });
    let options = HostOptions { credentials: given(ci), ..host(&registry) };
    let here = repository(&registry, "acme/shop");
    let client = client([options, host(&storage)]);
    client.push_blob(&here, "a/b", Bytes::from("blob"), soon()).await.unwrap();
    assert_eq!(storage.count(Kind::Upload), 1);
    assert!(storage.requests().iter().all(|request| request.authorization().is_none()));
    let scopes = registry.requests();
    let scope = scopes.iter().find_map(|request| request.parameter("scope"));
    assert_eq!(scope.as_deref(), Some("repository:acme/shop:pull,push"));
}

#[tokio::test]
async fn a_push_that_is_refused_says_so() {
    for (name, fault, want) in [
        ("forbidden", Fault::status(403), "registry.unauthorized"),
        ("too large", Fault::status(413), "registry.invalid"),
        ("down", Fault::status(503), "registry.unreachable"),
        ("sent elsewhere", Fault::redirect(307, "https://r.example/"), "registry.redirect-refused"),
    ] {
        let registry = Registry::start();
        registry.fault(On::kind(Kind::Upload), fault);
        let here = repository(&registry, "acme/shop");
        let outcome =
            client([host(&registry)]).push_blob(&here, "a/b", Bytes::from("blob"), soon()).await;
        assert_eq!(code(outcome), want, "{name}");
    }
}

#[tokio::test]
async fn a_manifest_is_sent_again_where_a_blob_was_not_there_yet() {
    for (name, times, want) in [("for a moment", 2, None), ("for good", 9, Some("HTTP 400"))] {
        let registry = Registry::start();
        let shop = image("shop").build();
        let put = On::kind(Kind::Manifest).method("PUT");
        let unknown = Answer::registry_error(400, "MANIFEST_BLOB_UNKNOWN");
        registry.fault(put.first(times), Fault::Instead(unknown));
        let outcome = push(&client([host(&registry)]), &registry, &shop).await;
        match (outcome, want) {
            (Ok(pushed), None) => assert_eq!(pushed.digest, digest(&shop), "{name}"),
            (Err(error), Some(want)) => {
                assert!(error.to_string().contains(want), "{name}: {error}")
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}
