//! cosign with keys: signatures and attestations under tags, bundles as referrers; and without.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use countersign::{
    attest::{Signed, sigstore},
    verify::{Authority, Identity},
};
use countersign_kit::{
    Content, Fault, IN_TOTO, Key, Kind, On, PkixKey, Referrers, Registry, artifact, base64,
    envelope, image, pae, round_trips, simple_signing_of, statement,
};

use super::{Desk, SIGNED, known_as, pkix, put_layout};
use crate::verify_support::{self, fixture};

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const SLSA_1: &str = "https://slsa.dev/provenance/v1";
const SLSA_02: &str = "https://slsa.dev/provenance/v0.2";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const COSIGN: &str = "cosign container image signature";

/// Everything that a team which uses cosign signs.
const ALL: [&str; 4] = ["simple-signing", SIGN, SLSA_1, SLSA_02];

fn genuine(layout: &str, named: &str) -> Desk {
    let registry = Registry::start();
    put_layout(&registry, "acme/shop", &format!("cosign/{layout}"));
    let mut desk = Desk::new(registry, vec![pkix(&fixture("cosign/cosign.pub"), &ALL)]);
    desk.authorities[0].identities = known_as(&desk.repository("acme/shop"), named);
    desk
}

#[tokio::test]
async fn p4_tags_that_cosign_wrote_count() {
    let desk = genuine("layout-sig-att-tags", "127.0.0.1:5005/cosign/old");
    let said = desk.ask("acme/shop", SIGNED).await;
    let want = [
        "tags https://slsa.dev/provenance/v0.2",
        "tags https://slsa.dev/provenance/v1",
        "tags simple-signing",
    ];
    assert_eq!((said.counts(), said.codes()), (want.map(str::to_owned).into(), vec![]));
    let sig = format!("{}:sha256-{}.sig/layer-1", desk.repository("acme/shop"), &SIGNED[7..]);
    assert!(said.verified.iter().any(|one| one.name() == sig), "{:?}", said.verified);
}

#[tokio::test]
async fn p4_bundles_that_cosign_wrote_count_however_they_are_listed() {
    for (name, layout, port, listed) in [
        ("referrers API", "layout-bundle-referrers", 5006, None),
        (
            "listed as an empty config, as go-containerregistry does",
            "layout-bundle-ggcr-referrers",
            5005,
            Some("application/vnd.oci.empty.v1+json"),
        ),
        ("listed without a type", "layout-bundle-referrers", 5006, Some("")),
        ("fallback tag", "layout-bundle-fallback-tag", 5002, None),
    ] {
        let mut desk = genuine(layout, &format!("127.0.0.1:{port}/cosign/newb"));
        if layout.contains("fallback") {
            desk.registry.set_referrers(Referrers::Off);
        }
        if let Some(listed) = listed {
            let right = format!("\"artifactType\":\"{BUNDLE}\"");
            let wrong = format!("\"artifactType\":\"{listed}\"");
            desk.registry.fault(
                On::kind(Kind::Referrers),
                Fault::rewrite(move |_, mut answer| {
                    let text = String::from_utf8(answer.body.to_vec()).unwrap();
                    assert!(text.contains(&right), "{text}");
                    answer.body = text.replace(&right, &wrong).into();
                    answer
                }),
            );
        }
        let said = desk.ask("acme/shop", SIGNED).await;
        let attested = vec![format!("referrers {SLSA_1}")];
        // What `cosign sign` signs names no repository.
        let got = (said.counts(), said.codes());
        assert_eq!(got, (attested, vec!["payload.other-repository"]), "{name}");

        desk.authorities[0] =
            Authority { identity: Identity::Digest, ..pkix(&fixture("cosign/cosign.pub"), &ALL) };
        let said = desk.ask("acme/shop", SIGNED).await;
        let both = vec![format!("referrers {SIGN}"), format!("referrers {SLSA_1}")];
        assert_eq!((said.counts(), said.codes()), (both, vec![]), "{name}, by digest");
    }
}

