//! A stop loses no review.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::serve::Stop;
use tokio::sync::Notify;

use super::{Client, Serving, allow};

const POD: &[u8] = include_bytes!("../../../fixtures/reviews/pod-create.mutate.raw");

#[tokio::test]
async fn a_gentle_stop_answers_what_still_comes_and_finishes_what_is_slow() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let serving = Serving::start(move |phase, body, deadline| {
        let (begins, waits) = (Arc::clone(&begins), Arc::clone(&waits));
        async move {
            if deadline.remaining() < Duration::from_secs(6) {
                begins.notify_one();
                waits.notified().await;
            }
            allow(phase, body, deadline).await
        }
    })
    .await;
    let (admission, probes, ca) = (serving.admission, serving.probes, serving.ca.pem());
    let mut kept = serving.connect().await;
    assert_eq!(kept.post("/validate", POD).await.unwrap().header("connection"), None);
    let mut slow = serving.connect().await;
    let slow = tokio::spawn(async move { slow.post("/validate?timeout=5s", POD).await });
    begun.notified().await;

    let stopped = serving.stop(Stop::Gently);
    for _ in 0..100 {
        let ready = Client::plain(probes).await.unwrap().get("/readyz").await.unwrap();
        if ready.status == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ready = Client::plain(probes).await.unwrap().get("/readyz").await.unwrap();
    assert_eq!((ready.status, ready.text().as_str()), (503, "stopping\n"));
    let alive = Client::plain(probes).await.unwrap().get("/livez").await.unwrap();
    assert_eq!(alive.status, 200);
    let mut late = Client::tls(admission, &ca, None, &["http/1.1"]).await.unwrap();
    for (name, client) in [("new", &mut late), ("kept", &mut kept)] {
        let response = client.post("/validate", POD).await.unwrap();
        assert_eq!(response.json()["response"]["allowed"], true, "{name}");
        assert_eq!(response.header("connection"), Some("close"), "{name}");
        assert!(client.post("/validate", POD).await.is_err(), "{name}: closed after its answer");
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(Client::plain(admission).await.is_err(), "nothing new any more");
    assert!(!stopped.is_finished(), "one review is still being judged");
    go_on.notify_one();
    let response = slow.await.unwrap().unwrap();
    assert_eq!(response.json()["response"]["allowed"], true);
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_at_once_does_not_wait_for_those_who_only_stay_connected() {
    let serving =
        Serving::start_with(allow, |options| options.drain = Duration::from_mins(1)).await;
    let mut idle = serving.connect().await;
    idle.post("/validate", POD).await.unwrap();
    let started = Instant::now();
    serving.stop(Stop::AtOnce).await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(idle.post("/validate", POD).await.is_err());
}

#[tokio::test]
async fn p13_a_rolling_restart_fails_no_review_over_kept_connections() {
    let first = Serving::start(allow).await;
    let ca = first.ca.pem();
    let (old, second) = (first.admission, Serving::start(allow).await);
    let (new, other_ca) = (second.admission, second.ca.pem());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (ca, other_ca) = (ca.clone(), other_ca.clone());
        callers.spawn(async move {
            let mut client = Client::tls(old, &ca, None, &["http/1.1"]).await.unwrap();
            let (mut sent, mut moved) = (0, false);
            let until = Instant::now() + Duration::from_millis(1500);
            while Instant::now() < until {
                let response = client.post("/validate", POD).await.expect("an answer");
                assert_eq!(response.status, 200);
                sent += 1;
                if response.header("connection") == Some("close") {
                    client = Client::tls(new, &other_ca, None, &["http/1.1"]).await.unwrap();
                    moved = true;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(moved, "the old server said that it goes");
            sent
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = first.stop(Stop::Gently);
    let sent: u32 = callers.join_all().await.into_iter().sum();
    assert!(sent > 100, "{sent}");
    stopped.await.unwrap().unwrap();
}
