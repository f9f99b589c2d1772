//! P16: what is revoked comes in by no way.

use countersign::{admission::Phase, name::Digest};
use countersign_kit::{image, index, review};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_revoked_digest_is_denied_in_every_mode_and_spelling() {
    let shop = image("shop").build();
    let arm = image("arm").platform("linux/arm64").build();
    let both = index([&shop, &arm]).build();
    let outer = index([&both]).build();
    let outer_digest = format!("@{}", outer.digest());
    let inner_by_sha512 = Digest::sha512(&both.manifest).to_string();
    let by_sha512 = Digest::sha512(&shop.manifest).to_string();
    let [warn, audit] = ["warn", "audit"].map(|mode| ATTESTED.replace("enforce", mode));
    let (by_digest, index_digest) = (format!("@{}", shop.digest()), format!("@{}", both.digest()));
    for (name, phase, policies, named, revoked) in [
        ("by digest", Phase::Validate, ATTESTED, by_digest.as_str(), shop.digest()),
        ("warned of", Phase::Validate, &warn, &by_digest, shop.digest()),
        ("audited", Phase::Validate, &audit, &by_digest, shop.digest()),
        ("by tag", Phase::Mutate, ATTESTED, ":1.4", shop.digest()),
        ("by tag, warned of", Phase::Mutate, &warn, ":1.4", shop.digest()),
        ("a platform", Phase::Validate, ATTESTED, &index_digest, arm.digest()),
        ("the index", Phase::Mutate, ATTESTED, ":both", both.digest()),
        ("an index in it", Phase::Validate, ATTESTED, &outer_digest, both.digest()),
        ("that by the other algorithm", Phase::Mutate, ATTESTED, ":outer", inner_by_sha512.clone()),
        ("the image ID", Phase::Validate, ATTESTED, &by_digest, shop.image_id()),
        ("a platform's", Phase::Mutate, ATTESTED, ":both", arm.image_id()),
        ("by the other algorithm", Phase::Validate, ATTESTED, &by_digest, by_sha512.clone()),
        ("the other way about", Phase::Validate, ATTESTED, &format!("@{by_sha512}"), shop.digest()),
    ] {
        let extra = format!("unmatched: allow\nrevoked: [\"{revoked}\"]");
        let scene = Scene::with(&extra, policies);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.registry.put_image("acme/shop", "both", &both);
        scene.registry.put_image("acme/shop", "outer", &outer);
        scene.registry.put("acme/shop", &arm);
        scene.registry.tag("acme/shop", &by_sha512, &[&shop.digest()]);
        for content in [&shop, &arm, &both, &outer] {
            scene.attest(content);
        }
        let said = scene.ask(phase, &[&scene.image(&format!("acme/shop{named}"))]).await;
        // By another digest than it was attested by it is not attested either.
        let codes = said.audit("codes").trim_start_matches("attested.missing,");
        assert_eq!((said.allowed, codes), (false, "image.revoked"), "{name}");
        assert!(said.message.contains("is revoked"), "{name}: {}", said.message);
        assert!(said.pins().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_no_exception_and_no_broken_glass_opens_what_is_revoked() {
    let shop = image("shop").build();
    let scene = Scene::with_host(
        |host| {
            format!(
                "revoked: [\"{digest}\"]\n\
                 breakGlass: {{groups: [\"acme:oncall\"], until: 2100-01-01T00:00:00Z}}\n\
                 exceptions: [{{images: [\"{host}/acme/shop@{digest}\"], until: 2100-01-01T00:00:00Z, reason: x}}]",
                digest = shop.digest()
            )
        },
        ATTESTED,
    );
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let on_call = || review(&[&pinned]).user("alice", &["acme:oncall"]);
    let glass = on_call().annotation("countersign.dev/break-glass", "site is down");
    for (name, asked) in [("an exception", on_call()), ("broken glass", glass)] {
        let said = scene.review(Phase::Validate, &asked.build()).await;
        assert_eq!((said.allowed, said.audit("codes")), (false, "image.revoked"), "{name}");
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
