//! P5: "could not check" is not "not attested".

use countersign::admission::Phase;
use countersign_kit::{
    Auth, Fault, Key, On, Referrers, Registry, Users, artifact, image, simple_signing,
};
use serde_json::json;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn p5_a_failed_lookup_is_told_as_such_and_never_kept() {
    for (name, on_registry, fault, code, status) in [
        ("store answers 500", false, Fault::status(500), "store.unreachable", 503),
        ("store refuses", false, Fault::status(403), "store.unauthorized", 403),
        ("store answers HTML", false, Fault::html(200), "store.invalid", 403),
        ("registry answers 500", true, Fault::status(500), "registry.unreachable", 503),
        ("registry refuses", true, Fault::status(401), "registry.unauthorized", 403),
        ("registry limits", true, Fault::status(429), "registry.limited", 503),
        ("registry has no such manifest", true, Fault::status(404), "image.not-found", 403),
    ] {
        let scene = Scene::new();
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.attest(&shop);
        let peer = if on_registry { &*scene.registry } else { &*scene.grafeas };
        peer.fault(On::all(), fault);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert!(!said.allowed, "{name}");
        assert_eq!(said.audit("codes"), code, "{name}: {}", said.message);
        assert_eq!(said.code(), status, "{name}: {}", said.message);
        let advised = said.message.contains(&format!("({code}); "));
        assert!(advised, "{name}: what to do: {}", said.message);

        peer.heal();
        // A host that just failed is left alone for a second.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert!(said.allowed, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_presence_is_content_with_what_was_found() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.attach_by(&scene.builder, &shop);
    scene.grafeas.fault(On::all(), Fault::status(500));
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "more evidence could only help: {}", said.message);
}

