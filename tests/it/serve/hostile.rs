//! Callers who mean no good, or who only speak HTTP as others do not.

use std::time::Duration;

use tokio::time::timeout;

use super::{Client, Serving, allow};

const POD: &[u8] = include_bytes!("../../../fixtures/reviews/pod-create.validate.json");

/// What came of a request: the status, or `None` where the connection was closed instead.
async fn outcome(client: &mut Client, request: &[u8]) -> Option<u16> {
    // A server that refuses may close before all is sent.
    let _ = client.send(request).await;
    let answer = timeout(Duration::from_secs(20), client.receive()).await;
    answer.expect("the caller is kept waiting").ok().map(|response| response.status)
}

#[tokio::test]
async fn p8_requests_out_of_proportion_are_refused_and_others_answered() {
    let serving = Serving::start(allow).await;
    let request = |lines: &str, body: &str| {
        format!("POST /validate HTTP/1.1\r\nhost: gate\r\n{lines}\r\n{body}").into_bytes()
    };
    let long = "a".repeat(1 << 20);
    for (name, bytes, refused) in [
        ("a header of a megabyte", request(&format!("x: {long}\r\n"), ""), &[431][..]),
        ("a thousand headers", request(&"x: y\r\n".repeat(1_000), ""), &[431]),
        (
            "a target of a megabyte",
            format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(),
            &[414, 431],
        ),
        ("two lengths", request("content-length: 1\r\ncontent-length: 2\r\n", "ab"), &[400]),
        ("a length below zero", request("content-length: -1\r\n", ""), &[400]),
        (
            "a piece longer than can be",
            request("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n"),
            &[400],
        ),
        ("a piece without a length", request("transfer-encoding: chunked\r\n", "zz\r\n"), &[400]),
        (
            "an encoding that nobody knows",
            request("transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            &[400],
        ),
        ("another protocol", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400]),
        ("no protocol", vec![0; 4096], &[400]),
    ] {
        let status = outcome(&mut serving.connect().await, &bytes).await;
        assert!(status.is_none_or(|status| refused.contains(&status)), "{name}: {status:?}");
        let next = serving.connect().await.post("/validate", POD).await;
        assert_eq!(next.expect(name).json()["response"]["allowed"], true, "{name}");
    }
    serving.metric("countersign_in_flight 0").await;
}

#[tokio::test]
async fn requests_one_behind_the_other_are_answered_each_with_its_uid() {
    let serving = Serving::start(allow).await;
    let mut client = serving.connect().await;
    let text = String::from_utf8(POD.to_vec()).unwrap();
    let review: serde_json::Value = serde_json::from_str(&text).unwrap();
    let uid = review["request"]["uid"].as_str().unwrap();
    let uids = ["first", "second", "third"];
    let mut requests = String::new();
    for one in uids {
        let (body, lines) = (text.replace(uid, one), "POST /validate HTTP/1.1\r\nhost: gate");
        requests += &format!("{lines}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    }
    client.send(requests.as_bytes()).await.unwrap();
    for uid in uids {
        assert_eq!(client.receive().await.unwrap().json()["response"]["uid"], uid);
    }
}
