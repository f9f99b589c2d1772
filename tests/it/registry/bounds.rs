//! P8: how much a server asks for, and holds, at a time.

use std::{sync::Arc, time::Duration};

use countersign::source::{Bounds, Deadline, FetchError, Fetched, Registries};
use countersign_kit::{Content, Fault, On, Registry, image};
use tokio::task::JoinSet;

use super::{by_digest, client, code, host, repository};

fn server(registry: &Registry) -> Arc<Registries> {
    Arc::new(client([host(registry)]).within(Bounds::of_a_server()))
}

async fn fetch(
    client: &Registries,
    registry: &Registry,
    content: &Content,
    patience: Duration,
) -> Result<Fetched, FetchError> {
    let here = repository(registry, "acme/shop");
    client.manifest(&here, by_digest(content), Deadline::after(patience)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_one_host_is_asked_so_much_at_a_time() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    registry.fault(On::all(), Fault::Hang);
    let client = server(&registry);
    let here = repository(&registry, "acme/shop");
    let ask = |count, patience| {
        let mut asking = JoinSet::new();
        for _ in 0..count {
            let (client, here, at) = (Arc::clone(&client), here.clone(), by_digest(&shop));
            let deadline = Deadline::after(patience);
            asking.spawn(async move { code(client.manifest(&here, at, deadline).await) });
        }
        asking
    };
    let first = ask(64, Duration::from_secs(4));
    let asked = async {
        while registry.total() < 64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), asked).await.expect("64 requests at a time");
    let others = ask(36, Duration::from_millis(300)).join_all().await;
    assert_eq!(others, vec!["review.deadline"; 36]);
    assert_eq!((registry.total(), registry.connections()), (64, 64));
    assert_eq!(first.join_all().await, vec!["registry.unreachable"; 64]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_large_answers_wait_for_each_other_and_small_ones_for_nobody() {
    let registry = Registry::start();
    let note = "x".repeat(4_000_000);
    let large = ["a", "b", "c"].map(|name| image(name).annotation("note", &note).build());
    let small = image("small").build();
    for content in large.iter().chain([&small]) {
        registry.put("acme/shop", content);
    }
    let client = server(&registry);
    let (patient, hasty) = (Duration::from_secs(20), Duration::from_millis(500));
    let first = fetch(&client, &registry, &large[0], patient).await.unwrap();
    let second = fetch(&client, &registry, &large[1], patient).await.unwrap();
    let third = fetch(&client, &registry, &large[2], hasty).await.unwrap_err();
    assert_eq!(third.code().to_string(), "review.deadline");
    assert!(third.retryable());
    assert!(third.to_string().contains("too much else is being read"), "{third}");
    fetch(&client, &registry, &small, hasty).await.unwrap();
    drop(first);
    fetch(&client, &registry, &large[2], patient).await.unwrap();
    drop(second);
}

/// Who was kept waiting by others has not shown that the host is slow.
#[tokio::test(flavor = "multi_thread")]
async fn p8_waiting_for_room_is_not_held_against_the_host() {
    let registry = Registry::start();
    let note = "x".repeat(4_000_000);
    let large = ["a", "b", "c"].map(|name| image(name).annotation("note", &note).build());
    for content in &large {
        registry.put("acme/shop", content);
    }
    let client = server(&registry);
    let patient = Duration::from_secs(20);
    let mut held = Vec::new();
    for content in &large[..2] {
        held.push(fetch(&client, &registry, content, patient).await.unwrap());
    }
    let outcome = fetch(&client, &registry, &large[2], Duration::from_millis(1200)).await;
    assert_eq!(code(outcome), "review.deadline");
    drop(held);
    fetch(&client, &registry, &large[2], patient).await.unwrap();
}
