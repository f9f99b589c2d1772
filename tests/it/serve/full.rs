//! More callers than places.

use std::{sync::Arc, time::Duration};

use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::Semaphore, time::timeout};

use super::{Client, Serving, allow};

const POD: &[u8] = include_bytes!("../../../fixtures/reviews/pod-create.validate.json");

async fn answered(client: &mut Client) {
    let response = client.post("/validate", POD).await.expect("an answer");
    assert_eq!(response.json()["response"]["allowed"], true);
}

async fn closed(client: &mut Client) {
    let answer = timeout(Duration::from_secs(20), client.receive()).await;
    assert!(answer.expect("still connected").is_err());
}

#[tokio::test]
async fn p8_who_says_nothing_shuts_nobody_out() {
    let serving = Serving::start_with(allow, |options| options.connections = 4).await;
    let mut kept = serving.connect().await;
    answered(&mut kept).await;

    // Of each kind more than there are places: nothing at all, half a handshake, no request.
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(serving.admission).await.unwrap());
        let half = TcpStream::connect(serving.admission).await.unwrap();
        half.writable().await.unwrap();
        half.try_write(b"\x16\x03\x01\x02\x00").unwrap();
        silent.push(half);
    }
    let mut unasked = Vec::new();
    for _ in 0..8 {
        unasked.push(serving.connect().await);
    }
    for one in &mut silent {
        let end = timeout(Duration::from_secs(20), one.read(&mut [0; 64])).await;
        assert!(!matches!(end.expect("still connected"), Ok(1..)), "closed");
    }
    answered(&mut serving.connect().await).await;
    answered(&mut kept).await;
}

#[tokio::test]
async fn p8_the_longest_idle_gives_its_place_and_no_review_is_lost() {
    let (begun, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (begins, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let slowly = move |phase, body, deadline| {
        let (begins, waits) = (Arc::clone(&begins), Arc::clone(&waits));
        async move {
            begins.add_permits(1);
            waits.acquire().await.unwrap().forget();
            allow(phase, body, deadline).await
        }
    };
    let serving = Serving::start_with(slowly, |options| options.connections = 3).await;
    let ask = |mut client: Client| {
        tokio::spawn(async move {
            answered(&mut client).await;
            client
        })
    };
    let asked = async |times| {
        let asked = timeout(Duration::from_secs(20), begun.acquire_many(times)).await;
        asked.expect("the review does not arrive").unwrap().forget();
    };

    go_on.add_permits(3);
    let mut early = serving.connect().await;
    answered(&mut early).await;
    let mut late = serving.connect().await;
    answered(&mut late).await;
    answered(&mut early).await;
    asked(3).await;

    // One after the other: who has not asked yet is the first to go.
    let first = ask(serving.connect().await);
    asked(1).await;
    let second = ask(serving.connect().await);
    asked(1).await;
    closed(&mut late).await;
    let third = ask(early);
    asked(1).await;

    let refused = serving.connect_as(None).await;
    assert!(refused.is_err(), "all wait for an answer");
    go_on.add_permits(3);
    let mut idle = Vec::new();
    for answer in [first, second, third] {
        idle.push(answer.await.expect("an answer"));
    }
    go_on.add_permits(1);
    answered(&mut serving.connect().await).await;
}
