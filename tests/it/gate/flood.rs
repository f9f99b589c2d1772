//! P8: what hangs on an image may be much; what can count is read within its own bounds.

use std::time::{Duration, Instant};

use countersign::admission::Phase;
use countersign_kit::{Content, Fault, Kind, On, Referrers, artifact, image, index, review};

use crate::scene::{ATTESTED, Scene};

const OURS: &str = "application/vnd.countersign.attestation.v1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE: &str = "application/vnd.countersign.simple-signing.v1+pgp";

const MALFORMED: &str = "signature.malformed";

/// A referrer of `shop` with one layer of so many bytes.
fn heavy(shop: &Content, kind: &str, layer: &str, number: u8, size: usize) -> Content {
    artifact(kind).subject(shop).layer(layer, vec![number; size]).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_bytes_of_what_may_count_are_bounded_together() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    for number in 0..9 {
        let one = heavy(&shop, OURS, SIMPLE, number, 4_000_000);
        scene.registry.attach("acme/shop", &one);
    }
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "evidence.too-much", "{}", said.message);
    let want = "33554432 bytes of what may be attestations of one image";
    assert!(said.message.contains(want), "{}", said.message);
    assert!(scene.registry.count(Kind::Blob) <= 8, "{}", scene.registry.count(Kind::Blob));
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_what_counts_for_nobody_takes_nothing_from_what_does() {
    // No authority here takes what cosign signs, so bundles are read only to say whose they are.
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    for number in 0..8 {
        scene.registry.attach("acme/shop", &heavy(&shop, BUNDLE, BUNDLE, number, 4_000_000));
    }
    scene.attach_by(&scene.builder, &shop);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
    assert!(scene.registry.count(Kind::Blob) <= 1, "{}", scene.registry.count(Kind::Blob));
    let input = scene.input(&pinned).await;
    let records = input["images"][0]["records"]["referrers"].as_array().unwrap().len();
    assert_eq!(records, 8, "each is listed all the same: {input}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_untyped_entries_of_lists_have_a_bound_of_their_own() {
    for (count, truthful, want) in [
        (9, true, ""),
        (9, false, ""),
        (17, true, "67108864 bytes of referrers that are listed without a type"),
        (17, false, "67108864 bytes of referrers that are listed without a type"),
    ] {
        let scene = Scene::with("deadline: 30s", ATTESTED);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        scene.registry.set_referrers(Referrers::Off);
        for number in 0..count {
            let note = format!("{number:02}").repeat(2_000_000);
            let other = artifact("text/plain").subject(&shop).annotation("note", &note).build();
            scene.registry.put("acme/shop", &other);
            let mut listed = other.descriptor();
            if !truthful {
                listed["size"] = 2.into();
            }
            scene.registry.list_under_fallback_tag("acme/shop", &shop.digest(), listed);
        }
        scene.attach_by(&scene.builder, &shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let review = review(&[&pinned]).build();
        let said = scene.review_within(Duration::from_secs(30), Phase::Validate, &review).await;
        assert_eq!(said.allowed, want.is_empty(), "{count} {truthful}: {}", said.message);
        assert!(said.message.contains(want), "{count} {truthful}: {}", said.message);
    }
}

/// What anybody may hang on an image with texts of any length in it.
#[tokio::test(flavor = "multi_thread")]
async fn p8_what_cannot_be_read_is_told_in_few_words() {
    let notation = "application/vnd.cncf.notary.signature";
    let long = "a".repeat(300_000);
    let unknown = format!("{{\"{long}\\u001b\": 1}}");
    for (name, kind, layer, bytes, code) in [
        ("the type of a layer", OURS, long.as_str(), "{}", MALFORMED),
        ("the type of a bundle", BUNDLE, long.as_str(), "{}", MALFORMED),
        (
            "a bundle's version",
            BUNDLE,
            BUNDLE,
            &format!("{{\"mediaType\": \"{long}\"}}"),
            MALFORMED,
        ),
        ("a member of a bundle", BUNDLE, BUNDLE, &unknown, MALFORMED),
        (
            "the type of a layer of Notation's",
            notation,
            long.as_str(),
            "{}",
            "signature.certificate",
        ),
        ("a member of Notation's", notation, "application/jose+json", &unknown, MALFORMED),
    ] {
        let scene = Scene::new();
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let bad = artifact(kind).subject(&shop).layer(layer, bytes.to_owned()).build();
        scene.registry.attach("acme/shop", &bad);
        let input = scene.input(&scene.image(&format!("acme/shop@{}", shop.digest()))).await;
        let [rejected] = input["images"][0]["rejected"].as_array().unwrap().as_slice() else {
            panic!("{name}: {input}");
        };
        let detail = rejected["detail"].as_str().unwrap();
        assert_eq!(rejected["code"], code, "{name}: {detail}");
        assert!(detail.chars().count() <= 1024, "{name}: {}", detail.len());
        assert!(!detail.contains('\u{1b}'), "{name}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_annotations_of_referrers_are_cut() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let long = "é".repeat(10_000);
    let other = artifact("text/plain").subject(&shop).annotation("a", "é").annotation("b", &long);
    scene.registry.attach("acme/shop", &other.annotation(&long, "c").build());
    let input = scene.input(&scene.image(&format!("acme/shop@{}", shop.digest()))).await;
    let annotations = &input["images"][0]["records"]["referrers"][0]["annotations"];
    assert_eq!(annotations["a"], "é");
    assert_eq!(annotations["b"], long[..4096]);
    assert_eq!(annotations[&long[..4096]], "c");
}

/// Twenty images of sixty platforms each, none of which is ever answered.
#[tokio::test(flavor = "multi_thread")]
async fn p8_one_pod_opens_so_many_connections() {
    let scene = Scene::with("deadline: 2s", ATTESTED);
    let platforms: Vec<_> = (0..60)
        .map(|number| image("p").platform(&format!("linux/amd64/v{number}")).build())
        .collect();
    let large = index(&platforms).build();
    let images: Vec<_> = (0..20)
        .map(|number| {
            let repository = format!("acme/r{number}");
            scene.registry.put(&repository, &large);
            scene.image(&format!("{repository}@{}", large.digest()))
        })
        .collect();
    for platform in &platforms {
        scene.registry.fault(On::path(&platform.hex()), Fault::Hang);
    }
    let images: Vec<_> = images.iter().map(String::as_str).collect();
    let (began, time) = (Instant::now(), Duration::from_secs(2));
    let said = scene.review_within(time, Phase::Validate, &review(&images).build()).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(said.audit("codes"), "review.deadline", "{}", said.message);
    let connections = scene.registry.connections();
    assert!(connections <= 64 + 32 + 64, "{connections}");
}
