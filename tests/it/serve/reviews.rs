//! Every body gets an answer, and no body more than its share.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign_kit::{image, review};

use super::{Client, Response, Serving, allow};
use crate::scene::Scene;

const POD: &[u8] = include_bytes!("../../../fixtures/reviews/pod-create.mutate.raw");

/// The uid is among the first members, as the API server writes it; `size` bytes in all.
fn padded(size: usize) -> Vec<u8> {
    let text = std::str::from_utf8(POD).unwrap();
    let mut body = text.replacen("\"object\":{", "\"object\":{\"padding\":\"PAD\",", 1);
    assert!(body.contains("PAD"), "{text}");
    let padding = "x".repeat(size - body.len() + 3);
    body = body.replacen("PAD", &padding, 1);
    assert_eq!(body.len(), size);
    body.into_bytes()
}

fn uid() -> String {
    let review: serde_json::Value = serde_json::from_slice(POD).unwrap();
    review["request"]["uid"].as_str().unwrap().to_owned()
}

fn denied(response: &Response, code: &str) -> serde_json::Value {
    assert_eq!(response.status, 200, "{}", response.text());
    let review = response.json();
    assert_eq!(review["response"]["allowed"], false);
    assert_eq!(review["response"]["uid"], uid());
    assert_eq!(review["response"]["auditAnnotations"]["codes"], code);
    assert_eq!(review["response"]["auditAnnotations"]["revision"], "r1");
    let message = review["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("({code}); ")), "what to do: {message}");
    review
}

#[tokio::test]
async fn p13_reviews_are_answered_by_reviews() {
    let serving = Serving::start(allow).await;
    let mut client = serving.connect().await;
    for target in ["/validate?timeout=10s", "/mutate?timeout=10s", "/validate"] {
        let response = client.post(target, POD).await.unwrap();
        assert_eq!(response.status, 200, "{target}");
        assert_eq!(response.header("content-type"), Some("application/json"), "{target}");
        assert_eq!(response.json()["response"]["uid"], uid(), "{target}");
        assert_eq!(response.json()["response"]["allowed"], true, "{target}");
    }
    let other = String::from_utf8(POD.to_vec()).unwrap().replace("k8s.io/v1\"", "k8s.io/v1beta1\"");
    let response = client.post("/validate", other.as_bytes()).await.unwrap();
    denied(&response, "review.invalid");
    serving.metric("countersign_reviews_total{phase=\"validate\",decision=\"denied\"} 1").await;
    serving.metric("countersign_reviews_total{phase=\"mutate\",decision=\"allowed\"} 1").await;
    serving.metric("countersign_violations_total{code=\"review.invalid\"} 1").await;
}

/// What the page of metrics calls the stages are those that a review goes through.
#[tokio::test(flavor = "multi_thread")]
async fn every_stage_of_a_review_is_timed() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attest(&shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    scene.registry.latency(Duration::from_millis(30));
    let gate = Arc::clone(scene.gate());
    let serving = Serving::start(move |phase, body, deadline| {
        let gate = Arc::clone(&gate);
        async move { gate.review(phase, body, deadline).await }
    })
    .await;
    let body = review(&[&pinned]).body();
    let answer = serving.connect().await.post("/validate", &body).await.unwrap();
    assert_eq!(answer.json()["response"]["allowed"], true, "{}", answer.text());
    let (_, text) = serving.probe("/metrics").await;
    let counted = |line: &str| {
        let rest = line.strip_prefix("countersign_stage_seconds_count{stage=\"")?;
        rest.strip_suffix("\"} 1").map(str::to_owned)
    };
    let mut told: Vec<String> = text.lines().filter_map(counted).collect();
    told.sort();
    let page = include_str!("../../../docs/operate.md");
    let row = page.lines().find(|line| line.contains("countersign_stage_seconds")).unwrap();
    let (_, labels) = row.split_once("`stage` (").unwrap();
    let mut listed: Vec<&str> = labels
        .split(')')
        .next()
        .unwrap()
        .split(", ")
        .map(|label| label.trim_matches('`'))
        .collect();
    listed.sort_unstable();
    assert_eq!(told, listed, "{text}");
    let waited = text.lines().find_map(|line| {
        line.strip_prefix("countersign_stage_seconds_sum{stage=\"gather\"} ")?.parse::<f64>().ok()
    });
    assert!(waited.is_some_and(|seconds| seconds >= 0.03), "{text}");
}

#[tokio::test]
async fn p13_http_errors_are_for_what_is_no_review() {
    let serving = Serving::start(allow).await;
    for (name, target, lines, body, status) in [
        ("no JSON", "/validate", "", &b"hello"[..], 400),
        ("empty", "/mutate", "", b"", 400),
        ("another object", "/validate", "", br#"{"kind":"Pod"}"#, 400),
        ("other path", "/admit", "", POD, 404),
        ("compressed", "/validate", "content-encoding: gzip\r\n", POD, 415),
    ] {
        let mut client = serving.connect().await;
        let response = client.post_with(target, lines, body).await.unwrap();
        assert_eq!(response.status, status, "{name}: {}", response.text());
    }
    let mut client = serving.connect().await;
    assert_eq!(client.get("/validate").await.unwrap().status, 405);
    serving.metric("countersign_refused_requests_total{reason=\"no review\"} 3").await;
}

#[tokio::test]
async fn p8_a_body_may_be_large_but_not_too_large() {
    let serving = Serving::start(allow).await;
    let mut client = serving.connect().await;
    let response = client.post("/validate", &padded(7 << 20)).await.unwrap();
    assert_eq!(response.json()["response"]["allowed"], true, "7 MiB is judged");

    for size in [(8 << 20) + 1, 20 << 20] {
        let response = serving.connect().await.post("/validate", &padded(size)).await.unwrap();
        let review = denied(&response, "review.too-large");
        let message = review["response"]["status"]["message"].as_str().unwrap();
        let want = "the review is larger than 8388608 bytes (review.too-large); \
                    make the object smaller, or raise limits.body";
        assert_eq!(message, want);
    }
    let response = serving.connect().await.post("/validate", &vec![b'x'; 20 << 20]).await.unwrap();
    assert_eq!(response.status, 413, "no uid, no review");
}

#[tokio::test]
async fn p8_a_body_without_a_length_is_bounded_too() {
    let serving = Serving::start(allow).await;
    for (size, code) in [(100, None), (300_000, None), (9 << 20, Some("review.too-large"))] {
        let mut client = serving.connect().await;
        client.head("POST", "/validate", "transfer-encoding: chunked\r\n").await.unwrap();
        let body = if size == 100 { POD.to_vec() } else { padded(size) };
        for chunk in body.chunks(70_000) {
            client.send(format!("{:x}\r\n", chunk.len()).as_bytes()).await.unwrap();
            client.send(chunk).await.unwrap();
            client.send(b"\r\n").await.unwrap();
        }
        client.send(b"0\r\n\r\n").await.unwrap();
        let response = client.receive().await.unwrap();
        match code {
            None => assert_eq!(response.json()["response"]["allowed"], true, "{size}"),
            Some(code) => drop(denied(&response, code)),
        }
    }
}

#[tokio::test]
async fn p8_a_body_that_drips_is_denied_in_time() {
    let serving = Serving::start(allow).await;
    let started = Instant::now();
    let mut client = serving.connect().await;
    let lines = format!("content-length: {}\r\n", POD.len());
    client.head("POST", "/validate?timeout=1s", &lines).await.unwrap();
    client.send(&POD[..1000]).await.unwrap();
    let response = client.receive().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let review = denied(&response, "review.deadline");
    assert_eq!(review["response"]["status"]["code"], 503);

    let mut client = serving.connect().await;
    client.head("POST", "/validate?timeout=1s", &lines).await.unwrap();
    client.send(&POD[..10]).await.unwrap();
    assert_eq!(client.receive().await.unwrap().status, 408, "no uid, no review");
}

#[tokio::test]
async fn p8_slow_uploads_of_large_bodies_do_not_keep_usual_reviews_waiting() {
    let serving = Serving::start_with(allow, |options| options.body = 1 << 20).await;
    let mut slow = Vec::new();
    // Four fill the budget; of the four after them no more than the beginning is taken.
    for (timeout, taken) in [("5s", 700), ("2s", 200)].into_iter().flat_map(|one| [one; 4]) {
        let mut client = serving.connect().await;
        let target = format!("/validate?timeout={timeout}");
        client.head("POST", &target, "content-length: 1000000\r\n").await.unwrap();
        let part = &padded(1_000_000)[..990_000];
        let _ = tokio::time::timeout(Duration::from_millis(taken), client.send(part)).await;
        slow.push(client);
    }
    let started = Instant::now();
    let response = serving.connect().await.post("/validate", POD).await.unwrap();
    assert_eq!(response.json()["response"]["allowed"], true);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let mut messages = Vec::new();
    for mut client in slow {
        let response = client.receive().await.unwrap();
        denied(&response, "review.deadline");
        messages.push(response.json()["response"]["status"]["message"].to_string());
    }
    let is = |what: &'static str| move |message: &String| message.contains(what);
    assert!(messages[..4].iter().all(is("did not arrive in time")), "{messages:?}");
    // What the first left goes from one of the others to the next when its time is over.
    let mut others = messages[4..].iter();
    assert!(others.any(is("too many large reviews came at once")), "{messages:?}");
}

#[tokio::test]
async fn p13_a_panic_is_a_denial_and_the_next_review_is_judged() {
    let serving = Serving::start(|phase, body: bytes::Bytes, deadline| async move {
        assert!(!body.windows(5).any(|window| window == b"PANIC"), "asked to");
        allow(phase, body, deadline).await
    })
    .await;
    let mut client = serving.connect().await;
    let body = String::from_utf8(POD.to_vec()).unwrap().replacen("\"app\"", "\"PANIC\"", 1);
    let response = client.post("/validate", body.as_bytes()).await.unwrap();
    let review = denied(&response, "review.invalid");
    let message = review["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("a fault in countersign itself"), "{message}");
    assert_eq!(client.post("/validate", b"PANIC").await.unwrap().status, 500, "no uid, no review");
    assert_eq!(client.post("/validate", POD).await.unwrap().json()["response"]["allowed"], true);
    serving.metric("countersign_panics_total 2").await;
    serving.metric("countersign_in_flight 0").await;
}

#[tokio::test]
async fn p13_the_caller_is_answered_before_it_gives_up() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let serving = Serving::start(move |phase, body, deadline| {
        noted.lock().unwrap().push(deadline.remaining());
        allow(phase, body, deadline)
    })
    .await;
    let mut client = serving.connect().await;
    for (target, least, most) in [
        ("/validate?timeout=1s", 700, 900),
        ("/validate?timeout=10s", 7800, 8000),
        ("/validate", 7800, 8000),
    ] {
        client.post(target, POD).await.unwrap();
        let left = seen.lock().unwrap().pop().unwrap().as_millis();
        assert!((least..=most).contains(&left), "{target}: {left} ms");
    }
}

#[tokio::test]
async fn p13_a_judge_that_hangs_is_a_denial_in_time() {
    let serving = Serving::start(|_, _, _| std::future::pending()).await;
    let started = Instant::now();
    let mut client = serving.connect().await;
    let response = client.post("/validate?timeout=1s", POD).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let review = denied(&response, "review.deadline");
    assert_eq!(review["response"]["status"]["code"], 503);
    serving.metric("countersign_in_flight 0").await;
}

#[tokio::test]
async fn many_connections_at_once_leave_nothing_behind() {
    let serving = Arc::new(Serving::start_with(allow, |options| options.connections = 40).await);
    for _ in 0..3 {
        let clients: Vec<Client> =
            futures_util::future::join_all((0..40).map(|_| serving.connect())).await;
        let answers = clients
            .into_iter()
            .map(|mut client| async move { client.post("/validate", POD).await.unwrap().status });
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
#[ignore = "takes 100 seconds"]
async fn a_connection_may_rest_longer_than_the_api_server_lets_it() {
    let serving = Serving::start(allow).await;
    let mut client = serving.connect().await;
    client.post("/validate", POD).await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(client.post("/validate", POD).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_longest_time_changes_under_way() {
    let given = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&given);
    let mut longest = None;
    let serving = Serving::start_with(
        move |phase, body, deadline: countersign::source::Deadline| {
            seen.lock().unwrap().push(deadline.remaining());
            allow(phase, body, deadline)
        },
        |options| longest = Some(options.deadline.clone()),
    )
    .await;
    let longest = longest.unwrap();
    let mut client = serving.connect().await;
    for seconds in [1000, 2000, 500] {
        longest.set(Duration::from_secs(seconds));
        assert_eq!(client.post("/validate", POD).await.unwrap().status, 200);
        let left = given.lock().unwrap().pop().unwrap();
        let about = Duration::from_secs(seconds - 400)..=Duration::from_secs(seconds);
        assert!(about.contains(&left), "of {seconds} s, {left:?} are left");
    }
}