#[tokio::test]
async fn every_kind_of_key_that_cosign_takes_verifies() {
    let registry = Registry::start();
    let content = Content::raw(
        "application/vnd.oci.image.manifest.v1+json",
        fixture("simple-signing/manifest.json"),
    );
    registry.put("acme/shop", &content);
    // openssl signed the same payload with each key.
    let payload = fixture("cosign/keys/payload.json");
    let mut layers = artifact("application/vnd.oci.image.config.v1+json").typed_by_config();
    let keys = ["p256", "p384", "p521", "rsa2048", "rsa4096-pss", "ed25519"];
    for key in keys {
        layers = layers
            .layer("application/vnd.dev.cosign.simplesigning.v1+json", payload.clone())
            .layer_annotation(
                "dev.cosignproject.cosign/signature",
                &base64(&fixture(&format!("cosign/keys/{key}.sig"))),
            );
    }
    registry.put_image("acme/shop", &tag(SIGNED, "sig"), &layers.build());
    let mut desk = Desk::new(registry, Vec::new());
    for key in keys {
        let pem = fixture(&format!("cosign/keys/{key}.pem"));
        desk.authorities = vec![pkix(&pem, &["simple-signing"])];
        desk.authorities[0].identities =
            known_as(&desk.repository("acme/shop"), "registry.test/demo/app");
        let said = desk.ask("acme/shop", SIGNED).await;
        assert_eq!(said.counts(), ["tags simple-signing"], "{key}");
        assert_eq!(said.codes(), ["signature.unknown-key"; 5], "{key}: those of the other keys");
    }
}

#[tokio::test]
async fn p2_tags_and_bundles_are_looked_at_only_where_they_can_count() {
    let builder = Key::generate("builder");
    let openpgp = || verify_support::authority("builder", verify_support::keys(&builder));
    let named = |sources: &[&str]| Some(sources.iter().map(|name| Arc::from(*name)).collect());
    let pkix = || pkix(&fixture("cosign/cosign.pub"), &ALL);
    for (name, authority, asked, counted) in [
        ("OpenPGP keys", openpgp(), false, false),
        (
            "OpenPGP keys that ask",
            Authority { sources: named(&["tags"]), ..openpgp() },
            true,
            false,
        ),
        ("PKIX keys", pkix(), true, true),
        (
            "PKIX keys that do not",
            Authority { sources: named(&["referrers"]), ..pkix() },
            false,
            false,
        ),
    ] {
        let mut desk = genuine("layout-sig-att-tags", "127.0.0.1:5005/cosign/old");
        let identities = desk.authorities[0].identities.clone();
        desk.authorities = vec![Authority { identities, ..authority }];
        let said = desk.ask("acme/shop", SIGNED).await;
        assert_eq!(desk.registry.count(Kind::Manifest) > 0, asked, "{name}");
        assert_eq!(said.lookups.contains_key("tags"), asked, "{name}");
        assert_eq!(!said.verified.is_empty(), counted, "{name}: {said:?}");
    }
}

