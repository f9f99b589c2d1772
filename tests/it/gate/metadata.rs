//! Metadata beside an image: what reaches a rule, and what never does.

use countersign::admission::Phase;
use countersign_kit::{
    Content, Key, Referrers, artifact, envelope, image, index, sha256, signed_statement,
    simple_signing, statement,
};
use serde_json::{Value, json};

use crate::scene::{Said, Scene};

const APPROVED: &str = "  - {name: approved, match: {}, mode: enforce, rules: [{use: approved, parameters: {authorities: [qa]}}]}";
const METADATA: &str = "https://countersign.dev/metadata/v1";
const ARTIFACT: &str = "application/vnd.countersign.metadata.v1";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// A sign-off, and all that can be wrong with it.
struct SignOff<'a> {
    repository: &'a str,
    digest: String,
    predicate_type: &'a str,
    kind: &'a str,
    media_type: &'a str,
    value: &'a [u8],
    stored: Option<&'a [u8]>,
    created: &'a str,
    expires: Option<&'a str>,
}

impl SignOff<'_> {
    fn of(content: &Content) -> Self {
        SignOff {
            repository: "acme/shop",
            digest: content.digest(),
            predicate_type: METADATA,
            kind: "approval",
            media_type: "application/json",
            value: br#"{"approved":true}"#,
            stored: None,
            created: "2026-01-02T03:04:05Z",
            expires: Some("2100-01-01T00:00:00Z"),
        }
    }

    fn statement(&self, scene: &Scene) -> Value {
        let mut predicate = json!({
            "type": self.kind,
            "mediaType": self.media_type,
            "digest": sha256(self.value),
            "size": self.value.len(),
            "created": self.created,
        });
        if let Some(expires) = self.expires {
            predicate["expires"] = expires.into();
        }
        statement(self.predicate_type, &scene.image(self.repository), &self.digest, predicate)
    }

    fn attach(&self, scene: &Scene, key: &Key, to: &Content) {
        let signed = signed_statement(&self.statement(scene), &[key]).to_string();
        let stored = self.stored.unwrap_or(self.value).to_vec();
        let referrer = artifact(ARTIFACT)
            .subject(to)
            .inline(ENVELOPE, signed)
            .layer(self.media_type, stored)
            .build();
        scene.registry.attach("acme/shop", &referrer);
    }
}

