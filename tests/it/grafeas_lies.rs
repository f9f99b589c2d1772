//! The Grafeas client against servers that lie, fail or do not stop.

use std::time::{Duration, Instant};

use countersign::{
    attest::grafeas::Version,
    name::Code,
    source::{Deadline, FetchError, GrafeasStore, StoreEvidence},
};
use countersign_kit::{Answer, Fault, Grafeas, On, Quirks};
use serde_json::json;

use crate::grafeas_client::{QA, attestation, client, digest, look, parsed, repository, soon, uri};

const PROJECT: &str = "projects/image-build";

fn double() -> (Grafeas, GrafeasStore) {
    let double = Grafeas::start();
    double.put_note(QA);
    let store = client(&double.url(), Version::V1Beta1);
    (double, store)
}

async fn ask(store: &GrafeasStore) -> Result<StoreEvidence, FetchError> {
    store.occurrences(&repository(), &[digest()], &[parsed(QA)], soon()).await
}

/// The code and text of a lookup that must fail.
async fn failure(store: &GrafeasStore) -> (Code, String) {
    match ask(store).await {
        Ok(found) => panic!("the lookup must fail; it found {}", found.candidates.len()),
        Err(error) => (error.code(), error.to_string()),
    }
}

#[tokio::test]
async fn p3_occurrences_of_others_never_count() {
    let (double, store) = double();
    let image = uri();
    let bleeding = Quirks { prefix_bleed: true, ..Quirks::default() };
    double.set_quirks(bleeding);
    double.put("projects/image-build-evil", attestation(&image, QA));
    double.put("projects/other", attestation(&image, QA));
    double.put(PROJECT, attestation(&image, "projects/image-build/notes/qa-evil"));
    double.put(PROJECT, attestation(&image, "projects/evil/notes/qa"));
    double.put(PROJECT, attestation(&image.replace("/app@", "/app-evil@"), QA));
    double.put(PROJECT, attestation(&image.replace("1722", "2722"), QA));
    double.put(PROJECT, attestation("registry.test/demo/app:v1", QA));
    double.put_raw(attestation(&image, QA));
    let mut nameless = attestation(&image, QA);
    nameless["name"] = "projects/image-build/occurrences/../../x".into();
    double.put_raw(nameless);
    double.put_raw(json!({"name": 7}));

    let found = ask(&store).await.unwrap();
    // Two stand under other notes: handed on to say so, with the note that they claim.
    let notes: Vec<_> =
        found.candidates.iter().map(|one| one.note.as_ref().unwrap().to_string()).collect();
    assert_eq!(notes, ["projects/image-build/notes/qa-evil", "projects/evil/notes/qa"]);
    assert!(found.records.is_empty() && found.unreadable.is_empty(), "{found:?}");
}

#[tokio::test]
async fn p3_records_are_of_the_configured_notes_only() {
    let (double, store) = double();
    for note in ["projects/image-build/notes/scan", "projects/evil/notes/scan"] {
        let severity = countersign_kit::vulnerability_occurrence(&uri(), note, "HIGH", true);
        double.put(PROJECT, severity);
    }
    let found = ask(&store).await.unwrap();
    let [("vulnerabilities", record)] = found.records.as_slice() else { panic!("{found:?}") };
    assert_eq!(record["note"], "projects/image-build/notes/scan");
}

#[tokio::test]
async fn one_bad_occurrence_blocks_no_other() {
    let (double, store) = double();
    let mut broken = attestation(&uri(), QA);
    broken["attestation"]["attestation"] = json!({"pgpSignedAttestation": {"signature": 7}});
    let bad = double.put(PROJECT, broken);
    let good = double.put(PROJECT, attestation(&uri(), QA));
    let found = ask(&store).await.unwrap();
    assert_eq!(found.candidates.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [good]);
    let [rejection] = found.unreadable.as_slice() else { panic!("{found:?}") };
    assert_eq!((rejection.name.as_str(), rejection.code), (bad.as_str(), Code::SignatureMalformed));
    assert_eq!(rejection.detail(), "has a signature that is no text");
}

#[tokio::test]
async fn what_old_servers_write_is_read() {
    let (double, store) = double();
    double.put(PROJECT, attestation(&uri(), QA));
    for quirks in [
        Quirks { writes_defaults: true, ..Quirks::default() },
        Quirks { omits_kind: true, ..Quirks::default() },
        Quirks { honors_filter: true, ..Quirks::default() },
        Quirks { page_cap: 1, ..Quirks::default() },
    ] {
        double.set_quirks(quirks.clone());
        assert_eq!(ask(&store).await.unwrap().candidates.len(), 1, "{quirks:?}");
    }
}

