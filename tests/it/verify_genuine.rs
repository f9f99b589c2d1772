//! What gpg, skopeo, cosign and the Grafeas server wrote themselves verifies here, and nothing
//! that differs from it by a byte.

use std::sync::Arc;

use bytes::Bytes;
use countersign::{
    attest::{Candidate, Envelope, RawSignature, Signed},
    name::{Digest, Repository},
    verify::{
        AfterExpiry, Attests, Authority, Identity, IdentityMap, Image, Judged, Key, Layers, Trust,
    },
};

/// The image that skopeo and cosign signed.
const SIGNED: &str = "sha256:c921711d1448ef5aede65c3657eaafeab8e13cedea9eaf8e33cb1b2e0f9fa65c";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

fn authority(keys: Vec<Key>, attests: &[&str], identity: Identity) -> Authority {
    Authority {
        name: "tester".into(),
        keys,
        trusted_identities: None,
        note: None,
        attests: attests.iter().map(|text| text.parse::<Attests>().unwrap()).collect(),
        sources: None,
        identity,
        identities: IdentityMap::default(),
        after_expiry: AfterExpiry::Reject,
        layers_checked_by: None,
        shared_key: false,
    }
}

fn candidate(signed: Signed) -> Candidate {
    Candidate {
        source: Arc::from("referrers"),
        name: "x".into(),
        note: None,
        recorded_at: None,
        signed,
    }
}

