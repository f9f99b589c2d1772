//! The Grafeas client against the kit's double, the embedded store and the reference server: the
//! same tests for each.

use std::{str::FromStr, time::Duration};

use countersign::{
    attest::{
        Signed,
        grafeas::{ResourceUri, Version},
    },
    name::{Digest, NoteName, ProjectName, Repository},
    source::{Deadline, GrafeasStore, StoreEvidence, StoreOptions},
    store::{Data, StoreServer, StoreServerOptions},
};
use serde_json::{Value, json};

use crate::peer;

/// A client of the store at `url`, for `projects/image-build`, that hands on records of its notes.
pub fn client(url: &str, api: Version) -> GrafeasStore {
    let mut options =
        StoreOptions::new("grafeas", url.parse().unwrap(), api, parsed("projects/image-build"));
    options.records = vec![parsed("projects/image-build/notes/*")];
    GrafeasStore::new(options).unwrap()
}

pub fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

pub fn repository() -> Repository {
    parsed("registry.test/demo/app")
}

pub fn digest() -> Digest {
    parsed("sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b")
}

pub fn uri() -> String {
    ResourceUri::written_for(&repository(), digest())
}

/// A v1beta1 attestation that any server takes.
pub fn attestation(uri: &str, note: &str) -> Value {
    json!({"resource": {"uri": uri}, "noteName": note, "kind": "ATTESTATION",
        "attestation": {"attestation": {"pgpSignedAttestation": {
            "signature": "-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n",
            "contentType": "SIMPLE_SIGNING_JSON", "pgpKeyId": "AB"}}}})
}

fn build(uri: &str) -> Value {
    json!({"resource": {"uri": uri}, "noteName": "projects/image-build/notes/build",
        "kind": "BUILD", "build": {"provenance": {"id": "b-1", "creator": "ci@example.test"}}})
}

pub async fn look(store: &GrafeasStore, notes: &[&str]) -> StoreEvidence {
    let notes: Vec<NoteName> = notes.iter().map(|note| parsed(note)).collect();
    store.occurrences(&repository(), &[digest()], &notes, soon()).await.unwrap()
}

pub const QA: &str = "projects/image-build/notes/qa";

/// An embedded store, as long as this lives.
pub struct Embedded {
    pub url: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Embedded {
    pub fn start() -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = StoreServerOptions { listen, data: Data::Memory, tls: None, tokens: None };
        let server = StoreServer::bind(options).unwrap();
        let url = server.url();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        Self { url, _stop: stop }
    }
}

/// What a signer and a webhook need of any server.
async fn what_was_written_is_found(url: &str, api: Version) {
    let store = client(url, api);
    let project: ProjectName = parsed("projects/image-build");
    let note: NoteName = parsed(QA);
    if api == Version::V1Beta1 {
        assert!(store.create_project(&project, soon()).await.unwrap());
        assert!(!store.create_project(&project, soon()).await.unwrap(), "twice");
    }
    assert!(!store.has_note(&note, soon()).await.unwrap());
    assert!(store.create_note(&note, soon()).await.unwrap());
    assert!(!store.create_note(&note, soon()).await.unwrap(), "twice");
    assert!(store.has_note(&note, soon()).await.unwrap());
    assert!(store.create_note(&parsed("projects/image-build/notes/build"), soon()).await.unwrap());

    let nothing = look(&store, &[QA]).await;
    assert!(nothing.candidates.is_empty() && nothing.records.is_empty());
    assert!(nothing.missing.is_empty(), "{:?}", nothing.missing);

    let name = store.create_occurrence(&project, &attestation(&uri(), QA), soon()).await.unwrap();
    assert_eq!(name.project(), project);
    store.create_occurrence(&project, &build(&uri()), soon()).await.unwrap();
    for other in ["https://registry.test/demo/other", "https://registry.test/demo/app-evil"] {
        let other = format!("{other}@{}", digest());
        store.create_occurrence(&project, &attestation(&other, QA), soon()).await.unwrap();
    }
    let found = look(&store, &[QA]).await;
    let [candidate] = found.candidates.as_slice() else { panic!("{found:?}") };
    assert_eq!(candidate.name, name.to_string());
    assert_eq!(candidate.note, Some(note));
    assert!(candidate.recorded_at.is_some(), "the server's time");
    assert!(matches!(candidate.signed, Signed::OpenPgpMessage(_)), "{candidate:?}");
    let [("builds", record)] = found.records.as_slice() else { panic!("{found:?}") };
    assert_eq!(record["build"]["provenance"]["creator"], "ci@example.test");
    assert!(found.unreadable.is_empty());

    let unknown = look(&store, &["projects/image-build/notes/none"]).await;
    let missing: Vec<String> = unknown.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["the store grafeas knows no projects/image-build/notes/none"]);
}

#[tokio::test]
async fn the_double_keeps_what_was_written() {
    let double = countersign_kit::Grafeas::start();
    what_was_written_is_found(&double.url(), Version::V1Beta1).await;
}

#[tokio::test]
async fn the_embedded_store_keeps_what_was_written() {
    let store = Embedded::start();
    what_was_written_is_found(&store.url, Version::V1Beta1).await;
}

#[tokio::test]
async fn the_embedded_store_speaks_v1_too() {
    let store = Embedded::start();
    what_was_written_is_found(&store.url, Version::V1).await;
    // And shows the same in the other version.
    let found = look(&client(&store.url, Version::V1Beta1), &[QA]).await;
    assert_eq!((found.candidates.len(), found.records.len()), (1, 1));
}

#[tokio::test]
#[ignore = "needs grafeas-server"]
async fn the_reference_server_keeps_what_was_written() {
    let server = peer::Grafeas::start();
    what_was_written_is_found(&server.url(), Version::V1Beta1).await;
}

/// Lists longer than a page.
async fn all_pages_are_read(url: &str) {
    let store = client(url, Version::V1Beta1);
    let project: ProjectName = parsed("projects/image-build");
    store.create_note(&parsed(QA), soon()).await.unwrap();
    let http = reqwest::Client::new();
    let batch = format!("{url}/v1beta1/{project}/occurrences:batchCreate");
    for _ in 0..2 {
        let other = format!("https://registry.test/demo/other@{}", digest());
        let occurrences: Vec<_> = (0..600).map(|_| attestation(&other, QA)).collect();
        let body = json!({"parent": "projects/image-build", "occurrences": occurrences});
        let answer = http
            .post(&batch)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }
    let name = store.create_occurrence(&project, &attestation(&uri(), QA), soon()).await.unwrap();
    let found = look(&store, &[QA]).await;
    let names: Vec<_> = found.candidates.iter().map(|one| one.name.clone()).collect();
    assert_eq!(names, [name.to_string()]);
}

#[tokio::test]
async fn p8_a_flood_in_the_double_hides_nothing() {
    all_pages_are_read(&countersign_kit::Grafeas::start().url()).await;
}

#[tokio::test]
async fn p8_a_flood_in_the_embedded_store_hides_nothing() {
    all_pages_are_read(&Embedded::start().url).await;
}

#[tokio::test]
#[ignore = "needs grafeas-server"]
async fn p8_a_flood_in_the_reference_server_hides_nothing() {
    all_pages_are_read(&peer::Grafeas::start().url()).await;
}