#[tokio::test]
async fn v1_is_read() {
    let double = Grafeas::start();
    double.put_note(QA);
    double.put(PROJECT, countersign_kit::attestation_v1(&uri(), QA, b"{}", &[(b"sig", "k")]));
    let found = look(&client(&double.url(), Version::V1), &[QA]).await;
    assert_eq!(found.candidates.len(), 1);
    let paths: Vec<_> = double.requests().into_iter().map(|request| request.path).collect();
    assert!(paths.iter().all(|path| path.starts_with("/v1/projects/image-build/")), "{paths:?}");
}

#[tokio::test]
async fn p5_lists_that_lead_in_circles_fail() {
    let (double, store) = double();
    double.put(PROJECT, attestation(&uri(), QA));
    for quirks in [
        Quirks { page_loop: true, ..Quirks::default() },
        Quirks { page_loop: true, page_cap: 1, ..Quirks::default() },
    ] {
        double.set_quirks(quirks.clone());
        double.forget();
        let (code, text) = failure(&store).await;
        assert_eq!(code, Code::StoreInvalid, "{text}");
        assert!(text.contains("pages that lead in circles"), "{text}");
        assert!(double.total() < 10, "{quirks:?}: {}", double.total());
    }
}

#[tokio::test]
async fn p5_lists_with_new_tokens_for_the_same_page_fail() {
    let (double, store) = double();
    double.put(PROJECT, attestation(&uri(), QA));
    let same_page = Fault::rewrite(|request, _| {
        let turn = request.parameter("pageToken").map_or(0, |token| token.len());
        Answer::of(200, "application/json", same_page(&"x".repeat(turn + 1)))
    });
    double.fault(On::path("/occurrences"), same_page);
    let (code, text) = failure(&store).await;
    assert_eq!(code, Code::StoreInvalid, "{text}");
    assert!(double.total() < 10, "{}", double.total());
}

/// A page that is the same but for its token.
fn same_page(next: &str) -> String {
    let mut one = attestation(&uri(), QA);
    one["name"] = "projects/image-build/occurrences/kit-1".into();
    json!({"occurrences": [one], "nextPageToken": next}).to_string()
}

#[tokio::test]
async fn p8_endless_empty_pages_end() {
    let (double, store) = double();
    double.set_quirks(Quirks { empty_pages: true, ..Quirks::default() });
    let (code, text) = failure(&store).await;
    assert_eq!(code, Code::EvidenceTooMuch, "{text}");
    assert!(text.contains("more than 100 pages of occurrences"), "{text}");
    assert!(double.total() <= 202, "{}", double.total());
}

#[tokio::test]
async fn p8_too_many_about_one_image_fail() {
    let (double, store) = double();
    for _ in 0..=1000 {
        double.put(PROJECT, attestation(&uri(), QA));
    }
    let (code, text) = failure(&store).await;
    assert_eq!(code, Code::EvidenceTooMuch, "{text}");
    assert!(text.contains("more than 1000 occurrences about one image"), "{text}");
}

#[tokio::test]
async fn p8_bytes_about_one_image_are_counted_over_all_lists() {
    for (each, count, want) in [(1 << 20, 20, ""), (1 << 20, 33, TOO_MUCH)] {
        let (double, store) = double();
        double.set_quirks(Quirks { page_cap: 8, ..Quirks::default() });
        for _ in 0..count {
            let mut heavy = attestation(&uri(), QA);
            heavy["remediation"] = "x".repeat(each).into();
            double.put(PROJECT, heavy);
        }
        let deadline = Deadline::after(Duration::from_secs(30));
        let qa = [parsed(QA)];
        let found = store.occurrences(&repository(), &[digest()], &qa, deadline).await;
        let said = found.err().map_or(String::new(), |error| format!("{} {error}", error.code()));
        assert!(said.is_empty() == want.is_empty() && said.contains(want), "{count}: {said}");
    }
}

const TOO_MUCH: &str = "evidence.too-much the store grafeas sends more than 33554432 bytes of occurrences about one image, which is the limit";

#[tokio::test]
async fn p8_attestations_of_other_notes_crowd_out_nothing() {
    let (double, store) = double();
    for _ in 0..=1000 {
        double.put(PROJECT, attestation(&uri(), "projects/image-build/notes/other"));
    }
    let ours = double.put(PROJECT, attestation(&uri(), QA));
    let found = ask(&store).await.unwrap();
    assert_eq!(found.candidates[0].name, ours);
    assert_eq!(found.candidates.len(), 1 + 16, "and a few, to say why they do not count");
}

#[tokio::test]
async fn p8_oversized_pages_fail() {
    let (double, store) = double();
    double.fault(On::all(), Fault::Endless);
    let (code, text) = failure(&store).await;
    assert_eq!(code, Code::EvidenceTooMuch, "{text}");
    assert!(text.contains("bytes of a page of occurrences"), "{text}");
}

