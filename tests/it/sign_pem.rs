//! Private keys in PEM: each kind signs what verifiers read, each bad one is refused in words.

use countersign::{
    attest::{IN_TOTO, Signed, pae},
    sign::{Passphrase, Signer},
    verify::Key,
};
use jiff::Timestamp;
use ring::signature::{self, UnparsedPublicKey};

use crate::verify_support::{authority, candidate, digest, fixture, judge, payload, trust};

fn load(name: &str, passphrase: Option<&str>) -> Result<Signer, String> {
    let passphrase = passphrase.map(|text| Passphrase::from(text.to_owned()));
    Signer::load(&fixture(&format!("pem/{name}")), passphrase.as_ref(), Timestamp::now())
        .map_err(|error| error.to_string())
}

fn statement() -> Vec<u8> {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a.example/b","digest":{{"sha256":"{}"}}}}],"predicateType":"https://a.example/p","predicate":{{}}}}"#,
        digest().hex()
    )
    .into_bytes()
}

#[test]
fn p14_what_keys_in_pem_sign_verifies_here() {
    for (name, passphrase) in [
        ("p256.sec1.pem", None),
        ("p384.pem", None),
        ("p384.locked.pem", Some("open")),
        ("p521.pem", None),
        ("ed25519.pem", None),
        ("ed25519.scrypt.pem", Some("open")),
        ("rsa.pem", None),
        ("rsa.pkcs1.pem", None),
        ("cosign.key", Some("")),
    ] {
        let signer = load(name, passphrase).unwrap_or_else(|error| panic!("{name}: {error}"));
        let now = Timestamp::now();
        let envelope = signer.sign_statement(statement(), now).unwrap();
        let raw = signer.sign_simple(payload(), now).unwrap();
        assert!(
            matches!(&raw, Signed::Raw { signatures, .. } if
            signatures[0].key_id.as_deref().unwrap().starts_with("ni:///sha-256;")),
            "{name}"
        );
        for signed in [Signed::Dsse(envelope), raw] {
            let format = signed.format();
            let trust = trust(vec![authority("pem", signer.verifying().unwrap())]);
            let judged = judge(&trust, &candidate(signed));
            assert!(judged.rejected.is_empty(), "{name}, {format}: {:?}", judged.rejected);
            let fingerprint = signer.fingerprint().to_string();
            assert_eq!(judged.verified[0].signer().fingerprint(), fingerprint, "{name}, {format}");
        }
    }
}

/// The few lines of DSSE, by another library and without a line of ours but the PAE's arguments.
#[test]
fn p15_a_signature_is_over_the_pre_authentication_encoding() {
    let signer = load("p256.sec1.pem", None).unwrap();
    let statement = statement();
    let envelope = signer.sign_statement(statement.clone(), Timestamp::now()).unwrap();
    let by_hand =
        [format!("DSSEv1 28 {IN_TOTO} {} ", statement.len()).as_bytes(), &statement[..]].concat();
    assert_eq!(pae(IN_TOTO, &statement), by_hand);
    let public = signer.public().unwrap();
    let der: Vec<u8> = {
        use base64::Engine as _;
        let lines: String = public.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(lines).unwrap()
    };
    // The point stands at the end of the public key.
    let point = &der[der.len() - 65..];
    let key = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point);
    key.verify(&by_hand, &envelope.signatures()[0].signature).unwrap();
    key.verify(&statement, &envelope.signatures()[0].signature).unwrap_err();
}

#[test]
fn keys_in_pem_that_cannot_sign_are_refused() {
    for (name, passphrase, want) in [
        ("p384.locked.pem", None, "is locked; give its passphrase"),
        ("p384.locked.pem", Some("shut"), "does not unlock the key in PEM"),
        ("ed25519.scrypt.pem", Some("shut"), "does not unlock the key in PEM"),
        ("cosign.key", None, "is locked; give its passphrase"),
        ("cosign.key", Some("shut"), "does not unlock the key in PEM"),
        ("p256.legacy.pem", Some("open"), "openssl pkcs8 -topk8"),
        ("p256.pub.pem", None, "it is a public key in PEM"),
        ("secp256k1.pem", None, "neither RSA, nor ECDSA on P-256"),
        ("rsa1024.pkcs1.pem", None, "an RSA key of 1024 bits"),
    ] {
        let error = load(name, passphrase).expect_err(name);
        assert!(error.contains(want), "{name}: {error}");
        assert!(!error.contains("shut"), "{name}: {error}");
    }
    let two = [fixture("pem/p384.pem"), fixture("pem/p521.pem")].concat();
    let error = Signer::load(&two, None, Timestamp::now()).unwrap_err();
    assert!(error.to_string().contains("2 secret keys in one file"), "{error}");
    let cut = &fixture("pem/p384.pem")[..100];
    let error = Signer::load(cut, None, Timestamp::now()).unwrap_err();
    assert!(error.to_string().contains("no secret key"), "{error}");
}

#[test]
fn secrets_of_pem_are_not_printed() {
    let signer = load("p384.pem", None).unwrap();
    let printed = format!("{signer:?}");
    assert_eq!(printed, format!("Pem(PemKey({}, [secret]))", signer.fingerprint()));
    let public = signer.public().unwrap();
    let key = Key::pkix(public.as_bytes()).unwrap();
    assert_eq!(key.fingerprint(), signer.fingerprint());
    assert!(!public.contains("PRIVATE"));
}
