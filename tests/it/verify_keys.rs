//! What an operator hands over as keys, and what a set of authorities must not be.

use countersign::{
    attest::{RawSignature, Signed},
    verify::{Attests, Identity, IdentityMap, Key, Layers, describe},
};
use countersign_kit as kit;
use jiff::Timestamp;
use kit::Revocation;
use sequoia_openpgp as openpgp;

use openpgp::{parse::Parse as _, serialize::SerializeInto as _};

use crate::verify_support::{
    authority, candidate, digest, dsse, fixture, judge, keys, message, outcome, payload, trust,
    trusting,
};

fn judge_raw(pem: &str, signature: &str) -> Result<Vec<String>, Vec<String>> {
    let keys = vec![Key::pkix(&fixture(pem)).expect(pem)];
    let signed = Signed::Raw {
        payload: fixture("gpg/payload.json").into(),
        signatures: vec![RawSignature { bytes: fixture(signature).into(), key_id: None }],
    };
    outcome(&judge(&trust(vec![authority("builder", keys)]), &candidate(signed)))
}

#[test]
fn pkix_signatures_of_every_kind_that_openssl_makes() {
    for key in ["rsa2048", "rsa2048-pss", "p256", "p384", "p521"] {
        for hash in ["sha256", "sha384", "sha512"] {
            let pem = format!("pkix/{}.pem", key.trim_end_matches("-pss"));
            let got = judge_raw(&pem, &format!("pkix/{key}-{hash}.sig"));
            assert_eq!(got, Ok(vec!["builder".into()]), "{key} {hash}");
        }
    }
    assert_eq!(judge_raw("pkix/ed25519.pem", "pkix/ed25519.sig"), Ok(vec!["builder".into()]));
    for (name, pem, signature) in [
        ("SHA-1", "pkix/rsa2048.pem", "pkix/rsa2048-sha1.sig"),
        ("another curve", "pkix/p384.pem", "pkix/p256-sha256.sig"),
        ("another key", "cosign/cosign.pub", "pkix/p256-sha256.sig"),
    ] {
        assert_eq!(judge_raw(pem, signature), Err(vec!["signature.unknown-key".into()]), "{name}");
    }
}

