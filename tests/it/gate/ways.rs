//! What a complaint leads to: modes, templates, and pins all the same.

use countersign::admission::Phase;
use countersign_kit::{Fault, On, image, review};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn modes_warn_and_audit_deny_nothing_and_pin() {
    for (name, mode, fault, would_deny) in [
        ("unsigned, warn", "warn", None, "attested.missing"),
        ("unsigned, audit", "audit", None, "attested.missing"),
        ("store down, warn", "warn", Some(Fault::status(500)), "store.unreachable"),
        ("store down, audit", "audit", Some(Fault::status(500)), "store.unreachable"),
    ] {
        let scene = Scene::with("unmatched: allow", &ATTESTED.replace("enforce", mode));
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        if let Some(fault) = fault {
            scene.grafeas.fault(On::all(), fault);
        }
        let said = scene.ask(Phase::Mutate, &[&scene.image("acme/shop:1.4")]).await;
        assert_eq!((said.allowed, said.audit("codes")), (true, ""), "{name}: {}", said.message);
        assert_eq!(said.audit("decision"), "allowed", "{name}");
        assert_eq!(said.audit("wouldDeny"), would_deny, "{name}");
        let warned = said.whole["response"]["warnings"].is_array();
        assert_eq!(warned, mode == "warn", "{name}: {}", said.whole);
        let pinned = scene.image(&format!("acme/shop:1.4@{}", shop.digest()));
        assert_eq!(said.pins(), [pinned], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_enforcing_policy_an_image_is_denied_where_the_configuration_says_so() {
    let scene = Scene::with("unmatched: deny", &ATTESTED.replace("enforce", "warn"));
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let said = scene.ask(Phase::Mutate, &[&scene.image("acme/shop:1.4")]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "review.unmatched"));
    assert_eq!(said.audit("wouldDeny"), "attested.missing");
    assert!(said.pins().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_an_exception_pins_what_it_lets_in() {
    let shop = image("shop").build();
    let scene = Scene::with_host(
        |host| {
            format!(
                "exceptions: [{{images: [\"{host}/acme/shop@{}\"], until: 2100-01-01T00:00:00Z, reason: old}}]",
                shop.digest()
            )
        },
        ATTESTED,
    );
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let said = scene.ask(Phase::Mutate, &[&scene.image("acme/shop:1.4")]).await;
    assert_eq!(said.audit("decision"), "exception", "{}", said.message);
    assert_eq!(said.pins(), [scene.image(&format!("acme/shop:1.4@{}", shop.digest()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_denied_warned_of_or_ignored_and_never_patched() {
    let (shop, old) = (image("shop").build(), image("old").build());
    for (templates, allowed, warned) in
        [("deny", false, false), ("warn", true, true), ("ignore", true, false)]
    {
        let extra = format!("templates: {templates}\nrevoked: [\"{}\"]", old.digest());
        let scene = Scene::with(&extra, ATTESTED);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.registry.put_image("acme/shop", "old", &old);
        let deployment = |image: &str| review(&[image]).workload("Deployment").build();
        let unsigned = deployment(&scene.image("acme/shop:1.4"));
        for phase in [Phase::Mutate, Phase::Validate] {
            let said = scene.review(phase, &unsigned).await;
            assert_eq!(said.allowed, allowed, "{templates} {phase}: {}", said.message);
            let codes = if allowed { "" } else { "attested.missing" };
            assert_eq!(said.audit("codes"), codes, "{templates} {phase}");
            let warnings = &said.whole["response"]["warnings"];
            assert_eq!(warnings.is_array(), warned, "{templates} {phase}: {warnings}");
            assert!(said.pins().is_empty(), "{templates} {phase}");
        }
        let revoked = deployment(&scene.image(&format!("acme/shop@{}", old.digest())));
        let said = scene.review(Phase::Validate, &revoked).await;
        assert!(!said.allowed && said.audit("codes").contains("image.revoked"), "{templates}");
    }
}
