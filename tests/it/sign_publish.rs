//! The publisher: everywhere or a receipt that says where not, never twice, in order, to be stopped.

use std::sync::Arc;

use countersign::{
    attest::grafeas::Version,
    name::{Digest, PinnedImage},
    sign::{
        Claim, Destinations, Entry, Publication, Publisher, Receipt, Record, RecordKind,
        RecordNote, Signer, Stop, StoreDestination, generate_key,
    },
    source::{GrafeasStore, HostOptions, Registries, RegistriesOptions, StoreOptions},
};
use countersign_kit::{Content, Fault, Grafeas, Kind, On, Quirks, Registry, image};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

const NOTE: &str = "projects/build/notes/built";

struct Scene {
    registry: Registry,
    grafeas: Grafeas,
    signers: Vec<Signer>,
    api: Version,
}

impl Scene {
    fn new(keys: usize) -> Self {
        let grafeas = Grafeas::start();
        grafeas.put_note(NOTE);
        let now = Timestamp::now();
        let key = |at| {
            let made = generate_key(&format!("ci {at}"), None, None, now).unwrap();
            Signer::load(&made.secret, None, now).unwrap()
        };
        Self {
            registry: Registry::start(),
            grafeas,
            signers: (0..keys).map(key).collect(),
            api: Version::V1Beta1,
        }
    }

    fn push(&self, name: &str) -> PinnedImage {
        let shop: Content = image(name).build();
        let digest: Digest = self.registry.put("acme/shop", &shop).parse().unwrap();
        let repository = format!("{}/acme/shop", self.registry.host()).parse().unwrap();
        PinnedImage { repository, digest }
    }

    async fn publisher(&self, attach: bool, store: bool, entries: &[Entry]) -> Publisher {
        let host = self.registry.host();
        let hosts = vec![HostOptions::typed(&host, false, None)];
        let options = RegistriesOptions { allow: None, hosts };
        let store = store.then(|| {
            let project: countersign::name::ProjectName = "projects/build".parse().unwrap();
            let url = self.grafeas.url().parse().unwrap();
            let options = StoreOptions::new("grafeas", url, self.api, project.clone());
            let store = Arc::new(GrafeasStore::new(options).unwrap());
            StoreDestination { store, note: NOTE.parse().unwrap(), project }
        });
        let registries = Arc::new(Registries::new(options).unwrap());
        let destinations = Destinations { registries, attach, store, folder: None };
        Publisher::new(self.signers.clone(), Vec::new(), entries, destinations).await.unwrap()
    }

