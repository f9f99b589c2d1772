//! Our Grafeas client against a whole server: the reference server, and ours.

use std::time::Duration;

use countersign::{
    attest::grafeas::Version,
    name::{Digest, NoteName, ProjectName, Repository},
    source::{Deadline, GrafeasStore, StoreOptions},
    store::{Data, StoreServer, StoreServerOptions},
};
use serde_json::{Value, json};

use crate::peer::Grafeas;

#[tokio::test]
async fn the_client_finds_what_is_about_the_image_in_our_server() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = StoreServerOptions { listen, data: Data::Memory, tls: None, tokens: None };
    let server = StoreServer::bind(options).unwrap();
    let url = server.url();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    finds_what_is_about_the_image(&url).await;
    serving.abort();
}

/// This one ignores filters and lists the occurrences of projects whose names begin alike.
#[tokio::test]
#[ignore = "needs grafeas-server"]
async fn the_client_finds_what_is_about_the_image_in_the_reference_server() {
    let server = Grafeas::start();
    finds_what_is_about_the_image(&server.url()).await;
    // A page token past the end of a list would have killed it.
    finds_nothing_yet(&server.url(), "projects/other").await;
}

async fn finds_what_is_about_the_image(url: &str) {
    let project: ProjectName = "projects/image-build".parse().unwrap();
    let neighbor: ProjectName = "projects/image-build-2".parse().unwrap();
    let (qa, built) =
        (note("projects/image-build/notes/qa"), note("projects/image-build/notes/built"));
    let store = store(url, &project);
    finds_nothing_yet(url, project.as_str()).await;

    for project in [&project, &neighbor] {
        assert!(store.create_project(project, soon()).await.unwrap());
        assert!(!store.create_project(project, soon()).await.unwrap(), "it is there");
    }
    assert!(!store.has_note(&qa, soon()).await.unwrap());
    for note in [&qa, &built] {
        assert!(store.create_note(note, soon()).await.unwrap());
        assert!(!store.create_note(note, soon()).await.unwrap(), "it is there");
    }
    assert!(store.has_note(&qa, soon()).await.unwrap());

    let (ours, others) = (digest(0), digest(1));
    let mut wanted = Vec::new();
    for (about, project, note, counts) in [
        ("registry.example/acme/shop", &project, &qa, true),
        ("registry.example/acme/shop", &project, &qa, true),
        ("registry.example/acme/shop", &project, &built, false),
        ("registry.example/acme/shop", &neighbor, &qa, false),
        ("registry.example/evil/shop", &project, &qa, false),
    ] {
        let occurrence = attestation(about, ours, note);
        let name = store.create_occurrence(project, &occurrence, soon()).await.unwrap();
        assert_eq!(name.project(), *project);
        if counts {
            wanted.push(name.to_string());
        }
    }
    // More than one page of them, about an image that is not ours.
    flood(url, &project, others, &qa).await;

    let evidence =
        store.occurrences(&image(), &[ours], std::slice::from_ref(&qa), soon()).await.unwrap();
    let counting = evidence.candidates.iter().filter(|found| found.note.as_ref() == Some(&qa));
    let mut found: Vec<String> = counting.map(|found| found.name.clone()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    assert!(evidence.missing.is_empty(), "{:?}", evidence.missing);
    assert!(evidence.candidates.iter().all(|found| found.recorded_at.is_some()));
}

/// An unknown project or note is none, and that is said.
async fn finds_nothing_yet(url: &str, project: &str) {
    let store = store(url, &project.parse().unwrap());
    let note = note(&format!("{project}/notes/qa"));
    let evidence = store.occurrences(&image(), &[digest(0)], &[note], soon()).await.unwrap();
    assert!(evidence.candidates.is_empty(), "{evidence:?}");
    assert!(evidence.missing[0].parent.contains("/notes/qa"), "{evidence:?}");
}

async fn flood(url: &str, project: &ProjectName, digest: Digest, note: &NoteName) {
    let occurrences = vec![attestation("registry.example/acme/shop", digest, note); 700];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("{url}/v1beta1/{project}/occurrences:batchCreate"))
        .header("content-type", "application/json")
        .body(json!({"occurrences": occurrences}).to_string());
    request.send().await.unwrap().error_for_status().unwrap();
}

fn attestation(repository: &str, digest: Digest, note: &NoteName) -> Value {
    let signature = json!({"signature": "c2lnbmF0dXJl", "contentType": "SIMPLE_SIGNING_JSON"});
    json!({
        "resource": {"uri": format!("https://{repository}@{digest}")},
        "noteName": note,
        "kind": "ATTESTATION",
        "attestation": {"attestation": {"pgpSignedAttestation": signature}},
    })
}

fn store(url: &str, project: &ProjectName) -> GrafeasStore {
    let url = url.parse().unwrap();
    let options = StoreOptions::new("grafeas", url, Version::V1Beta1, project.clone());
    GrafeasStore::new(options).unwrap()
}

fn image() -> Repository {
    "registry.example/acme/shop".parse().unwrap()
}

fn digest(of: u8) -> Digest {
    Digest::sha256(&[of])
}

fn note(name: &str) -> NoteName {
    name.parse().unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}
