//! What is remembered of an image for a second: never more than is true of it.

use std::time::Duration;

use countersign::admission::Phase;
use countersign_kit::{artifact, image, simple_signing};

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn one_image_is_shown_at_each_of_its_places() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let plain = scene.image(&format!("acme/shop@{}", shop.digest()));
    let tagged = scene.image(&format!("acme/shop:1.4@{}", shop.digest()));
    for images in [[&plain, &tagged], [&tagged, &plain]] {
        let said = scene.ask(Phase::Validate, &images.map(String::as_str)).await;
        for (at, given) in images.iter().enumerate() {
            let line = format!("attested: spec.containers[{at}].image \"{given}\" → ");
            assert!(said.message.contains(&line), "{line} in {}", said.message);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_other_evidence_is_judged_within_the_same_second() {
    let scene = Scene::with("cache: {none: 0s}", crate::scene::ATTESTED);
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "attested.missing"));
    scene.attest(&shop);
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_the_same_evidence_is_judged_anew_when_time_has_passed() {
    const LIFE: Duration = Duration::from_secs(5);
    let scene = Scene::with("cache: {none: 1h}", crate::scene::ATTESTED);
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let payload = simple_signing(&scene.image("acme/shop"), &shop.digest());
    let layer = "application/vnd.countersign.simple-signing.v1+pgp";
    let message = scene.builder.signing().valid_for(LIFE).message(&payload);
    let referrer = artifact("application/vnd.countersign.attestation.v1").subject(&shop);
    scene.registry.attach("acme/shop", &referrer.inline(layer, message).build());
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    for _ in 0..2 {
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert!(said.allowed, "{}", said.message);
    }
    scene.registry.forget();
    tokio::time::sleep(LIFE).await;
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "attested.missing"));
    assert!(said.message.contains("signature.expired"), "{}", said.message);
    assert_eq!(scene.registry.total(), 0, "it was not looked up again");
}