fn judge(trust: &Trust, signed: Signed, repository: &str, digest: &str) -> Judged {
    let repository: Repository = repository.parse().unwrap();
    let digest: Digest = digest.parse().unwrap();
    let image = Image {
        repository: &repository,
        digest,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    let opened = trust.open(&candidate(signed), &[]);
    trust.judge(&opened, &image, "2026-11-24T12:00:00Z".parse().unwrap())
}

fn gpg() -> Trust {
    let keys = Key::openpgp(&fixture("keys/gpg-test.pub.asc")).unwrap();
    Trust::new(vec![authority(keys, &["simple-signing"], Identity::Repository)]).unwrap()
}

fn cosign(identity: Identity) -> Trust {
    let keys =
        ["cosign/cosign.pub", "cosign/other.pub"].map(|name| Key::pkix(&fixture(name)).unwrap());
    let attests = [
        "simple-signing",
        "https://slsa.dev/provenance/v1",
        "https://slsa.dev/provenance/v0.2",
        "https://sigstore.dev/cosign/sign/v1",
    ];
    Trust::new(vec![authority(keys.into(), &attests, identity)]).unwrap()
}

fn envelope(name: &str) -> Signed {
    Signed::Dsse(Envelope::parse(&fixture(name)).unwrap())
}

#[test]
fn p4_genuine_vectors_count_for_the_image_they_name() {
    let message = |name: &str| Signed::OpenPgpMessage(fixture(name).into());
    let raw = |payload: &str, signature: &str| Signed::Raw {
        payload: fixture(payload).into(),
        signatures: vec![RawSignature { bytes: fixture(signature).into(), key_id: None }],
    };
    let grafeas = "sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b";
    let (whole, digest) = (Identity::Repository, Identity::Digest);
    for (name, trust, signed, repository, digest, want) in [
        (
            "skopeo standalone-sign",
            gpg(),
            message("simple-signing/signature-standalone"),
            "registry.test/demo/app",
            SIGNED,
            "simple-signing",
        ),
        (
            "skopeo copy --sign-by",
            gpg(),
            message("simple-signing/signature-lookaside"),
            "127.0.0.1:5002/demo/signed",
            SIGNED,
            "simple-signing",
        ),
        (
            "gpg in Grafeas",
            gpg(),
            message("simple-signing/grafeas-pgp.asc"),
            "registry.test/demo/app",
            grafeas,
            "simple-signing",
        ),
        (
            "gpg in Grafeas, generic",
            gpg(),
            raw("simple-signing/grafeas-payload.json", "simple-signing/grafeas-pgp.asc"),
            "registry.test/demo/app",
            grafeas,
            "simple-signing",
        ),
        (
            "cosign sign, .sig",
            cosign(whole),
            raw("cosign/simple-signing.json", "cosign/simple-signing.sig"),
            "127.0.0.1:5005/cosign/old",
            SIGNED,
            "simple-signing",
        ),
        (
            "cosign attest, .att",
            cosign(whole),
            envelope("cosign/provenance-v1.dsse.json"),
            "127.0.0.1:5005/cosign/old",
            SIGNED,
            "https://slsa.dev/provenance/v1",
        ),
        (
            "cosign attest v0.2, .att",
            cosign(whole),
            envelope("cosign/provenance-v02.dsse.json"),
            "127.0.0.1:5005/cosign/old",
            SIGNED,
            "https://slsa.dev/provenance/v0.2",
        ),
        (
            "cosign attest, bundle",
            cosign(whole),
            envelope("cosign/bundle-provenance-v1.dsse.json"),
            "127.0.0.1:5006/cosign/newb",
            SIGNED,
            "https://slsa.dev/provenance/v1",
        ),
        (
            "cosign sign, bundle",
            cosign(digest),
            envelope("cosign/bundle-sign.dsse.json"),
            "a.example/any",
            SIGNED,
            "https://sigstore.dev/cosign/sign/v1",
        ),
    ] {
        let here = judge(&trust, signed.clone(), repository, digest);
        assert_eq!((here.verified.len(), here.rejected.as_slice()), (1, &[][..]), "{name}");
        assert_eq!(here.verified[0].predicate_type(), want, "{name}");
        let other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        let there = judge(&trust, signed.clone(), repository, other);
        let codes: Vec<_> = there.rejected.iter().map(|one| one.code.as_str()).collect();
        assert_eq!((there.verified.len(), codes), (0, vec!["payload.other-image"]), "{name}");
        if want != "https://sigstore.dev/cosign/sign/v1" {
            let there = judge(&trust, signed, "evil.example/demo/app", digest);
            let codes: Vec<_> = there.rejected.iter().map(|one| one.code.as_str()).collect();
            assert_eq!(
                (there.verified.len(), codes),
                (0, vec!["payload.other-repository"]),
                "{name}"
            );
        }
    }
}

#[test]
fn p4_a_payload_without_a_repository_counts_for_the_digest_only() {
    let judged = judge(
        &cosign(Identity::Repository),
        envelope("cosign/bundle-sign.dsse.json"),
        "a.example/any",
        SIGNED,
    );
    assert!(judged.verified.is_empty());
    assert_eq!(judged.rejected[0].code.as_str(), "payload.other-repository");
    assert!(
        judged.rejected[0].detail().contains("identity: digest"),
        "{}",
        judged.rejected[0].detail()
    );
}

/// Flips each byte of a vector and asks that nothing else comes to count.
#[test]
fn p2_no_byte_can_be_changed() {
    let repository: Repository = "registry.test/demo/app".parse().unwrap();
    let digest: Digest = SIGNED.parse().unwrap();
    let image = Image {
        repository: &repository,
        digest,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let trust = gpg();
    let genuine = fixture("simple-signing/signature-standalone");
    let said = |bytes: Vec<u8>| {
        let opened = trust.open(&candidate(Signed::OpenPgpMessage(bytes.into())), &[]);
        let judged = trust.judge(&opened, &image, now);
        judged
            .verified
            .first()
            .map(|one| (one.subject().clone(), one.predicate().clone(), one.signed_at()))
    };
    let honest = said(genuine.clone()).expect("the vector verifies");
    for at in 0..genuine.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut twin = genuine.clone();
            twin[at] ^= mask;
            if let Some(other) = said(twin) {
                assert_eq!(other, honest, "byte {at} flipped by {mask:#x}");
            }
        }
    }
}

#[test]
fn p2_no_byte_of_a_raw_signature_can_be_changed() {
    let trust = cosign(Identity::Repository);
    let counts = |payload: &[u8], signature: &[u8]| {
        let signed = Signed::Raw {
            payload: Bytes::copy_from_slice(payload),
            signatures: vec![RawSignature {
                bytes: Bytes::copy_from_slice(signature),
                key_id: None,
            }],
        };
        !judge(&trust, signed, "127.0.0.1:5005/cosign/old", SIGNED).verified.is_empty()
    };
    let (payload, signature) =
        (fixture("cosign/simple-signing.json"), fixture("cosign/simple-signing.sig"));
    assert!(counts(&payload, &signature));
    for at in 0..payload.len() {
        let mut twin = payload.clone();
        twin[at] ^= 0x01;
        assert!(!counts(&twin, &signature), "byte {at} of the payload");
    }
    for at in 0..signature.len() {
        let mut twin = signature.clone();
        twin[at] ^= 0x01;
        assert!(!counts(&payload, &twin), "byte {at} of the signature");
    }
}