    async fn run(&self, entries: &[Entry]) -> Vec<Receipt> {
        let publisher = self.publisher(true, true, entries).await;
        let stop = Stop::default();
        let run = publisher.run(entries, &stop);
        run.map(|receipts| receipts.unwrap())
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

fn simply(image: PinnedImage) -> Entry {
    Entry { claims: vec![Arc::new(Claim::SimpleSigning)], ..Entry::of(image) }
}

/// For each receipt where it went, with `=` where it stood, and the error if there is one.
fn summary(receipts: &[Receipt]) -> Vec<String> {
    let place = |publication: &Publication| match publication {
        Publication::Occurrence { unchanged, .. } => format!("store{}", mark(*unchanged)),
        Publication::Referrer { unchanged, .. } => format!("registry{}", mark(*unchanged)),
        Publication::File { unchanged, .. } => format!("file{}", mark(*unchanged)),
    };
    fn mark(unchanged: bool) -> &'static str {
        if unchanged { "=" } else { "" }
    }
    receipts
        .iter()
        .map(|receipt| {
            let places: Vec<String> = receipt.published.iter().map(place).collect();
            let error = receipt.error.as_ref().map(|error| format!("!{error}"));
            places.into_iter().chain(error).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[tokio::test]
async fn p14_a_failure_leaves_the_rest_to_be_completed() {
    let scene = Scene::new(2);
    let entries: Vec<Entry> =
        ["a", "b", "c"].map(|name| simply(scene.push(name))).into_iter().collect();
    let hex = entries[1].image.digest.hex();
    let refused = On::kind(Kind::Manifest).containing(&hex);
    scene.registry.fault(refused, Fault::status(403));
    let receipts = scene.run(&entries).await;
    let digests: Vec<&str> = receipts.iter().map(|receipt| &*receipt.digest).collect();
    let want: Vec<String> = entries
        .iter()
        .flat_map(|entry| [entry.image.digest.to_string(), entry.image.digest.to_string()])
        .collect();
    assert_eq!(digests, want, "in the order given");
    let got = summary(&receipts);
    assert_eq!([&got[..2], &got[4..]].concat(), ["registry store"; 4]);
    assert!(got[2].starts_with("!the registry"), "{got:?}");

    scene.registry.heal();
    assert_eq!(
        summary(&scene.run(&entries).await),
        [
            "registry= store=",
            "registry= store=",
            "registry store",
            "registry store",
            "registry= store=",
            "registry= store=",
        ]
    );
    assert_eq!(scene.grafeas.occurrences().len(), 6);
}

#[tokio::test]
async fn p14_half_of_it_is_told_and_completed() {
    let scene = Scene::new(1);
    let entries = [simply(scene.push("a"))];
    scene.grafeas.fault(On::all().method("POST"), Fault::status(403));
    let got = summary(&scene.run(&entries).await);
    assert!(got[0].starts_with("registry !the store grafeas refuses"), "{got:?}");
    scene.grafeas.heal();
    assert_eq!(summary(&scene.run(&entries).await), ["registry= store"]);
}

#[tokio::test]
async fn p14_who_lies_about_what_was_kept_is_told_so() {
    let get = |kind| On::kind(kind).method("GET");
    for (name, at_store, on, fault, want) in [
        (
            "another note kept",
            true,
            On::path("/occurrences/").method("GET"),
            Fault::rewrite(|_, mut answer| {
                let body = String::from_utf8_lossy(&answer.body);
                answer.body = body.replace("notes/built", "notes/other").into();
                answer
            }),
            "registry !the store grafeas gives an answer that is not the protocol: something else",
        ),
        (
            "another blob kept",
            false,
            get(Kind::Blob),
            Fault::bytes("{ }"),
            "!the registry HOST gives an answer that is not the protocol: something else",
        ),
        (
            "a blob that is gone",
            false,
            get(Kind::Blob),
            Fault::status(404),
            "!the registry HOST gives an answer that is not the protocol: something else",
        ),
        (
            "a list without it",
            false,
            get(Kind::Referrers),
            Fault::rewrite(|_, mut answer| {
                answer.body = r#"{"schemaVersion":2,"manifests":[]}"#.into();
                answer
            }),
            "!the registry HOST gives an answer that is not the protocol: a list of referrers",
        ),
    ] {
        let scene = Scene::new(1);
        let entries = [simply(scene.push("a"))];
        if at_store {
            scene.grafeas.fault(on, fault)
        } else {
            scene.registry.fault(on, fault)
        }
        let got = summary(&scene.run(&entries).await);
        let want = want.replace("HOST", &scene.registry.host());
        assert!(got[0].starts_with(&want), "{name}: {got:?}");
    }
}

#[tokio::test]
async fn records_are_filed_once_on_either_version() {
    for api in [Version::V1Beta1, Version::V1] {
        let mut scene = Scene::new(0);
        scene.api = api;
        scene.grafeas.set_quirks(Quirks { omits_kind: true, ..Quirks::default() });
        let image = scene.push("a");
        let record = |kind, details: Value| Record {
            kind,
            note: RecordNote::Named(NOTE.parse().unwrap()),
            note_details: json!({}),
            details,
        };
        let built =
            json!({"provenance": {"id": "1", "builtArtifacts": [{"checksum": "sha256:0f"}]}});
        let derived =
            json!({"derivedImage": {"distance": 1, "baseResourceUrl": "https://a.example/b"}});
        let vulnerability =
            json!({"packageIssue": [{"affectedLocation": {"package": "zlib"}}], "severity": "LOW"});
        let scan = json!({"discovered": {"analysisStatus": "FINISHED_SUCCESS",
            "lastAnalysisTime": "2026-11-20T08:00:00.5Z"}});
        let mut entry = Entry::of(image);
        entry.records = vec![
            record(RecordKind::Build, built),
            record(RecordKind::Image, derived),
            record(RecordKind::Vulnerability, vulnerability),
            record(RecordKind::Discovery, scan),
        ];
        let publisher = scene.publisher(false, true, std::slice::from_ref(&entry)).await;
        let first = publisher.publish(&entry).await;
        assert_eq!(summary(&first), ["store"; 4], "{api}");
        assert_eq!(summary(&publisher.publish(&entry).await), ["store="; 4], "{api}");
        entry.records[0].details["provenance"]["id"] = "2".into();
        let again = publisher.publish(&entry).await;
        assert_eq!(summary(&again), ["store", "store=", "store=", "store="], "{api}");
        let filed = scene.grafeas.occurrences();
        let member = if api == Version::V1 { "resourceUri" } else { "resource" };
        assert!(filed.iter().all(|one| one.get(member).is_some()), "{api}: {filed:#?}");
    }
}

#[tokio::test]
async fn v1_has_the_form_that_binary_authorization_documents() {
    let mut scene = Scene::new(1);
    scene.api = Version::V1;
    let entries = [simply(scene.push("a"))];
    assert_eq!(summary(&scene.run(&entries).await), ["registry store"]);
    let filed = &scene.grafeas.occurrences()[0];
    assert!(filed["resourceUri"].as_str().unwrap().starts_with("https://"), "{filed:#}");
    let signature = &filed["attestation"]["signatures"][0];
    assert_eq!(signature["publicKeyId"], scene.signers[0].fingerprint().to_string());
    assert!(filed["attestation"]["serializedPayload"].is_string(), "{filed:#}");
    assert_eq!(summary(&scene.run(&entries).await), ["registry= store="], "and is read back so");
}

#[tokio::test]
async fn a_run_that_is_stopped_begins_nothing_new() {
    let scene = Scene::new(1);
    let entries: Vec<Entry> = (0..40).map(|at| simply(scene.push(&at.to_string()))).collect();
    let publisher = scene.publisher(true, true, &entries).await;
    let stop = Stop::default();
    let run = publisher.run(&entries, &stop);
    tokio::pin!(run);
    let first = run.next().await.unwrap().unwrap();
    assert_eq!(summary(&first), ["registry store"]);
    stop.stop();
    let rest: Vec<_> = run.collect().await;
    let begun = rest.iter().flatten().count();
    assert!(begun < 39, "{begun} were begun after the stop");
    for receipts in rest.iter().flatten() {
        assert_eq!(summary(receipts), ["registry store"], "what was begun is whole");
    }
    assert_eq!(scene.grafeas.occurrences().len(), begun + 1);
}

#[tokio::test]
async fn many_images_cost_a_store_one_list_and_a_registry_few_connections() {
    let scene = Scene::new(1);
    let entries: Vec<Entry> = (0..100).map(|at| simply(scene.push(&at.to_string()))).collect();
    assert_eq!(summary(&scene.run(&entries).await), vec!["registry store"; 100]);
    scene.grafeas.forget();
    assert_eq!(summary(&scene.run(&entries).await), vec!["registry= store="; 100]);
    assert_eq!(scene.grafeas.total(), 1, "one page of the note's list");
    // At most as many as images are worked on at a time, for each of the two runs.
    let connections = [scene.registry.connections(), scene.grafeas.connections()];
    assert!(connections.iter().all(|count| *count <= 2 * 16), "{connections:?}");
}