#[tokio::test]
async fn p5_a_tag_that_cannot_be_read_is_a_failure_and_one_that_is_not_there_none() {
    let desk = genuine("layout-bundle-referrers", "127.0.0.1:5006/cosign/newb");
    assert_eq!(desk.ask("acme/shop", SIGNED).await.lookups["tags"], "none");
    for (name, on, fault, want) in [
        ("500", On::path(".sig"), Fault::status(500), "failed:registry.unreachable"),
        ("429", On::path(".att"), Fault::status(429), "failed:registry.limited"),
        ("a page", On::path(".sig"), Fault::html(200), "failed:registry.invalid"),
    ] {
        let desk = genuine("layout-sig-att-tags", "127.0.0.1:5005/cosign/old");
        desk.registry.fault(on, fault);
        let said = desk.ask("acme/shop", SIGNED).await;
        assert_eq!(said.lookups["tags"], want, "{name}");
        assert!(said.verified.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn tags_cost_two_trips_and_bundles_three_beside_the_others() {
    for (layout, named, trips) in [
        ("layout-sig-att-tags", "127.0.0.1:5005/cosign/old", 2),
        ("layout-bundle-referrers", "127.0.0.1:5006/cosign/newb", 3),
    ] {
        let desk = genuine(layout, named);
        desk.registry.latency(Duration::from_millis(40));
        let said = desk.ask("acme/shop", SIGNED).await;
        assert!(!said.verified.is_empty(), "{layout}");
        assert_eq!(round_trips(&desk.registry.requests()), trips, "{layout}");
    }
}

#[tokio::test]
async fn p8_a_flood_under_a_tag_is_a_failure_and_one_of_strangers_bundles_hides_nothing() {
    let key = PkixKey::generate();
    let authority = || pkix(key.public_pem().as_bytes(), &["simple-signing"]);
    let shop = image("shop").build();
    let payload = |desk: &Desk| {
        simple_signing_of(COSIGN, desk.repository("acme/shop").as_str(), &shop.digest())
    };
    let desk = Desk::new(Registry::start(), vec![authority()]);
    desk.registry.put("acme/shop", &shop);
    let signature = base64(&key.sign(&payload(&desk)));
    let mut flood = artifact("application/vnd.oci.image.config.v1+json").typed_by_config();
    for _ in 0..65 {
        flood = flood
            .layer("application/vnd.dev.cosign.simplesigning.v1+json", payload(&desk))
            .layer_annotation("dev.cosignproject.cosign/signature", &signature);
    }
    desk.registry.put_image("acme/shop", &tag(&shop.digest(), "sig"), &flood.build());
    let said = desk.ask("acme/shop", &shop.digest()).await;
    assert_eq!(said.lookups["tags"], "failed:evidence.too-much");

    // Whom nobody here can verify may push what they like: ours is found all the same.
    let builder = Key::generate("builder");
    let keys = verify_support::keys(&builder);
    let desk = Desk::new(Registry::start(), vec![verify_support::authority("builder", keys)]);
    desk.registry.put("acme/shop", &shop);
    for number in 0..300 {
        let stranger = artifact(BUNDLE)
            .subject(&shop)
            .annotation("number", &number.to_string())
            .inline(BUNDLE, fixture("sigstore/keyless-provenance.v0.1.json"));
        desk.registry.attach("acme/shop", &stranger.build());
    }
    let layer = "application/vnd.countersign.simple-signing.v1+pgp";
    let ours = artifact("application/vnd.countersign.attestation.v1")
        .subject(&shop)
        .inline(layer, builder.sign_message(&payload(&desk)));
    desk.registry.attach("acme/shop", &ours.build());
    let said = desk.ask("acme/shop", &shop.digest()).await;
    assert_eq!(said.counts(), ["referrers simple-signing"]);
    assert_eq!(said.codes(), ["signature.certificate"; 8], "a few, to say why");
    assert_eq!(said.records.len(), 300, "all, as records");
}

/// A bundle that names one of our images, as a signer with a key would make it.
fn bundle(key: &PkixKey, named: &str, digest: &str, kind: &str) -> String {
    let said = statement(SLSA_1, named, digest, serde_json::json!({})).to_string();
    let signature = key.sign(&pae(kind, said.as_bytes()));
    serde_json::json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": envelope(kind, said.as_bytes(), &[("", &signature)]),
    })
    .to_string()
}

#[tokio::test]
async fn p15_what_is_not_as_it_should_be_is_rejected_by_its_code() {
    let (key, other) = (PkixKey::generate(), PkixKey::generate());
    let shop = image("shop").build();
    let elsewhere = image("elsewhere").build();
    let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
    let registry = Registry::start();
    let named = format!("{}/acme/shop", registry.host());
    let digest = shop.digest();
    let good = bundle(&key, &named, &digest, IN_TOTO);
    let attached = |kind: &str, layer: &str, bytes: String| {
        artifact(kind).subject(&shop).inline(layer, bytes).build()
    };
    let moved = artifact(BUNDLE).subject(&elsewhere).inline(BUNDLE, good.clone()).build();
    for (name, referrer, want) in [
        ("as it should be", attached(BUNDLE, BUNDLE, good.clone()), Ok(SLSA_1)),
        (
            "by another key",
            attached(BUNDLE, BUNDLE, bundle(&other, &named, &digest, IN_TOTO)),
            Err("signature.unknown-key"),
        ),
        (
            "of another image",
            attached(BUNDLE, BUNDLE, bundle(&key, &named, &elsewhere.digest(), IN_TOTO)),
            Err("payload.other-image"),
        ),
        (
            "of another repository",
            attached(BUNDLE, BUNDLE, bundle(&key, "a.example/b", &digest, IN_TOTO)),
            Err("payload.other-repository"),
        ),
        (
            "a statement typed as something else",
            attached(BUNDLE, BUNDLE, bundle(&key, &named, &digest, simple)),
            Err("payload.malformed"),
        ),
        (
            "a bundle that is none",
            attached(BUNDLE, BUNDLE, "{}".into()),
            Err("signature.malformed"),
        ),
        (
            "a bundle in another layer",
            attached(BUNDLE, "text/plain", good.clone()),
            Err("signature.malformed"),
        ),
        (
            "a message",
            attached(
                BUNDLE,
                BUNDLE,
                format!(
                    r#"{{"mediaType":"{BUNDLE}","messageSignature":{{"signature":"{}"}}}}"#,
                    base64(&key.sign(&shop.manifest))
                ),
            ),
            Err("payload.malformed"),
        ),
    ] {
        let mut desk = Desk::new(Registry::start(), vec![pkix(key.public_pem().as_bytes(), &ALL)]);
        desk.registry.put("acme/shop", &shop);
        desk.authorities[0].identities = known_as(&desk.repository("acme/shop"), &named);
        desk.registry.attach("acme/shop", &referrer);
        let said = desk.ask("acme/shop", &digest).await;
        match want {
            Ok(kind) => assert_eq!(said.counts(), [format!("referrers {kind}")], "{name}"),
            Err(code) => assert_eq!((said.counts(), said.codes()), (vec![], vec![code]), "{name}"),
        }
    }
    // Listed for the image, but of another one: the fallback tag is written by clients.
    let mut desk = Desk::new(Registry::start(), vec![pkix(key.public_pem().as_bytes(), &ALL)]);
    desk.registry.set_referrers(Referrers::Off);
    desk.registry.put("acme/shop", &shop);
    desk.registry.put("acme/shop", &moved);
    desk.authorities[0].identities = known_as(&desk.repository("acme/shop"), &named);
    desk.registry.list_under_fallback_tag("acme/shop", &digest, moved.descriptor());
    let said = desk.ask("acme/shop", &digest).await;
    assert_eq!((said.counts(), said.codes()), (vec![], vec!["signature.malformed"]));
}

#[tokio::test]
async fn a_keyless_signature_is_rejected_with_whose_it_is() {
    let desk = genuine("layout-bundle-referrers", "127.0.0.1:5006/cosign/newb");
    let subject = Content::raw(
        "application/vnd.oci.image.manifest.v1+json",
        fixture("simple-signing/manifest.json"),
    );
    for bundle in ["keyless-provenance.v0.1", "keyless-message.v0.3"] {
        let bytes = fixture(&format!("sigstore/{bundle}.json"));
        let keyless = artifact(BUNDLE).subject(&subject).inline(BUNDLE, bytes).build();
        desk.registry.attach("acme/shop", &keyless);
    }
    let said = desk.ask("acme/shop", SIGNED).await;
    assert_eq!(said.counts(), [format!("referrers {SLSA_1}")]);
    let told = |code: &str| {
        let found = said.rejected.iter().find(|one| one.code.as_str() == code).expect(code);
        found.detail()
    };
    assert!(
        told("signature.certificate").contains(
            "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main, \
             by the word of https://token.actions.githubusercontent.com"
        ),
        "{}",
        told("signature.certificate")
    );
    let message = told("payload.malformed");
    assert!(message.contains("a message that it does not carry"), "{message}");
    assert!(message.contains("beside a certificate: "), "{message}");
}

#[test]
fn a_certificate_beside_a_key_that_is_known_is_no_obstacle() {
    let key = PkixKey::generate();
    let payload = simple_signing_of(COSIGN, verify_support::REPOSITORY, &{
        verify_support::digest().to_string()
    });
    let annotations: BTreeMap<String, String> = [
        ("dev.cosignproject.cosign/signature".to_owned(), base64(&key.sign(&payload))),
        ("dev.sigstore.cosign/certificate".to_owned(), "x".to_owned()),
    ]
    .into();
    let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
    let signed = sigstore::read_layer(simple, &annotations, payload.into()).unwrap();
    assert!(matches!(signed, Signed::Certified { .. }));
    let candidate = verify_support::candidate(signed);
    for (key, want) in [
        (&key, Ok(vec!["tool".to_owned()])),
        (&PkixKey::generate(), { Err(vec!["signature.certificate".to_owned()]) }),
    ] {
        let trust = verify_support::trust(vec![pkix(key.public_pem().as_bytes(), &ALL)]);
        assert_eq!(verify_support::outcome(&verify_support::judge(&trust, &candidate)), want);
    }
}

/// The tag under which cosign keeps something about a digest.
fn tag(digest: &str, end: &str) -> String {
    format!("{}.{end}", digest.replace(':', "-"))
}
