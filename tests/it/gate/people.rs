//! What other gates are told in policies of their own, told to this one (`docs/policies.md`).

use countersign::admission::Phase;
use countersign_kit::{Key, image, keyring_armored};

use crate::scene::{ATTESTED, NOTE, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn images_are_let_in_held_and_shut_out_as_other_gates_do() {
    let here =
        |images: &str| ATTESTED.replace("match: {}", &format!("match: {{images: [{images}]}}"));
    let audit = ATTESTED.replace("enforce", "audit");
    let shut = "  - {name: shut, match: {}, mode: enforce, rules: [{use: registries, parameters: {allow: [\"nowhere.example/none\"]}}]}";
    let (allow, deny) = ("unmatched: allow", "unmatched: deny");
    for (name, unmatched, policies, signed, want) in [
        ("Kritis, in the allowlist", allow, here("\"*/acme/*-app\""), false, ""),
        ("Kritis, not in it", allow, here("\"*/acme/*\""), false, "attested.missing"),
        ("Kritis, not in it, attested", allow, here("\"*/acme/*\""), true, ""),
        (
            "Binary Authorization, admissionWhitelistPatterns",
            allow,
            here("\"a.example/**\""),
            false,
            "",
        ),
        (
            "Binary Authorization, REQUIRE_ATTESTATION",
            deny,
            ATTESTED.to_owned(),
            false,
            "attested.missing",
        ),
        ("Binary Authorization, DRYRUN_AUDIT_LOG_ONLY", allow, audit, false, ""),
        ("Binary Authorization, ALWAYS_DENY", allow, shut.to_owned(), true, "registries.refused"),
        ("podman, reject", deny, here("\"a.example/**\""), true, "review.unmatched"),
        ("podman, insecureAcceptAnything", allow, here("\"a.example/**\""), false, ""),
    ] {
        let scene = Scene::with(unmatched, &policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        if signed {
            scene.attest(&shop);
        }
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
        assert_eq!(said.allowed, want.is_empty(), "{name}");
    }
}

/// Each attestor is an authority; whichever of its keys signs, it has attested.
#[tokio::test(flavor = "multi_thread")]
async fn k_attestors_are_asked_for_and_any_key_of_each_will_do() {
    let [old, new, stranger] = ["old", "new", "stranger"].map(Key::generate);
    let keyring = keyring_armored(&[&old, &new]);
    let attestor = format!("  - {{name: qa, keys: [{{openpgp: qa.asc}}], note: {NOTE}}}");
    let both = ATTESTED.replace("authorities: [builder]", "authorities: [builder, qa]");
    let either = both.replace("[builder, qa]", "[builder, qa], atLeast: 1");
    for (name, policies, by_builder, by_other, want) in [
        ("both, one key", &both, true, Some(&old), ""),
        ("both, the other key", &both, true, Some(&new), ""),
        ("one of both", &both, true, None, "attested.missing"),
        ("the other of both", &both, false, Some(&new), "attested.missing"),
        ("and a stranger", &both, true, Some(&stranger), "attested.missing"),
        ("either", &either, false, Some(&new), ""),
        ("neither", &either, false, Some(&stranger), "attested.missing"),
    ] {
        let scene = Scene::with_authority(&attestor, &[("qa.asc", &keyring)], policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        if by_builder {
            scene.attest(&shop);
        }
        if let Some(key) = by_other {
            scene.attest_by(key, &shop);
        }
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}
