//! Manifests and blobs: hashed here, bounded, and fetched with one request each.

use std::time::{Duration, Instant};

use countersign::{
    attest::oci::{Descriptor, Document},
    source::{Deadline, Reference, Registries, RegistriesOptions},
};
use countersign_kit::{Content, Fault, Kind, On, Registry, image, sha256};
use serde_json::Value;

use super::{by_digest, client, code, digest, host, repository, soon};

#[tokio::test]
async fn p1_the_digest_is_computed_here() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    registry.fault(On::all(), Fault::header("docker-content-digest", sha256(b"a lie")));
    let client = client([host(&registry)]);
    let shop_here = repository(&registry, "acme/shop");
    for at in [Reference::Tag("1.4"), by_digest(&shop)] {
        let fetched = client.manifest(&shop_here, at, soon()).await.unwrap();
        assert_eq!(fetched.digest, digest(&shop));
        assert_eq!(fetched.bytes, shop.manifest);
        assert!(matches!(fetched.document().unwrap(), Document::Manifest(_)));
    }
    assert_eq!(registry.total(), 2, "one request each");
    assert_eq!(registry.connections(), 1, "over one connection");
}

#[tokio::test]
async fn p1_other_manifests_than_asked_for_are_refused() {
    for (name, fault, want) in [
        ("padded", Fault::padded(), "image.digest-mismatch"),
        ("other bytes", Fault::bytes("{}"), "image.digest-mismatch"),
        ("empty", Fault::bytes(""), "image.digest-mismatch"),
        ("page", Fault::html(200), "registry.invalid"),
        ("not there", Fault::status(404), "image.not-found"),
        ("teapot", Fault::status(418), "registry.invalid"),
        ("no content", Fault::status(204), "registry.invalid"),
        ("schema 1", Fault::header("content-type", SCHEMA_1), "image.unsupported"),
    ] {
        let registry = Registry::start();
        let shop = image("shop").build();
        registry.put_image("acme/shop", "1.4", &shop);
        registry.fault(On::kind(Kind::Manifest), fault);
        let fetched = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), by_digest(&shop), soon())
            .await;
        assert_eq!(code(fetched), want, "{name}");
    }
}

#[tokio::test]
async fn p1_a_digest_wins_over_everything_and_sha512_is_hashed_as_such() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    let wide = countersign::name::Digest::sha512(&shop.manifest);
    registry.tag("acme/shop", &wide.to_string(), &[&shop.digest()]);
    let fetched = client([host(&registry)])
        .manifest(&repository(&registry, "acme/shop"), Reference::Digest(wide), soon())
        .await
        .unwrap();
    assert_eq!(fetched.digest, wide);
}

#[tokio::test]
async fn p8_endless_and_large_answers_end() {
    for (name, fault, want) in [
        ("endless", Fault::Endless, "evidence.too-much"),
        ("declared", Fault::Length(5 << 20), "evidence.too-much"),
        ("sent", Fault::bytes(vec![b' '; (4 << 20) + 1]), "evidence.too-much"),
        ("cut off", Fault::Truncate(10), "registry.unreachable"),
        ("closed", Fault::Close, "registry.unreachable"),
    ] {
        let registry = Registry::start();
        let shop = image("shop").build();
        registry.put_image("acme/shop", "1.4", &shop);
        registry.fault(On::kind(Kind::Manifest), fault);
        let began = Instant::now();
        let fetched = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), Reference::Tag("1.4"), soon())
            .await;
        assert_eq!(code(fetched), want, "{name}");
        assert!(began.elapsed() < Duration::from_secs(4), "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn p8_the_deadline_holds() {
    for (name, fault) in
        [("hangs", Fault::Hang), ("drips", Fault::Drip(1, Duration::from_millis(100)))]
    {
        let registry = Registry::start();
        let shop = image("shop").build();
        registry.put_image("acme/shop", "1.4", &shop);
        registry.fault(On::all(), fault);
        let began = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(300));
        let fetched = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), Reference::Tag("1.4"), deadline)
            .await
            .unwrap_err();
        assert_eq!(fetched.code().to_string(), "registry.unreachable", "{name}");
        assert!(fetched.retryable() && fetched.to_string().contains("in time"), "{name}");
        assert!(began.elapsed() < Duration::from_millis(600), "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn blobs_are_measured_and_hashed() {
    let registry = Registry::start();
    let bytes = b"a signature".as_slice();
    registry.put_blob("acme/shop", bytes);
    let client = client([host(&registry)]);
    let shop = repository(&registry, "acme/shop");
    let good = Descriptor::of("application/octet-stream", bytes);
    let there = client.blob(&shop, &good, 100, soon()).await.unwrap();
    assert_eq!(there, bytes);
    for (name, descriptor, cap, want, requests) in [
        ("larger than the cap", good.clone(), 5, "evidence.too-much", 0),
        ("shorter than said", Descriptor { size: 12, ..good.clone() }, 100, "registry.invalid", 1),
        ("longer than said", Descriptor { size: 10, ..good.clone() }, 100, "evidence.too-much", 1),
        ("none there", Descriptor::of("a/b", b"else"), 100, "registry.invalid", 1),
        (
            "lying data",
            Descriptor { data: Some("AAAA".into()), ..good },
            100,
            "registry.invalid",
            0,
        ),
    ] {
        registry.forget();
        assert_eq!(code(client.blob(&shop, &descriptor, cap, soon()).await), want, "{name}");
        assert_eq!(registry.total(), requests, "{name}");
    }
}