/// Where more evidence could turn a rule's mind, nothing that was found makes up for what was not.
#[tokio::test(flavor = "multi_thread")]
async fn p5_what_could_not_be_looked_up_denies_whatever_the_rules_say() {
    for (name, parameters, alone) in [
        ("content", "scanned: false", "vulnerabilities.unscanned"),
        ("not content", "scanned: true", "vulnerabilities.unscanned"),
    ] {
        let policies = format!(
            "  - {{name: clean, match: {{}}, rules: [{{use: vulnerabilities, parameters: {{{parameters}}}}}], mode: enforce}}"
        );
        let scene = Scene::with("", &policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        let codes = if name == "content" { "" } else { alone };
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);

        let scene = Scene::with("", &policies);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.grafeas.fault(On::all(), Fault::status(500));
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "store.unreachable", "{name}: {}", said.message);
        assert_eq!((said.allowed, said.code()), (false, 503), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_what_cannot_be_looked_up_is_told_with_what_to_do() {
    let shop = image("shop").build();
    let pinned = |host: &str| format!("{host}/acme/shop@{}", shop.digest());
    let trap = Registry::start();
    let elsewhere = Auth::BearerAt(Users::default(), format!("{}/token", trap.url()));
    for (name, given, fault, code, todo) in [
        (
            "a path with capitals",
            Some("r.example/UPPER/case"),
            None,
            "image.reference",
            "write it in lower case",
        ),
        (
            "two lines",
            Some("r.example/a\nb"),
            None,
            "image.reference",
            "write it as host/path:tag or host/path@digest",
        ),
        (
            "no path",
            Some(":"),
            None,
            "image.reference",
            "write it as host/path:tag or host/path@digest",
        ),
        (
            "other bytes",
            None,
            Some(Fault::bytes("{}")),
            "image.digest-mismatch",
            "ask whoever runs it",
        ),
        (
            "a redirect in circles",
            None,
            Some(Fault::redirect(302, "?again")),
            "registry.redirect-refused",
            "ask whoever runs it",
        ),
        (
            "a token service elsewhere",
            None,
            None,
            "registry.realm-refused",
            "set `tokenRealm` for it if that is right",
        ),
        (
            "more bytes than a manifest has",
            None,
            Some(Fault::Endless),
            "evidence.too-much",
            "remove what is not needed",
        ),
    ] {
        let scene = Scene::new();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        match fault {
            Some(fault) => scene.registry.fault(On::all(), fault),
            None => scene.registry.set_auth(elsewhere.clone()),
        }
        let here = pinned(&scene.registry.host());
        let said = scene.ask(Phase::Validate, &[given.unwrap_or(&here)]).await;
        assert_eq!(said.audit("codes"), code, "{name}: {}", said.message);
        assert!(said.message.ends_with(&format!("({code}); {todo}")), "{name}: {}", said.message);
    }
    assert_eq!(trap.total(), 0);
}

/// Anybody with push access can have something rejected, and so quoted.
#[tokio::test(flavor = "multi_thread")]
async fn p13_what_is_quoted_of_evidence_is_no_advice() {
    let advice = "run kubectl label namespace shop countersign.dev/enforce-";
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    for number in 0..5 {
        let member = format!("{number}; {advice}, {}", "a".repeat(3_000));
        let referrer = artifact("application/vnd.cncf.notary.signature")
            .subject(&shop)
            .inline("application/jose+json", json!({ member: 1 }).to_string());
        scene.registry.attach("acme/shop", &referrer.build());
    }
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "attested.missing", "{}", said.message);
    let end = "(attested.missing); deploy an image that they attested, or have this one signed \
               (`countersign sign`)";
    assert!(said.message.ends_with(end), "{}", said.message);
    assert!(said.message.contains(&format!(", {advice}")), "{}", said.message);
    assert!(!said.message.contains(&format!("; {advice}")), "{}", said.message);
}

/// What a rule cannot look at is no reason to deny.
#[tokio::test(flavor = "multi_thread")]
async fn p5_a_source_that_a_rule_does_not_read_may_fail() {
    let fresh = "{use: fresh, parameters: {authorities: [builder], maxAge: 720h}}";
    let clean = "{use: vulnerabilities, parameters: {scanned: false}}";
    for (name, members, rule, signed, store_fails, want) in [
        ("a store that the signer does not use", ONLY_REFERRERS, fresh, true, true, ""),
        ("not fresh, whatever it has", ONLY_REFERRERS, fresh, false, true, "fresh.missing"),
        ("a store that the signer uses", "", fresh, false, true, "store.unreachable"),
        ("what hangs on the image holds no records", "", clean, false, false, ""),
        ("the store with the records", "", clean, false, true, "store.unreachable"),
    ] {
        let policies = format!("  - {{name: asks, match: {{}}, mode: enforce, rules: [{rule}]}}");
        let scene = Scene::with_builder(members, &policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        if signed {
            scene.attach_by(&scene.builder, &shop);
        }
        if store_fails {
            scene.grafeas.fault(On::all(), Fault::status(500));
        } else {
            scene.registry.fault(On::path("/referrers/"), Fault::status(500));
        }
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

const ONLY_REFERRERS: &str = ", sources: [referrers]";

#[tokio::test(flavor = "multi_thread")]
async fn p5_a_note_that_the_store_does_not_know_is_none_and_told() {
    let mistyped = "projects/build/notes/biult";
    let scene = Scene::with_authority(
        &format!("  - {{name: qa, keys: [{{openpgp: qa.asc}}], note: {mistyped}}}"),
        &[("qa.asc", &Key::generate("QA <qa@acme.example>").certificate_armored())],
        "  - {name: built, match: {}, mode: enforce, rules: [{use: attested, parameters: {authorities: [builder]}}]}\n\
         \x20 - {name: tested, match: {}, mode: enforce, rules: [{use: attested, parameters: {authorities: [qa]}}]}\n\
         \x20 - {name: here, match: {}, mode: enforce, rules: [{use: registries, parameters: {allow: [\"a.example/**\"]}}]}",
    );
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "attested.missing,registries.refused", "{}", said.message);
    assert_eq!(said.code(), 403, "{}", said.message);
    let told = format!("no attestation by qa (the store grafeas knows no {mistyped}) (");
    let line = |policy: &str| said.message.lines().find(|line| line.starts_with(policy)).unwrap();
    assert!(line("tested:").contains(&told), "{}", said.message);
    for other in ["built:", "here:"] {
        assert!(!line(other).contains("knows no"), "it is not theirs: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_hangs_is_a_denial_in_time() {
    let scene = Scene::with("deadline: 1s", crate::scene::ATTESTED);
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.registry.fault(On::all(), Fault::Hang);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let begun = std::time::Instant::now();
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(!said.allowed);
    assert!(
        ["registry.unreachable", "review.deadline"].contains(&said.audit("codes")),
        "{}",
        said.message
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!(said.code(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_a_flood_of_attestations_is_a_failure_and_dangling_entries_are_none() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    scene.registry.set_referrers(Referrers::Off);
    let gone = artifact("application/vnd.countersign.attestation.v1").subject(&shop).build();
    scene.registry.list_under_fallback_tag("acme/shop", &shop.digest(), gone.descriptor());
    scene.attach_by(&scene.builder, &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "an entry that points at nothing hides nothing: {}", said.message);

    let scene = Scene::new();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let stranger = Key::generate("Stranger <s@evil.example>");
    for number in 0..65 {
        let layer = "application/vnd.countersign.simple-signing.v1+pgp";
        let flood = artifact("application/vnd.countersign.attestation.v1")
            .subject(&shop)
            .annotation("number", &number.to_string())
            .inline(layer, stranger.sign_message(b"{}"))
            .build();
        scene.registry.attach("acme/shop", &flood);
    }
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "evidence.too-much", "{}", said.message);
    assert!(said.message.contains("64 attestations that refer to one image"), "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_signature_checks_of_one_image_are_counted() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    // Each message holds dozens of signatures that say the builder made them.
    let mut message = scene.builder.signing();
    for _ in 0..17 {
        message = message.and(&scene.builder);
    }
    let flood = message.message(&simple_signing(&scene.image("acme/shop"), &shop.digest()));
    for number in 0..60 {
        let layer = "application/vnd.countersign.simple-signing.v1+pgp";
        let artifact = artifact("application/vnd.countersign.attestation.v1")
            .subject(&shop)
            .annotation("number", &number.to_string())
            .inline(layer, flood.clone())
            .build();
        scene.registry.attach("acme/shop", &artifact);
    }
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "evidence.too-much", "{}", said.message);
    assert!(
        said.message.contains("1024 signature checks for one image at one source"),
        "{}",
        said.message
    );
}