#[tokio::test]
async fn p5_what_is_no_answer_is_no_absence() {
    let bare = |status| Fault::Instead(Answer::of(status, "application/json", "{}"));
    let cases = [
        ("a web page", Fault::html(200), Code::StoreInvalid),
        ("a web page that says 404", Fault::html(404), Code::StoreInvalid),
        ("a server error", bare(500), Code::StoreUnreachable),
        ("unavailable", bare(503), Code::StoreUnreachable),
        ("a limit", bare(429), Code::StoreLimited),
        ("no credential", bare(401), Code::StoreUnauthorized),
        ("forbidden", bare(403), Code::StoreUnauthorized),
        ("a bad request", bare(400), Code::StoreInvalid),
        ("not implemented", bare(501), Code::StoreInvalid),
        ("another server's JSON", Fault::bytes(r#"{"status":"ok"}"#), Code::StoreInvalid),
        (
            "an error with status 200",
            Fault::bytes(r#"{"code":5,"message":"x"}"#),
            Code::StoreInvalid,
        ),
        ("a list of nothing", Fault::bytes("[]"), Code::StoreInvalid),
        ("nothing", Fault::bytes(""), Code::StoreInvalid),
        ("half a list", Fault::bytes(r#"{"occurrences":[{}"#), Code::StoreInvalid),
        ("a list with gaps", Fault::bytes(r#"{"unreachable":["x"]}"#), Code::StoreInvalid),
        ("a connection that closes", Fault::Close, Code::StoreUnreachable),
        ("a body that breaks off", Fault::Truncate(1), Code::StoreUnreachable),
        ("a redirect elsewhere", Fault::redirect(302, "http://localhost:9/"), Code::StoreInvalid),
    ];
    for (name, fault, want) in cases {
        let (double, store) = double();
        double.put(PROJECT, attestation(&uri(), QA));
        double.fault(On::all(), fault);
        let (code, text) = failure(&store).await;
        assert_eq!(code, want, "{name}: {text}");
        assert!(text.contains("the store grafeas"), "{name}: {text}");
        assert!(!text.contains("127.0.0.1") && !text.contains("html"), "{name}: {text}");
    }
}

#[tokio::test]
async fn p5_a_failing_note_or_project_fails_the_lookup() {
    for path in ["/notes/qa/occurrences", "/image-build/occurrences"] {
        let (double, store) = double();
        double.put(PROJECT, attestation(&uri(), QA));
        double.fault(On::path(path), Fault::status(500));
        assert_eq!(failure(&store).await.0, Code::StoreUnreachable, "{path}");
    }
}

#[tokio::test]
async fn p5_a_server_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let (double, store) = double();
    double.fault(On::path("/notes/"), Fault::Hang);
    let started = Instant::now();
    let deadline = countersign::source::Deadline::after(Duration::from_millis(300));
    let error =
        store.occurrences(&repository(), &[digest()], &[parsed(QA)], deadline).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnreachable);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn p5_an_unknown_note_is_an_absence_that_says_so() {
    let double = Grafeas::start();
    let found = ask(&client(&double.url(), Version::V1Beta1)).await.unwrap();
    assert!(found.candidates.is_empty());
    assert_eq!(found.missing.len(), 1);
    assert_eq!(found.missing[0].to_string(), format!("the store grafeas knows no {QA}"));
}

#[tokio::test]
async fn a_filter_that_a_server_refuses_is_left_out() {
    let (double, store) = double();
    double.put(PROJECT, attestation(&uri(), QA));
    let refusal = Answer::of(400, "application/json", r#"{"code":3,"message":"bad filter"}"#);
    double.fault(On::path("filter="), Fault::Instead(refusal));
    assert_eq!(ask(&store).await.unwrap().candidates.len(), 1);
}

#[tokio::test]
async fn lists_are_asked_for_at_once_and_whole() {
    let (double, store) = double();
    double.put(PROJECT, attestation(&uri(), QA));
    double.latency(Duration::from_millis(20));
    ask(&store).await.unwrap();
    let requests = double.requests();
    assert_eq!(requests.len(), 2, "by note and by project");
    assert_eq!(countersign_kit::round_trips(&requests), 1);
    let filter = requests[0].parameter("filter").unwrap();
    assert!(filter.starts_with(&format!("resourceUrl=\"{}\" OR ", uri())), "{filter}");
}

#[tokio::test]
async fn p14_an_occurrence_that_the_store_changes_is_noticed() {
    for (name, fault) in [
        ("another name", Fault::bytes(r#"{"name":"projects/evil/occurrences/x"}"#)),
        ("nothing kept", Fault::bytes("{}")),
    ] {
        let (double, store) = double();
        double.fault(On::path("occurrences").method("GET"), fault);
        let error = store
            .create_occurrence(&parsed(PROJECT), &attestation(&uri(), QA), soon())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::StoreInvalid, "{name}");
        assert!(error.to_string().contains("something else than what was"), "{name}: {error}");
    }
}