#[tokio::test]
async fn bytes_in_the_descriptor_need_no_request() {
    let registry = Registry::start();
    let got = client([host(&registry)])
        .blob(&repository(&registry, "acme/shop"), &Descriptor::empty(), 100, soon())
        .await;
    assert_eq!(got.unwrap(), "{}");
    assert_eq!(registry.total(), 0);
}

#[tokio::test]
async fn p9_the_urls_of_a_descriptor_are_never_fetched() {
    let (registry, trap) = (Registry::start(), Registry::start());
    let bytes = b"elsewhere";
    trap.put_blob("x", bytes.as_slice());
    let text = format!(
        r#"{{"mediaType":"a/b","digest":"{}","size":9,"urls":["{}/v2/x/blobs/{}"]}}"#,
        sha256(bytes),
        trap.url(),
        sha256(bytes)
    );
    let descriptor: Descriptor = serde_json::from_str(&text).unwrap();
    let got = client([host(&registry), host(&trap)])
        .blob(&repository(&registry, "acme/shop"), &descriptor, 100, soon())
        .await;
    assert_eq!(code(got), "registry.invalid");
    assert_eq!(trap.total(), 0);
}

#[tokio::test]
async fn repositories_that_are_not_allowed_are_not_asked() {
    let registry = Registry::start();
    let allow = Some(vec![format!("{}/acme/**", registry.host()).parse().unwrap()]);
    let options = RegistriesOptions { allow, hosts: vec![host(&registry)] };
    let client = Registries::new(options).unwrap();
    let other = repository(&registry, "other/shop");
    let descriptor = Descriptor::of("a/b", b"x");
    let digest = descriptor.digest;
    assert_eq!(code(client.manifest(&other, Reference::Tag("1"), soon()).await), "image.refused");
    assert_eq!(code(client.blob(&other, &descriptor, 9, soon()).await), "image.refused");
    assert_eq!(code(client.referrers(&other, digest, soon()).await), "image.refused");
    assert_eq!(code(client.signatures(&other, digest, soon()).await), "image.refused");
    assert_eq!(registry.total(), 0);
}

#[tokio::test]
async fn what_a_document_is_says_its_body_where_the_server_does_not() {
    let registry = Registry::start();
    let shop = image("shop").build();
    let own: Value = serde_json::from_slice(&shop.manifest).unwrap();
    registry.put("acme/shop", &Content::raw("application/json", shop.manifest.clone()));
    let fetched = client([host(&registry)])
        .manifest(&repository(&registry, "acme/shop"), by_digest(&shop), soon())
        .await
        .unwrap();
    assert_eq!(fetched.media_type, own["mediaType"].as_str().unwrap());
}

const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
