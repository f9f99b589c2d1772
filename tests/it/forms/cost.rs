//! What each form of evidence costs a review of an image that nobody asked about before: requests,
//! and how many of them one after the other. `cargo bench --bench load` measures the time.

use std::time::Duration;

use countersign_kit::{Form, Kind, forms, round_trips};

use super::stage::Stage;

/// Long enough for what is asked side by side to be seen as such on a machine that is busy.
const LATENCY: Duration = Duration::from_millis(300);

/// Requests and round trips by the name of a form. Each review asks two stores for the occurrences of
/// the note and of the project, the registry for the manifest and the referrers, the lookaside, and for
/// PKIX keys both tags: seven requests, or nine. What is on top of that is the
/// form's own; in an index, its platform is asked about too.
const COSTS: [(&str, usize, usize); 15] = [
    ("Countersign, simple signing", 8, 2),
    ("Countersign, statement", 8, 2),
    ("Countersign, statement, PKIX", 10, 2),
    ("Countersign, metadata", 8, 2),
    ("Kritis, Voucher", 7, 1),
    ("Binary Authorization", 9, 1),
    ("ocibuilder", 11, 2),
    ("podman, lookaside", 8, 2),
    ("podman, extension", 9, 3),
    ("cosign, .sig", 10, 2),
    ("cosign, .att", 10, 2),
    ("cosign, bundle", 11, 3),
    ("Notation", 9, 3),
    ("DSSE envelope in an index", 16, 3),
    ("BuildKit, in a signed index", 17, 3),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_form_costs_a_cold_image_what_the_table_says() {
    let forms = forms("cold");
    let names: Vec<_> = forms.iter().map(|form| form.name.as_str()).collect();
    assert_eq!(names, COSTS.map(|(name, ..)| name));
    let mut wrong = Vec::new();
    for (form, (name, requests, trips)) in forms.iter().zip(COSTS) {
        let got = cost(form).await;
        if got != (requests, trips) {
            wrong.push(format!("{name}: want {requests} requests in {trips} trips, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn cost(form: &Form) -> (usize, usize) {
    let stage = Stage::of(form, form.attests, None);
    let asked = form.hang(&form.evidence, &stage.spot("acme/shop", &form.image));
    stage.registry.latency(LATENCY);
    stage.stores.iter().for_each(|store| store.latency(LATENCY));
    let entries = stage.sees("acme/shop", &asked).await;
    let counts: usize = entries.iter().map(|entry| form.counted(entry)).sum();
    assert_eq!(counts, 1, "{}: {entries:#?}", form.name);
    let stores = stage.stores.iter().flat_map(|store| store.requests());
    let requests: Vec<_> = stage.registry.requests().into_iter().chain(stores).collect();
    // Its front page is asked for by as many as begin before it has answered.
    let counted = requests.iter().filter(|request| request.kind != Kind::Ping).count();
    (counted, round_trips(&requests))
}
