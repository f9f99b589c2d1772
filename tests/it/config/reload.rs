//! What changes in a file is in force within a second, and what does not load changes nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use countersign::{
    admission::{Gate, Phase},
    config::Watch,
    serve::Metrics,
    source::Deadline,
};
use countersign_kit::{Grafeas, Kind, Registry, attestation_pgp, image, review, sha256, tar};
use serde_json::Value;

use super::folder::{Folder, MINIMAL, key};
use crate::{
    configuration::{IMAGE_ID, attesting, stores},
    gate::layers::{GZIP, gzip},
};

/// Whether another gate than `last` came into force within a second.
async fn changed(gates: &arc_swap::ArcSwap<Gate>, last: &Arc<Gate>) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        if !Arc::ptr_eq(&gates.load_full(), last) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

/// How many reloads ended so.
fn reloads(metrics: &Metrics, result: &str) -> u64 {
    let text = metrics.text().unwrap();
    let name = format!("countersign_configuration_reloads_total{{result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |n| n.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_changed_file_is_in_force_within_a_second() {
    let folder = Folder::new();
    let (config, watch) = Watch::start(&folder.at("minimal.yaml")).unwrap();
    let gates = watch.gate();
    assert!(Arc::ptr_eq(&gates.load_full(), &config.gate));
    let metrics = Arc::new(Metrics::new());
    let following = tokio::spawn(watch.follow(Arc::clone(&metrics)));

    let last = gates.load_full();
    assert!(!changed(&gates, &last).await, "nothing has changed");

    let digest = "51d2f067eb94ec8ab0531987a414d8dbe8c203244ae5d5ad4ba6eb1babd1d54a";
    let revoking = format!("{MINIMAL}revoked: [\"sha256:{digest}\"]\n");
    folder.write("minimal.yaml", &revoking);
    assert!(changed(&gates, &last).await, "a digest is revoked");

    let last = gates.load_full();
    folder.write("qa.asc", key("next").certificate_armored());
    assert!(changed(&gates, &last).await, "a key is exchanged");

    let last = gates.load_full();
    folder.write("qa.asc", "");
    assert!(!changed(&gates, &last).await, "an empty keyring does not load");
    assert_eq!((reloads(&metrics, "success"), reloads(&metrics, "failure")), (2, 1));
    folder.write("minimal.yaml", "unmatched: [");
    assert!(!changed(&gates, &last).await, "broken YAML does not load");
    assert_eq!(reloads(&metrics, "failure"), 2, "and the metric says so");
    folder.write("minimal.yaml", &revoking);
    assert!(!changed(&gates, &last).await, "the keyring is still empty");
    folder.write("qa.asc", key("last").certificate_armored());
    assert!(changed(&gates, &last).await, "all is well again");
    following.abort();
}

async fn admits(gate: &Arc<Gate>, pinned: &str) -> bool {
    let body = Bytes::from(review(&[pinned]).build().to_string());
    let deadline = Deadline::after(Duration::from_secs(30));
    let reply = gate.review(Phase::Validate, body, deadline).await;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    answer["response"]["allowed"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_what_layers_unpack_to_outlives_a_configuration() {
    let (folder, registry, store) = (Folder::new(), Registry::start(), Grafeas::start());
    let (host, url, note) = (registry.host(), store.url(), "projects/build/notes/oci-attest");
    store.put_project("projects/build");
    store.put_note(note);
    let text = format!(
        "tls: {{certificate: tls.crt, key: tls.key}}\ndeadline: 30s\n{}{}",
        stores(&url),
        attesting(&host, "qa", &format!("note: {note}, {IMAGE_ID}"))
    );
    folder.write("gate.yaml", &text);
    let archive = tar("app", b"app");
    let layers = vec![(GZIP.to_owned(), Bytes::from(gzip(&archive)))];
    let shop = image("shop").layers(layers).diff_ids(vec![sha256(&archive)]).build();
    let pinned = format!("{host}/acme/shop@{}", registry.put("acme/shop", &shop));
    let signature = folder.qa.signing().text().armored().detached(shop.image_id().as_bytes());
    let uri = format!("https://{host}/acme/shop@{}", shop.image_id());
    let signature = String::from_utf8(signature).unwrap();
    store.put("projects/build", attestation_pgp(&uri, note, &signature, &folder.qa.fingerprint()));

    let (_config, watch) = Watch::start(&folder.at("gate.yaml")).unwrap();
    let gates = watch.gate();
    let following = tokio::spawn(watch.follow(Arc::new(Metrics::new())));
    let last = gates.load_full();
    assert!(admits(&last, &pinned).await);
    assert_eq!(registry.count(Kind::Blob), 2, "the configuration and its layer");
    registry.forget();
    folder.write("gate.yaml", format!("{text}revoked: [\"{}\"]\n", sha256(b"another image")));
    let reloaded = async {
        while Arc::ptr_eq(&gates.load_full(), &last) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reloaded).await.expect("a reload");
    assert!(admits(&gates.load_full(), &pinned).await);
    assert_eq!(registry.count(Kind::Blob), 1, "the configuration");
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_changes_without_a_restart() {
    let folder = Folder::new();
    let (config, watch) = Watch::start(&folder.at("minimal.yaml")).unwrap();
    let longest = config.serve.unwrap().deadline;
    assert_eq!(longest.get(), Duration::from_secs(8));
    let following = tokio::spawn(watch.follow(Arc::new(Metrics::new())));
    let text = MINIMAL.replacen("unmatched", "deadline: 2500ms\nunmatched", 1);
    folder.write("minimal.yaml", text);
    let start = Instant::now();
    while longest.get() != Duration::from_millis(2500) {
        assert!(start.elapsed() < Duration::from_secs(60), "it is still {:?}", longest.get());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    following.abort();
}
