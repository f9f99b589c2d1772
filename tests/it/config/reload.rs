//! What changes in a file is in force within a second, and what does not load changes nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::{admission::Gate, config::Watch, serve::Metrics};

use super::folder::{Folder, MINIMAL, key};

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

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_changed_file_is_in_force_within_a_second() {
    let folder = Folder::new();
    let (config, watch) = Watch::start(&folder.at("minimal.yaml")).unwrap();
    let gates = watch.gate();
    assert!(Arc::ptr_eq(&gates.load_full(), &config.gate));
    let metrics = Arc::new(Metrics::new());
    let following = tokio::spawn(watch.follow(metrics));

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
    folder.write("minimal.yaml", "unmatched: [");
    assert!(!changed(&gates, &last).await, "broken YAML does not load");
    folder.write("minimal.yaml", &revoking);
    assert!(!changed(&gates, &last).await, "the keyring is still empty");
    folder.write("qa.asc", key("last").certificate_armored());
    assert!(changed(&gates, &last).await, "all is well again");
    following.abort();
}
