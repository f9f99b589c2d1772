//! P8: what one Pod makes us work on does not keep the others waiting.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::admission::Phase;
use countersign_kit::{artifact, image, review};
use tokio::task::JoinSet;

use crate::scene::{ATTESTED, Scene};

const OURS: &str = "application/vnd.countersign.attestation.v1";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// An envelope of some megabytes whose payload takes far more once it is read.
fn unsigned(number: usize) -> Vec<u8> {
    let zeros = "0,".repeat(1_400_000);
    let payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://x/{number}","subject":[{{"digest":{{"sha256":"00"}}}}],"predicate":[{zeros}0]}}"#
    );
    let payload = STANDARD.encode(payload);
    format!(
        r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[{{"sig":"AAAA"}}]}}"#
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_large_evidence_that_nobody_signed_keeps_nobody_waiting() {
    let scene = Arc::new(Scene::with("deadline: 8s", ATTESTED));
    let mut hostile = Vec::new();
    for number in 0..4 {
        let shop = image(&format!("hostile{number}")).build();
        scene.registry.put("acme/hostile", &shop);
        for referrer in 0..5 {
            let heavy = artifact(OURS).subject(&shop).layer(ENVELOPE, unsigned(referrer)).build();
            scene.registry.attach("acme/hostile", &heavy);
        }
        hostile.push(scene.image(&format!("acme/hostile@{}", shop.digest())));
    }
    let usual = image("usual").build();
    scene.registry.put_image("acme/shop", "1.4", &usual);
    scene.attach_by(&scene.builder, &usual);
    let attacking = {
        let scene = Arc::clone(&scene);
        let hostile = review(&hostile.iter().map(String::as_str).collect::<Vec<_>>()).build();
        let time = Duration::from_secs(30);
        tokio::spawn(async move { scene.review_within(time, Phase::Validate, &hostile).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let pinned = scene.image(&format!("acme/shop@{}", usual.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
    assert!(!attacking.await.unwrap().allowed);
}

const RUNAWAY: &str = "package acme\n\ndeny contains \"x\" if {\n\tcount(input.images) == 3\n\tmany := numbers.range(1, 200)\n\tsome a in many\n\tsome b in many\n\tsome c in many\n\tsome d in many\n\ta + b + c + d == -1\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn p8_who_finds_no_thread_to_be_judged_on_is_told_so_in_time() {
    let rules = tempfile::tempdir().unwrap();
    let rule = rules.path().join("acme.rego");
    std::fs::write(&rule, RUNAWAY).unwrap();
    let runaway = format!(
        "  - {{name: slow, match: {{}}, mode: enforce, rules: [{{path: {}, package: acme}}]}}",
        rule.display()
    );
    let scene = Arc::new(Scene::with("deadline: 8s", &runaway));
    let images: Vec<String> = (0..3)
        .map(|number| {
            let content = image(&format!("v{number}")).build();
            scene.registry.put("acme/shop", &content);
            scene.image(&format!("acme/shop@{}", content.digest()))
        })
        .collect();
    let asked = review(&images.iter().map(String::as_str).collect::<Vec<_>>()).build();
    let threads = std::thread::available_parallelism().unwrap().get();
    let mut asking = JoinSet::new();
    for _ in 0..threads * 8 {
        let (scene, asked) = (Arc::clone(&scene), asked.clone());
        let time = Duration::from_secs(2);
        asking.spawn(async move {
            let said = scene.review_within(time, Phase::Validate, &asked).await;
            assert!(!said.allowed);
            said.audit("codes").to_owned()
        });
    }
    let codes = asking.join_all().await;
    let late = codes.iter().filter(|codes| *codes == "review.deadline").count();
    let judged = codes.iter().filter(|codes| *codes == "policy.timeout").count();
    assert!(late > 0 && judged > 0 && late + judged == codes.len(), "{codes:?}");
}
