//! P11, P12: what is judged at all, and the two ways past a policy.

use countersign::{admission::Phase, policy::Violation};
use countersign_kit::{image, index, review};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn p12_exceptions_name_a_digest_and_end() {
    let shop = image("shop").build();
    for (name, until, namespaces, want) in [
        ("in force", "2100-01-01T00:00:00Z", "[app]", "exception"),
        ("past", "2020-01-01T00:00:00Z", "[app]", "denied"),
        ("elsewhere", "2100-01-01T00:00:00Z", "[other]", "denied"),
    ] {
        let scene = Scene::with_host(
            |host| {
                format!(
                    "exceptions: [{{images: [\"{host}/acme/shop@{}\"], namespaces: {namespaces}, until: {until}, reason: rebuilt}}]",
                    shop.digest()
                )
            },
            ATTESTED,
        );
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("decision"), want, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_the_glass_is_broken_by_who_may_in_this_request() {
    let extra = "breakGlass: {groups: [\"acme:oncall\"], until: 2100-01-01T00:00:00Z}";
    let scene = Scene::with(extra, ATTESTED);
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let by_tag = scene.image("acme/shop:1.4");
    for (name, groups, annotated, want) in [
        ("on call, annotated", "acme:oncall", true, "break-glass"),
        ("on call, not annotated", "acme:oncall", false, "denied"),
        ("not on call", "developers", true, "denied"),
        ("a service account", "system:serviceaccounts", true, "denied"),
    ] {
        let mut asked = review(&[&by_tag]).user("alice", &[groups]);
        if annotated {
            asked = asked.annotation("countersign.dev/break-glass", "site is down");
        }
        let said = scene.review(Phase::Validate, &asked.build()).await;
        assert_eq!(said.audit("decision"), want, "{name}: {}", said.message);
    }
    // Nothing stands against it but its tag.
    scene.attest(&shop);
    let asked = review(&[&by_tag]).user("alice", &["acme:oncall"]);
    let denied = scene.review(Phase::Validate, &asked.clone().build()).await;
    assert_eq!(denied.audit("codes"), "image.unpinned", "{}", denied.message);
    let asked = asked.annotation("countersign.dev/break-glass", "site is down");
    let said = scene.review(Phase::Validate, &asked.build()).await;
    assert_eq!(said.audit("decision"), "break-glass", "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_an_exception_covers_its_own_image_however_much_is_said_of_it() {
    let platforms = [image("a").build(), image("b").platform("linux/arm64").build()];
    let (old, evil) = (index(&platforms).build(), image("evil").build());
    let scene = Scene::with_host(
        |host| {
            format!(
                "exceptions: [{{images: [\"{host}/acme/shop@{}\"], until: 2100-01-01T00:00:00Z, reason: old}}]",
                old.digest()
            )
        },
        ATTESTED,
    );
    let [old, evil] = [&old, &evil].map(|content| {
        scene.registry.put("acme/shop", content);
        scene.image(&format!("acme/shop@{}", content.digest()))
    });
    // Two complaints for each: more than are kept of one rule.
    let excepted = vec![old.as_str(); Violation::COUNT_MAX / 2 + 1];
    let only_it = scene.review(Phase::Validate, &review(&excepted).build()).await;
    assert_eq!(only_it.audit("decision"), "exception", "{}", only_it.message);
    let with_evil = review(&excepted).init_container("evil", &evil).build();
    let said = scene.review(Phase::Validate, &with_evil).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "attested.missing"));
    assert!(said.message.contains("spec.initContainers[0].image"), "{}", said.message);
}
