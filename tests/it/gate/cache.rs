//! P6: how long what was found may be believed, and how long that nothing was.

use std::time::Duration;

use countersign::admission::Phase;
use countersign_kit::{Key, image};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn p6_what_was_found_is_believed_as_long_as_the_configuration_says() {
    for (name, cache, again) in
        [("for long", "cache: {found: 1h}", false), ("a second", "cache: {found: 1s}", true)]
    {
        let scene = Scene::with(cache, ATTESTED);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.attest(&shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        assert!(scene.ask(Phase::Validate, &[&pinned]).await.allowed, "{name}");
        scene.grafeas.forget();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(scene.ask(Phase::Validate, &[&pinned]).await.allowed, "{name}");
        assert_eq!(scene.grafeas.total() > 0, again, "{name}");
    }
}

/// What was found is not enough: before that is held against the image, a fresh look is taken.
#[tokio::test(flavor = "multi_thread")]
async fn p6_nobody_is_denied_for_evidence_that_has_grown_since() {
    for (name, none, codes) in
        [("looked up again", "0s", ""), ("believed for a while", "1h", "attested.missing")]
    {
        let scene = Scene::with(&format!("cache: {{found: 1h, none: {none}}}"), ATTESTED);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.attest_by(&Key::generate("Stranger <s@evil.example>"), &shop);
        scene.attach_by(&Key::generate("Another <a@evil.example>"), &shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "attested.missing", "{name}: {}", said.message);
        scene.attest(&shop);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);
    }
}