async fn ask(scene: &Scene, content: &Content) -> Said {
    scene.ask(Phase::Validate, &[&scene.image(&format!("acme/shop@{}", content.digest()))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_sign_off_counts_for_the_image_that_it_names() {
    let (qa, stranger) =
        (Key::generate("QA <qa@acme.example>"), Key::generate("S <s@evil.example>"));
    let (shop, other) = (image("shop").build(), image("other").build());
    let good = || SignOff::of(&shop);
    let old = Some("2026-01-03T00:00:00Z");
    for (name, key, sign_off, want) in [
        ("approved", &qa, good(), ""),
        ("by a stranger", &stranger, good(), "signature.unknown-key"),
        (
            "value exchanged",
            &qa,
            SignOff { stored: Some(b"{\"approved\":true }"), ..good() },
            "payload.malformed",
        ),
        ("of another image", &qa, SignOff::of(&other), "payload.other-image"),
        (
            "of another repository",
            &qa,
            SignOff { repository: "acme/x", ..good() },
            "payload.other-repository",
        ),
        (
            "of another predicate",
            &qa,
            SignOff { predicate_type: "https://a.example/v1", ..good() },
            "payload.malformed",
        ),
        ("of another type", &qa, SignOff { kind: "contact", ..good() }, "0 of 1 sign-offs needed"),
        ("expired", &qa, SignOff { expires: old, ..good() }, "expired 2026-01-03T00:00:00Z"),
        ("for ever", &qa, SignOff { expires: None, ..good() }, "has no expiry"),
        (
            "withdrawn",
            &qa,
            SignOff { value: b"{\"approved\":false}", ..good() },
            "does not say approved: true",
        ),
        (
            "JSON that is none",
            &qa,
            SignOff { value: b"{\"approved\":true", ..good() },
            "payload.malformed",
        ),
        (
            "a member twice",
            &qa,
            SignOff { value: b"{\"approved\":true,\"approved\":false}", ..good() },
            "payload.malformed",
        ),
        (
            "JSON, said to be text",
            &qa,
            SignOff { media_type: "text/plain", ..good() },
            "does not say approved: true",
        ),
    ] {
        let scene = Scene::with_metadata(&[&qa], APPROVED);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        sign_off.attach(&scene, key, &shop);
        let said = ask(&scene, &shop).await;
        assert_eq!(said.allowed, want.is_empty(), "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
        let codes = if want.is_empty() { "" } else { "approved.missing" };
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_metadata_never_passes_for_an_attestation_nor_the_other_way() {
    let qa = Key::generate("QA <qa@acme.example>");
    let shop = image("shop").build();
    let attested = "  - {name: attested, match: {}, mode: enforce, rules: [{use: attested, parameters: {authorities: [qa]}}]}";
    let scene = Scene::with_metadata(&[&qa], attested);
    scene.registry.put_image("acme/shop", "1.4", &shop);
    SignOff::of(&shop).attach(&scene, &qa, &shop);
    let said = ask(&scene, &shop).await;
    assert_eq!(said.audit("codes"), "attested.missing", "{}", said.message);

    for (name, layers, want) in [
        ("a statement without value", 1, "stands nowhere beside it"),
        ("an unsigned value", 0, "0 of 1 sign-offs needed"),
    ] {
        let scene = Scene::with_metadata(&[&qa], APPROVED);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let statement = SignOff::of(&shop).statement(&scene);
        let referrer = if layers == 1 {
            let signed = signed_statement(&statement, &[&qa]).to_string();
            artifact("application/vnd.countersign.attestation.v1")
                .subject(&shop)
                .inline(ENVELOPE, signed)
        } else {
            artifact(ARTIFACT)
                .subject(&shop)
                .inline("application/vnd.in-toto+json", statement.to_string())
                .inline("application/json", br#"{"approved":true}"#.as_slice())
        };
        scene.registry.attach("acme/shop", &referrer.build());
        let said = ask(&scene, &shop).await;
        assert_eq!(said.audit("codes"), "approved.missing", "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_metadata_is_read_from_its_own_carrier_only() {
    let qa = Key::generate("QA <qa@acme.example>");
    let shop = image("shop").build();
    for (name, layer_type, want) in [
        (
            "simple signing",
            "application/vnd.countersign.simple-signing.v1+pgp",
            "which is no statement",
        ),
        ("an envelope of another type", ENVELOPE, "none that is read from a DSSE envelope"),
    ] {
        let scene = Scene::with_metadata(&[&qa], APPROVED);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let payload = simple_signing(&scene.image("acme/shop"), &shop.digest());
        let layer = match layer_type {
            ENVELOPE => {
                let signature = qa.sign_detached(&countersign_kit::pae("text/plain", &payload));
                envelope("text/plain", &payload, &[("", &signature)]).to_string().into_bytes()
            }
            _ => qa.sign_message(&payload),
        };
        let referrer = artifact(ARTIFACT)
            .subject(&shop)
            .inline(layer_type, layer)
            .inline("text/plain", b"ok".as_slice());
        scene.registry.attach("acme/shop", &referrer.build());
        let said = ask(&scene, &shop).await;
        assert_eq!(said.audit("codes"), "approved.missing", "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_sign_offs_count_keys_and_each_keys_newest_word() {
    let (ann, bob) = (
        Key::options("Ann <ann@acme.example>").signing_subkeys(2).generate(),
        Key::generate("Bob <bob@acme.example>"),
    );
    let shop = image("shop").build();
    let two = APPROVED.replace("[qa]}", "[qa], atLeast: 2}");
    let no: &[u8] = br#"{"approved":false}"#;
    let later = "2026-02-02T00:00:00Z";
    let good = || SignOff::of(&shop);
    for (name, sign_offs, want) in [
        ("two people", vec![(&ann, good()), (&bob, good())], ""),
        ("one twice", vec![(&ann, good()), (&ann, SignOff { created: later, ..good() })], "1 of 2"),
        (
            "one takes it back",
            vec![
                (&ann, good()),
                (&bob, good()),
                (&bob, SignOff { created: later, value: no, ..good() }),
            ],
            "1 of 2",
        ),
        (
            "one gives it again",
            vec![
                (&ann, good()),
                (&bob, SignOff { value: no, ..good() }),
                (&bob, SignOff { created: later, ..good() }),
            ],
            "",
        ),
        (
            "the newest has expired, and what it replaced does not come back",
            vec![
                (&ann, good()),
                (&bob, good()),
                (&bob, SignOff { created: later, expires: Some("2026-02-03T00:00:00Z"), ..good() }),
            ],
            "1 of 2",
        ),
    ] {
        let scene = Scene::with_metadata(&[&ann, &bob], &two);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        for (key, sign_off) in sign_offs {
            sign_off.attach(&scene, key, &shop);
        }
        let said = ask(&scene, &shop).await;
        assert_eq!(said.allowed, want.is_empty(), "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_a_flood_does_not_bring_back_what_was_taken_back() {
    let qa = Key::generate("QA <qa@acme.example>");
    let contact = APPROVED.replace("approved", "contact");
    let said = |kind, value, created| (kind, value, created);
    let (first, later) = ("2026-01-02T03:04:05Z", "2026-02-02T00:00:00Z");
    for (policies, given, taken) in [
        (
            APPROVED,
            said("approval", br#"{"approved":true}"#.as_slice(), first),
            said("approval", br#"{"approved":false}"#.as_slice(), later),
        ),
        (
            &contact,
            said("contact", br#"{"team":"shop"}"#.as_slice(), first),
            said("contact", b"{}".as_slice(), later),
        ),
    ] {
        let scene = Scene::with_metadata(&[&qa], policies);
        let shop = image("shop").build();
        let one = index([&shop]).build();
        scene.registry.set_referrers(Referrers::Off);
        scene.registry.put_image("acme/shop", "1.4", &one);
        let attach = |(kind, value, created), to| {
            SignOff { kind, value, created, ..SignOff::of(to) }.attach(&scene, &qa, to);
        };
        attach(given, &one);
        attach(taken, &shop);
        for number in 0..257 {
            let untyped = image(&number.to_string()).build().descriptor();
            scene.registry.list_under_fallback_tag("acme/shop", &shop.digest(), untyped);
        }
        let said = ask(&scene, &one).await;
        assert_eq!(said.audit("codes"), "evidence.too-much", "{policies}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_signed_off_by_itself_or_by_every_platform() {
    let qa = Key::generate("QA <qa@acme.example>");
    let every = APPROVED.replace("match: {}", "match: {}, platforms: every");
    for (name, policies, on_index, on_platforms, want) in [
        ("the index", APPROVED, true, [false, false], ""),
        ("both platforms", APPROVED, false, [true, true], ""),
        ("one platform", APPROVED, false, [true, false], "approved.missing"),
        ("the index, where platforms count", &every, true, [false, false], "approved.missing"),
        ("both, where platforms count", &every, false, [true, true], ""),
    ] {
        let scene = Scene::with_metadata(&[&qa], policies);
        let platforms = [image("a").build(), image("b").platform("linux/arm64").build()];
        let both = index(&platforms).build();
        scene.registry.put_image("acme/shop", "1.4", &both);
        let signed = platforms.iter().zip(on_platforms).chain([(&both, on_index)]);
        for (content, _) in signed.filter(|(_, signed)| *signed) {
            SignOff::of(content).attach(&scene, &qa, content);
        }
        let said = ask(&scene, &both).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_values_have_a_cap_each_and_together() {
    let qa = Key::generate("QA <qa@acme.example>");
    let shop = image("shop").build();
    for (name, size, count, want) in [
        ("one too large, which hides nothing", 1024 * 1024 + 1, 1, ""),
        ("as many as may be", 1024 * 1024, 2, ""),
        ("too much together", 1024 * 1024, 3, "evidence.too-much"),
        ("too many", 1, 64, "evidence.too-much"),
    ] {
        let scene = Scene::with_metadata(&[&qa], APPROVED);
        scene.registry.put_image("acme/shop", "1.4", &shop);
        SignOff::of(&shop).attach(&scene, &qa, &shop);
        for number in 0..count {
            let mut value = vec![b'x'; size];
            value[0] = number;
            // The sign-off itself is read too.
            value.truncate(if count == 2 { size - 64 } else { size });
            SignOff {
                kind: "other",
                media_type: "text/plain",
                value: &value,
                ..SignOff::of(&shop)
            }
            .attach(&scene, &qa, &shop);
        }
        let said = ask(&scene, &shop).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}
