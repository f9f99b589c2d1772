//! P11, P12: what is judged at all, and the two ways past a policy.

use countersign::admission::Phase;
use countersign_kit::{image, review};

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
async fn p12_no_exception_opens_what_is_revoked() {
    let shop = image("shop").build();
    let scene = Scene::with_host(
        |host| {
            format!(
                "revoked: [\"{digest}\"]\nexceptions: [{{images: [\"{host}/acme/shop@{digest}\"], until: 2100-01-01T00:00:00Z, reason: x}}]",
                digest = shop.digest()
            )
        },
        ATTESTED,
    );
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attest(&shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!((said.allowed, said.audit("codes")), (false, "image.revoked"));
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
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_warn_and_audit_deny_nothing() {
    for (mode, warned) in [("warn", true), ("audit", false)] {
        let policies = ATTESTED.replace("enforce", mode);
        let scene = Scene::with("", &policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let said = scene.ask(Phase::Mutate, &[&scene.image("acme/shop:1.4")]).await;
        // The scene denies what no enforcing policy matches.
        assert_eq!(said.audit("codes"), "review.unmatched", "{mode}");
        assert_eq!(said.audit("wouldDeny"), "attested.missing", "{mode}");
        assert_eq!(said.whole["response"]["warnings"].is_array(), warned, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_revoked_template_is_denied_even_where_templates_are_ignored() {
    let shop = image("shop").build();
    let extra = format!("templates: ignore\nrevoked: [\"{}\"]", shop.digest());
    let scene = Scene::with(&extra, ATTESTED);
    for (name, digest, want) in [
        ("revoked", shop.digest(), "image.revoked"),
        ("another", image("other").build().digest(), ""),
    ] {
        let pinned = scene.image(&format!("acme/shop@{digest}"));
        let deployment = review(&[&pinned]).workload("Deployment").build();
        let said = scene.review(Phase::Validate, &deployment).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
    assert_eq!(scene.registry.total(), 0, "an ignored template is not looked up");
}
