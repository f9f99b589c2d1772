//! The one path from a reference to an answer.

use countersign::{admission::Phase, name::Digest};
use countersign_kit::{Key, artifact, image, review, simple_signing};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn p1_a_tag_is_denied_then_attested_admitted_and_pinned() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let by_tag = scene.image("acme/shop:1.4");

    let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
    assert!(!said.allowed);
    assert_eq!((said.code(), said.audit("codes")), (403, "attested.missing"));
    let line = format!("attested: spec.containers[0].image \"{by_tag}\" → ");
    assert!(said.message.starts_with(&line), "{}", said.message);

    scene.attest(&shop);
    let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
    assert_eq!(
        said.audit("codes"),
        "attested.missing",
        "`cache.none` still holds: {}",
        said.message
    );

    let scene = Scene::with("cache: {none: 0s}", ATTESTED);
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attest(&shop);
    let by_tag = scene.image("acme/shop:1.4");
    let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
    assert!(said.allowed, "{}", said.message);
    assert_eq!(said.pins(), [format!("{by_tag}@{}", shop.digest())]);
    assert_eq!(said.audit("decision"), "allowed");
    assert_eq!(said.audit("signers"), scene.builder.fingerprint());
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_validate_demands_a_digest() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attest(&shop);
    let said = scene.ask(Phase::Validate, &[&scene.image("acme/shop:1.4")]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "image.unpinned"));
    assert_eq!(said.audit("revision"), scene.gate().revision());
    assert_eq!(scene.registry.total(), 0, "an image without a digest is not looked up");

    let pinned = scene.image(&format!("acme/shop:1.4@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
}

/// The tag is looked up instead, and what it names is judged.
#[tokio::test(flavor = "multi_thread")]
async fn p1_validate_does_without_where_the_configuration_says_so() {
    let warns = ATTESTED.replace("enforce", "warn");
    for (name, extra, policies, kind, attested, codes, would_deny) in [
        ("`unpinned: allow`", "unpinned: allow", ATTESTED, "Pod", true, "", ""),
        ("the same", "unpinned: allow", ATTESTED, "Pod", false, "attested.missing", ""),
        ("`unpinned: deny`", "unpinned: deny", ATTESTED, "Pod", true, "image.unpinned", ""),
        ("`mode: warn`", "unmatched: allow", &*warns, "Pod", true, "", ""),
        ("the same, not signed", "unmatched: allow", &*warns, "Pod", false, "", "attested.missing"),
        ("a template", "", ATTESTED, "Deployment", true, "", ""),
        ("the same, not signed", "", ATTESTED, "Deployment", false, "attested.missing", ""),
    ] {
        let scene = Scene::with(extra, policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        if attested {
            scene.attest(&shop);
        }
        let by_tag = scene.image("acme/shop:1.4");
        let asked = match kind {
            "Pod" => review(&[&by_tag]).build(),
            kind => review(&[&by_tag]).workload(kind).build(),
        };
        let said = scene.review(Phase::Validate, &asked).await;
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);
        assert_eq!(said.audit("wouldDeny"), would_deny, "{name}: {}", said.message);
        assert_eq!(said.allowed, codes.is_empty(), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_the_tag_is_resolved_once_and_what_was_verified_is_pinned() {
    let scene = Scene::new();
    let (signed, evil) = (image("signed").build(), image("evil").build());
    scene.registry.put("acme/shop", &signed);
    scene.registry.put("acme/shop", &evil);
    scene.registry.tag("acme/shop", "1.4", &[&signed.digest(), &evil.digest()]);
    scene.attest(&signed);
    let by_tag = scene.image("acme/shop:1.4");
    let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
    assert_eq!(said.pins(), [format!("{by_tag}@{}", signed.digest())]);

    let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "attested.missing"), "it has moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_counts_from_referrers_as_from_grafeas() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attach_by(&scene.builder, &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);

    let stranger = Key::generate("Stranger <s@evil.example>");
    let other = image("other").build();
    scene.registry.put_image("acme/shop", "2", &other);
    scene.attach_by(&stranger, &other);
    let pinned = scene.image(&format!("acme/shop@{}", other.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "attested.missing"));
    assert!(said.message.contains("signature.unknown-key"), "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_second_review_asks_nobody() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attest(&shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let first = scene.ask(Phase::Validate, &[&pinned]).await;
    scene.registry.forget();
    scene.grafeas.forget();
    let second = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(first.whole, second.whole);
    // Referrers were found to be none, which is believed for a shorter time, but for some.
    assert_eq!((scene.registry.total(), scene.grafeas.total()), (0, 0));
}

/// A payload may name the manifest by another algorithm than the Pod does: every digest that it
/// names must be right.
#[tokio::test(flavor = "multi_thread")]
async fn p4_a_payload_may_name_the_image_by_sha512() {
    let shop = image("shop").build();
    let right = Digest::sha512(&shop.manifest).to_string();
    let wrong = Digest::sha512(b"another").to_string();
    for (name, named, codes) in [("right", right, ""), ("wrong", wrong, "attested.missing")] {
        let scene = Scene::new();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let payload = simple_signing(&scene.image("acme/shop"), &named);
        let layer = "application/vnd.countersign.simple-signing.v1+pgp";
        let referrer = artifact("application/vnd.countersign.attestation.v1")
            .subject(&shop)
            .inline(layer, scene.builder.sign_message(&payload));
        scene.registry.attach("acme/shop", &referrer.build());
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);
        let other = said.message.contains("payload.other-image");
        assert_eq!(other, !said.allowed, "{name}: {}", said.message);
    }
}