#[test]
fn files_that_hold_no_keys_for_an_authority() {
    let (one, two) = (kit::Key::generate("one"), kit::Key::generate("two"));
    let armored = |key: &kit::Key| key.certificate_armored().into_bytes();
    for (name, bytes, want) in [
        ("armored", armored(&one), Ok(1)),
        ("binary", one.certificate(), Ok(1)),
        ("a keyring", kit::keyring(&[&one, &two]), Ok(2)),
        ("an armored keyring", kit::keyring_armored(&[&one, &two]).into_bytes(), Ok(2)),
        ("two armored blocks", [armored(&one), armored(&two)].concat(), Ok(2)),
        ("the same twice", kit::keyring(&[&one, &one]), Ok(1)),
        ("a secret key", one.secret_armored().into_bytes(), Err("a secret key")),
        (
            "a secret key behind",
            [armored(&two), one.secret_armored().into_bytes()].concat(),
            Err("a secret key"),
        ),
        ("gpg's secret key", fixture("keys/gpg-test.sec.asc"), Err("a secret key")),
        ("empty", Vec::new(), Err("no OpenPGP certificate")),
        ("text", b"hello".to_vec(), Err("no OpenPGP certificate")),
        ("PEM", fixture("cosign/cosign.pub"), Err("no OpenPGP certificate")),
        ("a signature", one.sign_detached(b""), Err("certificate 1 of the keyring")),
        ("cut off", armored(&one)[..300].to_vec(), Err("no OpenPGP keyring")),
        ("too large", vec![0x80; 5 << 20], Err("at most 4194304 are read")),
    ] {
        match (Key::openpgp(&bytes).map(|keys| keys.len()), want) {
            (Ok(count), Ok(want)) => assert_eq!(count, want, "{name}"),
            (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
            (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
        }
    }
    for (name, pem, want) in [
        ("cosign's", fixture("cosign/cosign.pub"), None),
        ("a secret key", fixture("pkix/secret.pem"), Some("a secret key")),
        ("RSA of 1024 bits", fixture("pkix/rsa1024.pem"), Some("an RSA key of 1024 bits")),
        ("secp256k1", fixture("pkix/secp256k1.pem"), Some("neither RSA")),
        (
            "two",
            [fixture("pkix/p256.pem"), fixture("pkix/p384.pem")].concat(),
            Some("2 public keys"),
        ),
        ("none", Vec::new(), Some("no public key in PEM")),
        ("OpenPGP", armored(&one), Some("no public key in PEM")),
    ] {
        match (Key::pkix(&pem), want) {
            (Ok(_), None) => {}
            (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
            (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
        }
    }
}

/// A P-256 key of a certificate, in PEM: the primary one for 0, then the subkeys.
fn as_pem(key: &kit::Key, at: usize) -> Vec<u8> {
    use base64::Engine as _;
    let cert = openpgp::Cert::from_bytes(&key.certificate()).expect("a certificate");
    let key = cert.keys().nth(at).expect("such a key");
    let openpgp::crypto::mpi::PublicKey::ECDSA { q, .. } = key.key().mpis() else {
        panic!("not ECDSA");
    };
    let head = [
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 3, 1, 7, 3, 0x42, 0,
    ];
    let der = [&head[..], q.value()].concat();
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes()
}

#[test]
fn p3_authorities_that_share_key_material_are_refused() {
    let ecdsa = kit::Key::options("one").nistp256().generate();
    let pem = || vec![Key::pkix(&as_pem(&ecdsa, 0)).expect("a key")];
    let (one, two) = (|| authority("one", keys(&ecdsa)), || authority("two", pem()));
    let shared = |mut authority: countersign::verify::Authority| {
        authority.shared_key = true;
        authority
    };
    let mut attests_nothing = one();
    attests_nothing.attests = Vec::new();
    let mut unused = one();
    unused.identity = Identity::Digest;
    unused.identities =
        IdentityMap::new(vec![("a.example/**".parse().unwrap(), "b.example/**".parse().unwrap())])
            .unwrap();
    for (name, authorities, want) in [
        ("apart", vec![one(), authority("two", keys(&kit::Key::generate("two")))], None),
        ("one certificate", vec![one(), authority("two", keys(&ecdsa))], Some("hold the same key")),
        ("certificate and PEM", vec![one(), two()], Some("hold the same key")),
        ("only one says so", vec![shared(one()), two()], Some("hold the same key")),
        ("both say so", vec![shared(one()), shared(two())], None),
        ("one name", vec![one(), one()], Some("two authorities are called \"one\"")),
        ("no keys", vec![authority("one", Vec::new())], Some("has no keys")),
        ("no types", vec![attests_nothing], Some("attests nothing")),
        ("identities unused", vec![unused], Some("`identities` beside `identity: digest`")),
    ] {
        match (countersign::verify::Trust::new(authorities), want) {
            (Ok(_), None) => {}
            (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
            (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
        }
    }
    let trust = trust(vec![shared(one()), shared(two())]);
    assert!(trust.share_keys("one", "two") && trust.share_keys("two", "one"));
    let judged = judge(&trust, &candidate(message(ecdsa.sign_message(&payload()))));
    assert_eq!(outcome(&judged), Ok(vec!["one".into()]), "a message is no PKIX signature");
}

#[test]
fn p10_one_key_counts_once_however_it_comes() {
    let key = kit::Key::options("builder").signing_subkeys(2).generate();
    let statement = kit::statement(
        "https://a.example/p",
        "a.example/b",
        &digest().to_string(),
        serde_json::json!({}),
    );
    let bytes = statement.to_string().into_bytes();
    let pae = kit::pae(kit::IN_TOTO, &bytes);
    let (first, second) = (key.signing().by(1).detached(&pae), key.signing().by(2).detached(&pae));
    let envelope =
        kit::envelope(kit::IN_TOTO, &bytes, &[("", &first), ("", &second), ("", &first)]);
    let judged = judge(&trusting(&key), &candidate(dsse(&envelope)));
    assert_eq!(outcome(&judged), Ok(vec!["builder".into()]));
}

#[test]
fn p10_a_key_is_its_material_in_whatever_file() {
    let (ecdsa, other) =
        (kit::Key::options("builder").nistp256().signing_subkeys(1), kit::Key::generate("other"));
    let ecdsa = ecdsa.generate();
    let both = [keys(&ecdsa), vec![Key::pkix(&as_pem(&ecdsa, 1)).expect("a key")]].concat();
    let trust = trust(vec![authority("builder", both), authority("other", keys(&other))]);
    let by = |signed: Signed| {
        let judged = judge(&trust, &candidate(signed));
        *judged.verified.first().unwrap_or_else(|| panic!("{judged:?}")).signer().identity()
    };
    let signatures =
        vec![RawSignature { bytes: pkix_signature(&ecdsa, &payload()).into(), key_id: None }];
    let as_pkix = by(Signed::Raw { payload: payload().into(), signatures });
    let as_openpgp = by(message(ecdsa.sign_message(&payload())));
    assert_eq!(as_pkix, as_openpgp, "one key, twice");
    assert_ne!(as_openpgp, by(message(other.sign_message(&payload()))), "two keys");
}

/// What the first subkey of a certificate, on P-256, signs as a PKIX key.
fn pkix_signature(key: &kit::Key, data: &[u8]) -> Vec<u8> {
    use openpgp::crypto::{Signer as _, mpi};
    use sha2::Digest as _;
    let cert = openpgp::Cert::from_bytes(key.secret_armored().as_bytes()).expect("a key");
    let secret = cert
        .keys()
        .nth(1)
        .expect("a subkey")
        .key()
        .clone()
        .parts_into_secret()
        .expect("its secret half");
    let hash = sha2::Sha256::digest(data);
    let mut pair = secret.into_keypair().expect("no password");
    let signature = pair.sign(openpgp::types::HashAlgorithm::SHA256, &hash).expect("signed");
    let mpi::Signature::ECDSA { r, s } = signature else { panic!("not ECDSA") };
    let scalar = |number: &mpi::MPI| -> [u8; 32] {
        let padded = number.value_padded(32).expect("32 bytes");
        padded.as_ref().try_into().expect("32 bytes")
    };
    let signature = p256::ecdsa::Signature::from_scalars(scalar(&r), scalar(&s)).expect("scalars");
    signature.to_der().as_bytes().to_vec()
}

#[test]
fn p16_what_was_opened_before_is_judged_by_the_keys_of_now() {
    let key = kit::Key::generate("builder");
    let evidence = candidate(message(key.sign_message(&payload())));
    let opened = trusting(&key).open(&evidence, &[]);
    let repository = crate::verify_support::REPOSITORY.parse().expect("a repository");
    let image = countersign::verify::Image {
        repository: &repository,
        digest: digest(),
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    let now = Timestamp::now();
    for (name, trust, want) in [
        ("the same", trusting(&key), Ok(())),
        ("revoked", trusting(&key.revoked(Revocation::Compromised)), Err("key.revoked")),
        ("the same again", trusting(&key), Ok(())),
        ("taken out", trusting(&kit::Key::generate("other")), Err("signature.unknown-key")),
    ] {
        // Twice, since an answer is remembered for a second.
        for _ in 0..2 {
            let judged = trust.judge(&opened, &image, now);
            let want =
                want.map(|()| vec!["builder".to_owned()]).map_err(|code| vec![code.to_owned()]);
            assert_eq!(outcome(&judged), want, "{name}");
        }
    }
}

/// A subkey that its own half never agreed to belong: anybody could claim another's key so.
#[test]
fn p2_a_subkey_without_a_back_signature_does_not_sign() {
    use openpgp::{
        packet::{
            key::{Key4, PrimaryRole, SecretParts, SubordinateRole},
            signature::SignatureBuilder,
        },
        types::{Curve, KeyFlags, SignatureType},
    };
    let primary: openpgp::packet::Key<SecretParts, PrimaryRole> =
        Key4::generate_ecc(true, Curve::Ed25519).expect("a key").into();
    let sub: openpgp::packet::Key<SecretParts, SubordinateRole> =
        Key4::generate_ecc(true, Curve::Ed25519).expect("a key").into();
    let mut signer = primary.clone().into_keypair().expect("a pair");
    let cert =
        openpgp::Cert::try_from(vec![openpgp::Packet::from(primary)]).expect("a certificate");
    let direct = SignatureBuilder::new(SignatureType::DirectKey)
        .set_key_flags(KeyFlags::empty().set_certification())
        .and_then(|it| it.sign_direct_key(&mut signer, cert.primary_key().key()))
        .expect("a signature");
    let binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_key_flags(KeyFlags::empty().set_signing())
        .and_then(|it| it.sign_subkey_binding(&mut signer, cert.primary_key().key(), &sub))
        .expect("a signature");
    let packets: Vec<openpgp::Packet> = vec![direct.into(), sub.clone().into(), binding.into()];
    let (cert, _) = cert.insert_packets(packets).expect("a certificate");
    let pair = sub.into_keypair().expect("a pair");
    let mut bytes = Vec::new();
    {
        use openpgp::serialize::stream::{LiteralWriter, Message, Signer};
        use std::io::Write as _;
        let signer = Signer::new(Message::new(&mut bytes), pair).expect("a signer");
        let mut literal =
            LiteralWriter::new(signer.build().expect("a signer")).build().expect("a literal");
        literal.write_all(&payload()).expect("memory");
        literal.finalize().expect("a signature");
    }
    let keys =
        Key::openpgp(&cert.strip_secret_key_material().to_vec().expect("bytes")).expect("keys");
    let judged = judge(&trust(vec![authority("builder", keys)]), &candidate(message(bytes)));
    assert_eq!(outcome(&judged), Err(vec!["key.not-for-signing".into()]), "{:?}", judged.rejected);
}

#[test]
fn keys_are_described_as_they_would_count() {
    let now = Timestamp::now();
    let describe = |bytes: &[u8]| describe::inspect(bytes, now).expect("keys").remove(0);
    let key = || kit::Key::options("Acme builder <b@acme.example>");
    let good = key().signing_subkeys(1).generate();
    let report = describe(&good.certificate());
    assert_eq!(report.users, ["Acme builder <b@acme.example>"]);
    assert_eq!(report.parts.iter().map(|part| part.may_sign).collect::<Vec<_>>(), [false, true]);
    assert!(!report.secret && report.warnings.is_empty() && report.expires().is_none());
    assert!(describe(good.secret_armored().as_bytes()).secret);
    for (name, bytes, want) in [
        ("expired", key().expired().generate().certificate(), "no part of it signs now"),
        ("revoked", good.revoked(Revocation::Compromised).certificate(), "no part of it signs now"),
        (
            "encryption only",
            key().encryption_only().generate().certificate(),
            "no part of it signs now",
        ),
        ("SHA-1", fixture("gpg/sha1-self.asc"), "`signature.weak`"),
        ("DSA", fixture("gpg/dsa2048.asc"), "no part of it signs now"),
    ] {
        let report = describe(&bytes);
        assert!(report.to_string().contains(want), "{name}: {report}");
    }
    let soon = describe(
        &key()
            .age(std::time::Duration::from_mins(1))
            .expires_after(std::time::Duration::from_hours(24))
            .generate()
            .certificate(),
    );
    assert!(soon.expires().is_some_and(|end| end > now), "{soon}");
    let pkix = describe(&fixture("cosign/cosign.pub"));
    assert_eq!((pkix.parts[0].algorithm.as_str(), pkix.parts[0].may_sign), ("ECDSA P-256", true));
}

#[test]
fn what_an_authority_can_attest() {
    for (text, good) in [
        ("simple-signing", true),
        ("image-id", true),
        ("metadata/seccomp", true),
        ("metadata/*", true),
        ("https://slsa.dev/provenance/v1", true),
        ("embedded:https://slsa.dev/provenance/v1", true),
        ("", false),
        ("simple", false),
        ("metadata/", false),
        ("metadata/a*", false),
        ("embedded:", false),
        ("embedded:simple-signing", false),
        ("https://countersign.dev/metadata/v1", false),
    ] {
        let parsed = text.parse::<Attests>();
        assert_eq!(parsed.is_ok(), good, "{text}");
        if let Ok(attests) = parsed {
            assert_eq!(attests.to_string(), text);
        }
    }
}
