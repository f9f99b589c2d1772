//! The kit's keys and signatures, judged by sequoia alone.

use std::time::{Duration, SystemTime};

use countersign_kit::{
    IN_TOTO, Key, PkixKey, Revocation, keyring_armored, pae, signed_statement, statement,
};
use p256::{ecdsa::signature::Verifier, pkcs8::DecodePublicKey};
use sequoia_openpgp::{
    KeyHandle,
    cert::{Cert, CertParser},
    parse::{
        Parse,
        stream::{
            DetachedVerifierBuilder, MessageLayer, MessageStructure, VerificationHelper,
            VerifierBuilder,
        },
    },
    policy::StandardPolicy,
};
use serde_json::json;

const PAYLOAD: &[u8] = b"{\"critical\":{}}";
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn messages_verify_however_they_are_wrapped() {
    let key = Key::generate("one <one@example.test>");
    let other = Key::generate("other <other@example.test>");
    let cases = [
        ("binary", key.sign_message(PAYLOAD)),
        ("armored", key.sign_message_armored(PAYLOAD).into_bytes()),
        (
            "as Kritis writes it",
            key.signing().armored_as_signature().text_literal().message(PAYLOAD),
        ),
        ("compressed, as gpg writes it", key.signing().compressed().armored().message(PAYLOAD)),
        ("text", key.signing().text().message(PAYLOAD)),
        ("twice", key.signing().and(&other).message(PAYLOAD)),
    ];
    for (name, message) in cases {
        assert_eq!(message_by(&key, &message), Ok(PAYLOAD.to_vec()), "{name}");
        let armored = message.starts_with(b"-----BEGIN PGP ");
        assert_eq!(armored, name.contains("rmored") || name.contains("writes"), "{name}");
    }
    assert!(message_by(&other, &key.sign_message(PAYLOAD)).is_err(), "another key");
}

#[test]
fn detached_signatures_verify() {
    for key in [
        Key::generate("ed25519 <e@example.test>"),
        Key::options("p256 <p@example.test>").nistp256().generate(),
        Key::options("v6 <v@example.test>").v6().generate(),
        Key::options("sub <s@example.test>").signing_subkeys(2).generate(),
    ] {
        assert_eq!(detached_by(&key, &key.sign_detached(PAYLOAD)), Ok(()));
        let armored = key.signing().text().armored().detached(PAYLOAD);
        assert!(armored.starts_with(b"-----BEGIN PGP SIGNATURE"));
        assert_eq!(detached_by(&key, &armored), Ok(()));
    }
    assert_eq!(Key::options("v6").v6().generate().fingerprint().len(), 64);
}

#[test]
fn bad_keys_and_signatures_do_not_verify() {
    let fresh = || Key::options("bad <bad@example.test>");
    let key = fresh().generate();
    let now = SystemTime::now();
    let cases: [(&str, Key, Vec<u8>, &str); 8] = [
        (
            "compromised",
            key.revoked(Revocation::Compromised),
            key.sign_detached(PAYLOAD),
            "revoked",
        ),
        ("expired", fresh().expired().generate(), Vec::new(), "not live"),
        (
            "encryption only",
            fresh().encryption_only().generate(),
            Vec::new(),
            "not signing capable",
        ),
        ("SHA-1", key.clone(), key.signing().sha1().detached(PAYLOAD), "SHA1"),
        (
            "signature expired",
            key.clone(),
            key.signing().at(now - DAY).valid_for(DAY / 2).detached(PAYLOAD),
            "Expired",
        ),
        (
            "made before the key",
            key.clone(),
            key.signing().at(now - DAY * 60).detached(PAYLOAD),
            "",
        ),
        ("a certification", key.clone(), key.signing().of_type(0x10).detached(PAYLOAD), ""),
        (
            "a revoked subkey",
            fresh().signing_subkeys(1).generate().subkey_revoked(0, Revocation::Retired),
            Vec::new(),
            "revoked",
        ),
    ];
    for (name, key, signature, want) in cases {
        let signature = if signature.is_empty() { key.sign_detached(PAYLOAD) } else { signature };
        let error = detached_by(&key, &signature).expect_err(name);
        assert!(error.contains(want), "{name}: {error}");
    }
    let message = key.signing().sha1().message(PAYLOAD);
    assert!(message_by(&key, &message).is_err(), "a message with SHA-1");
}

