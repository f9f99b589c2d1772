//! Signatures by the keys of certificates: chains, whom they are for, and until when.

use countersign::{
    attest::{Signed, notation},
    name::Digest,
    verify::{AfterExpiry, Authority, Identity, Image, Judged, Key, Layers, Trust},
};
use countersign_kit::{Evidence, Notary};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    date_time_ymd,
};
use serde_json::{Value, json};

use crate::verify_support::{authority, candidate, digest, fixture, keys, trust};

/// An authority with the roots in this PEM.
fn under(pem: impl AsRef<[u8]>) -> Authority {
    Authority {
        attests: vec!["notation".parse().unwrap()],
        identity: Identity::Digest,
        ..authority("notary", Key::x509(pem.as_ref()).unwrap())
    }
}

fn payload() -> Value {
    let kind = "application/vnd.oci.image.manifest.v1+json";
    json!({"targetArtifact": {"digest": digest().to_string(), "mediaType": kind, "size": 401}})
}

fn signed(evidence: &Evidence) -> Signed {
    notation::read(notation::JWS, evidence.to_jws().to_string().as_bytes()).unwrap()
}

fn judge_at(trust: &Trust, signed: Signed, about: Digest, now: Timestamp) -> Judged {
    let repository = "a.example/b".parse().unwrap();
    let image = Image {
        repository: &repository,
        digest: about,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    trust.judge(&trust.open(&candidate(signed), &[]), &image, now)
}

/// `counts`, or the codes against it.
fn outcome(judged: &Judged) -> Vec<&str> {
    if judged.verified.is_empty() {
        judged.rejected.iter().map(|one| one.code.as_str()).collect()
    } else {
        vec!["counts"]
    }
}

fn judge(trust: &Trust, evidence: &Evidence) -> Judged {
    judge_at(trust, signed(evidence), digest(), Timestamp::now())
}

#[test]
fn p4_a_test_certificate_of_notations_counts_while_it_is_valid() {
    let blob = "64cda722f530aa896063d1ee600d9ca6922a680c00192e646017a973a790fabd";
    let envelope = fixture(&format!("notation/layout/blobs/sha256/{blob}"));
    let read = || notation::read(notation::JWS, &envelope).unwrap();
    let about = crate::forms::SIGNED.parse().unwrap();
    let at = |trust: &Trust, now: &str| judge_at(trust, read(), about, now.parse().unwrap());
    let genuine = trust(vec![under(fixture("notation/test.example.crt"))]);
    let judged = at(&genuine, "2026-11-21T12:00:00Z");
    assert_eq!(outcome(&judged), ["counts"], "{judged:#?}");
    let verified = serde_json::to_value(&judged.verified[0]).unwrap();
    assert_eq!(verified["format"], "notation");
    assert_eq!(verified["predicateType"], "notation");
    assert_eq!(verified["predicate"]["targetArtifact"]["size"], 401);
    assert_eq!(verified["signedAt"], "2026-11-21T10:03:49Z");
    let thumbprint = "39731776df7417a4b949173109f3c25e177f4e4616b1f5311a8e38c68a30b661";
    assert_eq!(verified["signer"]["fingerprint"], thumbprint);
    let subject = "C=US, ST=WA, L=Seattle, O=Notary, CN=test.example";
    assert_eq!(verified["signer"]["userIds"], json!([subject]));

    let other = trust(vec![under(fixture("notation/chain/root.pem"))]);
    // The time that a signature states has no witness but the signer.
    let lax = Authority {
        after_expiry: AfterExpiry::SignedBefore,
        ..under(fixture("notation/test.example.crt"))
    };
    let lax = trust(vec![lax]);
    for (name, trust, now, want) in [
        ("before the clock of the signer", &genuine, "2026-11-21T10:00:00Z", "key.not-for-signing"),
        ("long before", &genuine, "2026-11-01T00:00:00Z", "signature.invalid"),
        ("on the last second", &genuine, "2026-11-22T10:03:49Z", "counts"),
        ("after the last second", &genuine, "2026-11-22T10:03:50Z", "key.expired"),
        ("after it, where the past may count", &lax, "2026-11-22T10:03:50Z", "key.expired"),
        ("under another root", &other, "2026-11-21T12:00:00Z", "signature.certificate"),
    ] {
        let judged = at(trust, now);
        assert_eq!(outcome(&judged), [want], "{name}: {judged:?}");
    }
}

#[test]
fn p4_what_a_chain_and_its_header_must_be() {
    type Params = Vec<CertificateParams>;
    let leaf = |change: fn(&mut CertificateParams)| {
        let mut params = Notary::leaf();
        change(&mut params);
        vec![params, Notary::issuer("root")]
    };
    let between = |change: fn(&mut CertificateParams)| {
        let mut params = Notary::issuer("between");
        change(&mut params);
        vec![Notary::leaf(), params, Notary::issuer("root")]
    };
    let constrained = || {
        let mut root = Notary::issuer("root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        vec![Notary::leaf(), Notary::issuer("between"), root]
    };
    let purpose = |purpose| vec![ExtendedKeyUsagePurpose::CodeSigning, purpose];
    let cases: Vec<(&str, Params, &str)> = vec![
        ("a key and a root", leaf(|_| ()), "counts"),
        ("without purposes", leaf(|leaf| leaf.extended_key_usages.clear()), "counts"),
        ("one in between", between(|_| ()), "counts"),
        ("alone", vec![Notary::leaf()], "counts"),
        (
            "for servers",
            leaf(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            "key.not-for-signing",
        ),
        (
            "for documents",
            leaf(|leaf| {
                let documents = vec![1, 3, 6, 1, 5, 5, 7, 3, 36];
                leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(documents)];
            }),
            "key.not-for-signing",
        ),
        (
            "for everything",
            {
                let mut params = leaf(|_| ());
                params[0].extended_key_usages = purpose(ExtendedKeyUsagePurpose::Any);
                params
            },
            "key.not-for-signing",
        ),
        (
            "for timestamps too",
            {
                let mut params = leaf(|_| ());
                params[0].extended_key_usages = purpose(ExtendedKeyUsagePurpose::TimeStamping);
                params
            },
            "key.not-for-signing",
        ),
        (
            "an authority's",
            leaf(|leaf| {
                leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
            "key.not-for-signing",
        ),
        ("for no use", leaf(|leaf| leaf.key_usages.clear()), "key.not-for-signing"),
        (
            "to issue with too",
            leaf(|leaf| leaf.key_usages.push(KeyUsagePurpose::KeyCertSign)),
            "key.not-for-signing",
        ),
        (
            "to agree on keys",
            leaf(|leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
            "key.not-for-signing",
        ),
        ("issued by who may not", between(|one| one.is_ca = IsCa::NoCa), "key.not-for-signing"),
        ("by one without use", between(|one| one.key_usages.clear()), "key.not-for-signing"),
        (
            "by one for servers",
            between(|one| one.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            "key.not-for-signing",
        ),
        ("deeper than the root allows", constrained(), "key.not-for-signing"),
        ("over", leaf(|leaf| leaf.not_after = date_time_ymd(2026, 2, 1)), "key.expired"),
        (
            "over, in between",
            between(|one| one.not_after = date_time_ymd(2026, 2, 1)),
            "key.expired",
        ),
        (
            "not yet",
            leaf(|leaf| leaf.not_before = date_time_ymd(3000, 1, 1)),
            "key.not-for-signing",
        ),
        (
            "younger than it states",
            leaf(|leaf| {
                leaf.not_before = date_time_ymd(2026, 2, 1);
            }),
            "key.expired",
        ),
        (
            "never all valid",
            between(|one| {
                one.not_before = date_time_ymd(2020, 1, 1);
                one.not_after = date_time_ymd(2019, 1, 1);
            }),
            "key.expired",
        ),
    ];
    for (name, params, want) in cases {
        let notary = Notary::made(params);
        let trust = trust(vec![under(notary.root_pem())]);
        let judged = judge(&trust, &notary.sign_as(&Notary::header(), &payload()));
        assert_eq!(outcome(&judged), [want], "{name}: {judged:?}");
    }
}

#[test]
fn p15_header_and_payload_say_what_the_key_and_the_image_are() {
    let notary = Notary::new();
    let trust = trust(vec![under(notary.root_pem())]);
    let header = |name: &str, value: Value| {
        let mut header = Notary::header();
        header[name] = value;
        (header, payload())
    };
    let target = |name: &str, value: Value| {
        let mut payload = payload();
        payload["targetArtifact"][name] = value;
        (Notary::header(), payload)
    };
    let until = |time: &str| {
        let (mut header, payload) = header("io.cncf.notary.expiry", json!(time));
        header["crit"] = json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]);
        (header, payload)
    };
    let index = "application/vnd.oci.image.index.v1+json";
    for (name, (header, payload), want) in [
        ("as it should", (Notary::header(), payload()), "counts"),
        ("of another algorithm", header("alg", json!("PS256")), "signature.malformed"),
        ("of a longer one", header("alg", json!("ES384")), "signature.malformed"),
        ("of another type", header("cty", json!("text/plain")), "payload.malformed"),
        ("past its end", until("2026-02-01T00:00:00Z"), "signature.expired"),
        ("before its end", until("2999-02-01T00:00:00Z"), "counts"),
        (
            "from the future",
            header("io.cncf.notary.signingTime", json!("2999-01-01T00:00:00Z")),
            "signature.invalid",
        ),
        ("about an index", target("mediaType", json!(index)), "payload.other-image"),
        ("about anything", target("mediaType", json!("sbom/example")), "payload.other-image"),
        (
            "about another",
            target("digest", json!(Digest::sha256(b"other").to_string())),
            "payload.other-image",
        ),
        ("without a size", target("size", Value::Null), "payload.malformed"),
    ] {
        let judged = judge(&trust, &notary.sign_as(&header, &payload));
        assert_eq!(outcome(&judged), [want], "{name}: {judged:?}");
    }
}

#[test]
fn p3_the_chain_is_whole_in_order_and_its_holder_trusted() {
    let made =
        || Notary::made(vec![Notary::leaf(), Notary::issuer("between"), Notary::issuer("root")]);
    let (notary, other) = (made(), made());
    let signed = notary.sign_as(&Notary::header(), &payload());
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut evidence = signed.clone();
        let Evidence::Jws { chain, .. } = &mut evidence else { unreachable!() };
        change(chain);
        evidence
    };
    let plain = || under(notary.root_pem());
    let trusting = |texts: &[&str]| Authority {
        trusted_identities: Some(texts.iter().map(|text| text.parse().unwrap()).collect()),
        ..plain()
    };
    let stranger = "x509.subject: C=US, O=evil.example";
    for (name, authority, evidence, want) in [
        ("whole", plain(), signed.clone(), "counts"),
        (
            "of whom it is for",
            trusting(&["x509.subject: C=US, O=acme.example"]),
            signed.clone(),
            "counts",
        ),
        (
            "of one of two",
            trusting(&[stranger, "x509.subject: CN=builder"]),
            signed.clone(),
            "counts",
        ),
        ("of another", trusting(&[stranger]), signed.clone(), "signature.certificate"),
        ("under another root", under(other.root_pem()), signed.clone(), "signature.certificate"),
        ("without its root", plain(), with(&|chain| drop(chain.pop())), "signature.certificate"),
        ("with a hole", plain(), with(&|chain| drop(chain.remove(1))), "signature.certificate"),
        ("in another order", plain(), with(&|chain| chain.swap(0, 1)), "key.not-for-signing"),
        (
            "with one too many",
            plain(),
            with(&|chain| chain.insert(1, other.chain()[1].clone())),
            "signature.certificate",
        ),
        (
            "another's certificate",
            plain(),
            with(&|chain| chain[0] = other.chain()[0].clone()),
            "signature.certificate",
        ),
        (
            "another's chain under this root",
            plain(),
            with(&|chain| {
                *chain = other.chain().to_vec();
                chain[2] = notary.chain()[2].clone();
            }),
            "signature.certificate",
        ),
        (
            "with identity: repository",
            Authority { identity: Identity::Repository, ..plain() },
            signed.clone(),
            "payload.other-repository",
        ),
        (
            "for who attests something else",
            Authority { attests: vec!["simple-signing".parse().unwrap()], ..plain() },
            signed.clone(),
            "scope.type",
        ),
    ] {
        let judged = judge(&trust(vec![authority]), &evidence);
        assert_eq!(outcome(&judged), [want], "{name}: {judged:?}");
    }
}

#[test]
fn p16_a_root_that_is_taken_out_takes_what_is_under_it_along() {
    let (notary, other) = (Notary::new(), Notary::new());
    let both = trust(vec![under(notary.root_pem() + &other.root_pem())]);
    let one = trust(vec![under(other.root_pem())]);
    let evidence = candidate(signed(&notary.sign_as(&Notary::header(), &payload())));
    let repository = "a.example/b".parse().unwrap();
    let image = Image {
        repository: &repository,
        digest: digest(),
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    let opened = both.open(&evidence, &[]);
    assert_eq!(outcome(&both.judge(&opened, &image, Timestamp::now())), ["counts"]);
    assert_eq!(outcome(&one.judge(&opened, &image, Timestamp::now())), ["signature.unknown-key"]);
    assert!(!one.opens_alike(&opened, &both), "its root has gone");
    let under_none = one.open(&evidence, &[]);
    assert!(!both.opens_alike(&under_none, &one), "its root has come");
    assert!(both.opens_alike(&opened, &both.clone()));
}

#[test]
fn p10_a_key_is_one_whatever_certifies_it() {
    let pem = fixture("notation/chain/root.pem");
    let shared = |says| Authority { shared_key: says, ..under(&pem) };
    let second = |says| Authority { name: "second".into(), ..shared(says) };
    assert!(Trust::new(vec![shared(true), second(false)]).is_err(), "a root of two authorities");
    let both = Trust::new(vec![shared(true), second(true)]).unwrap();
    assert!(both.share_keys("notary", "second"));
    let judged = judge_at(
        &both,
        notation::read(notation::JWS, &fixture("notation/chain/p256.json")).unwrap(),
        crate::forms::SIGNED.parse().unwrap(),
        Timestamp::now(),
    );
    let names: Vec<_> =
        judged.verified.iter().map(countersign::verify::Verified::authority).collect();
    assert_eq!(names, ["notary", "second"]);
}

#[test]
fn without_roots_it_is_said_whose_it_is() {
    let builder = countersign_kit::Key::generate("builder");
    let trust = trust(vec![authority("builder", keys(&builder))]);
    let judged = judge(&trust, &Notary::new().sign_as(&Notary::header(), &payload()));
    assert_eq!(outcome(&judged), ["signature.certificate"]);
    let detail = judged.rejected[0].detail();
    assert!(detail.contains("O=acme.example, CN=builder"), "{detail}");
    let cose = notation::read("application/cose", &fixture("notation/chain/cose.cbor")).unwrap();
    let judged = judge_at(&trust, cose, digest(), Timestamp::now());
    assert_eq!(outcome(&judged), ["signature.certificate"]);
    assert!(judged.rejected[0].detail().contains("--signature-format jws"), "{judged:?}");
}