#[test]
fn a_retired_key_signed_well_before() {
    let key = Key::generate("retired <r@example.test>");
    let retired = key.revoked_at(Revocation::Retired, SystemTime::now() - DAY);
    let before = key.signing().at(SystemTime::now() - DAY * 2).detached(PAYLOAD);
    assert_eq!(detached_by(&retired, &before), Ok(()));
    assert!(detached_by(&retired, &key.sign_detached(PAYLOAD)).is_err());
}

#[test]
fn keyrings_hold_certificates_only() {
    let keys = [Key::generate("a"), Key::options("b").v6().generate()];
    let ring = keyring_armored(&[&keys[0], &keys[1]]);
    let certificates: Vec<Cert> =
        CertParser::from_bytes(&ring).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(certificates.len(), 2);
    assert!(certificates.iter().all(|certificate| !certificate.is_tsk()));
    assert!(Cert::from_bytes(&keys[0].secret_armored()).unwrap().is_tsk());
    assert_eq!(
        Key::import(keys[0].secret_armored().as_bytes()).fingerprint(),
        keys[0].fingerprint()
    );
    let locked = Key::options("c").password("secret").generate();
    assert!(Cert::from_bytes(&locked.secret_armored()).unwrap().is_tsk());
}

#[test]
fn envelopes_are_signed_over_the_pae() {
    assert_eq!(pae("a", b"bc"), b"DSSEv1 1 a 2 bc");
    let key = Key::generate("dsse <dsse@example.test>");
    let says = statement("https://slsa.dev/provenance/v1", "r/acme/shop", "sha256:0f", json!({}));
    let envelope = signed_statement(&says, &[&key]);
    assert_eq!(envelope["signatures"][0]["keyid"], key.fingerprint());
    let sig = envelope["signatures"][0]["sig"].as_str().unwrap();
    let sig = countersign_kit::base64_decode(sig).unwrap();
    let policy = StandardPolicy::new();
    let mut verifier = DetachedVerifierBuilder::from_bytes(&sig)
        .unwrap()
        .with_policy(&policy, None, Only(Cert::from_bytes(&key.certificate()).unwrap()))
        .unwrap();
    verifier.verify_bytes(pae(IN_TOTO, says.to_string().as_bytes())).unwrap();
}

#[test]
fn pkix_signatures_verify() {
    let key = PkixKey::generate();
    let public = p256::ecdsa::VerifyingKey::from_public_key_pem(&key.public_pem()).unwrap();
    let signature = p256::ecdsa::Signature::from_der(&key.sign(PAYLOAD)).unwrap();
    public.verify(PAYLOAD, &signature).unwrap();
    assert_eq!(key.fingerprint().len(), 64);
}

struct Only(Cert);

impl VerificationHelper for Only {
    fn get_certs(&mut self, _ids: &[KeyHandle]) -> sequoia_openpgp::Result<Vec<Cert>> {
        Ok(vec![self.0.clone()])
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> sequoia_openpgp::Result<()> {
        let mut last = None;
        for layer in structure {
            if let MessageLayer::SignatureGroup { results } = layer {
                for result in results {
                    match result {
                        Ok(_) => return Ok(()),
                        Err(error) => last = Some(format!("{error:?} {error}")),
                    }
                }
            }
        }
        Err(std::io::Error::other(last.unwrap_or_default()).into())
    }
}

fn message_by(key: &Key, message: &[u8]) -> Result<Vec<u8>, String> {
    let policy = StandardPolicy::new();
    let only = Only(Cert::from_bytes(&key.certificate()).unwrap());
    let mut content = Vec::new();
    let mut verifier = VerifierBuilder::from_bytes(message)
        .unwrap()
        .with_policy(&policy, None, only)
        .map_err(|error| format!("{error:?}"))?;
    std::io::copy(&mut verifier, &mut content).map_err(|error| format!("{error:?}"))?;
    Ok(content)
}

fn detached_by(key: &Key, signature: &[u8]) -> Result<(), String> {
    let policy = StandardPolicy::new();
    let only = Only(Cert::from_bytes(&key.certificate_armored()).unwrap());
    let mut verifier = DetachedVerifierBuilder::from_bytes(signature)
        .unwrap()
        .with_policy(&policy, None, only)
        .map_err(|error| format!("{error:?}"))?;
    verifier.verify_bytes(PAYLOAD).map_err(|error| format!("{error:?}"))
}
