//! The key that CI signs with: what is refused, and that the rest verifies.

use std::{process::Command, sync::Arc, time::Duration};

use countersign::{
    attest::{Candidate, Envelope, EnvelopeSignature, IN_TOTO, Signed, pae},
    name::{Digest, Repository},
    sign::{Passphrase, SigningKey, generate_key},
    verify::{AfterExpiry, Authority, Identity, IdentityMap, Image, Judged, Key, Layers, Trust},
};
use countersign_kit as kit;
use jiff::Timestamp;

fn now() -> Timestamp {
    Timestamp::now()
}

#[test]
fn keys_that_cannot_sign_are_refused() {
    let key = || kit::Key::options("ci");
    let secret = |key: kit::Key| key.secret_armored().into_bytes();
    let two = [secret(key().generate()), secret(key().generate())];
    let two: Vec<u8> = two.iter().flat_map(|armored| kit_binary(armored)).collect();
    let plain = key().generate();
    for (name, file, passphrase, want) in [
        ("good", secret(plain.clone()), None, None),
        ("good, locked", secret(key().password("open").generate()), Some("open"), None),
        ("by a subkey", secret(key().signing_subkeys(2).generate()), None, None),
        (
            "locked",
            secret(key().password("open").generate()),
            None,
            Some("is locked; give its passphrase"),
        ),
        (
            "wrong passphrase",
            secret(key().password("open").generate()),
            Some("shut"),
            Some("does not unlock"),
        ),
        ("expired", secret(key().expired().generate()), None, Some("has expired")),
        (
            "encryption only",
            secret(key().encryption_only().generate()),
            None,
            Some("no part that can sign"),
        ),
        ("revoked", secret(plain.revoked(kit::Revocation::Retired)), None, Some("is revoked")),
        (
            "a certificate",
            plain.certificate_armored().into_bytes(),
            None,
            Some("without its secret key"),
        ),
        ("two keys", two, None, Some("2 secret keys")),
        ("text", b"not a key".to_vec(), None, Some("no secret key")),
        ("empty", Vec::new(), None, Some("no secret key")),
    ] {
        let passphrase = passphrase.map(|text: &str| Passphrase::from(text.to_owned()));
        match (SigningKey::load(&file, passphrase.as_ref(), now()), want) {
            (Ok(_), None) => {}
            (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
            (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
        }
    }
}

#[test]
fn p14_what_is_signed_here_verifies_here() {
    let generated =
        generate_key("Acme builder <ci@acme.example>", None, None, now()).expect("a key");
    let key = SigningKey::load(&generated.secret, None, now()).expect("it signs");
    let (digest, payload) = image();
    let message = key.sign_message(&payload, now()).expect("a message");
    // The first bytes by which podman tells signatures from other files.
    assert!(matches!(message[0], 0xa0..=0xa3 | 0xc8 | 0x90..=0x92 | 0xc4 | 0x88..=0x8b | 0xc2));
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a.example/b","digest":{{"sha256":"{}"}}}}],"predicateType":"https://a.example/p","predicate":{{}}}}"#,
        digest.hex()
    );
    let signature = key.sign_detached(&pae(IN_TOTO, statement.as_bytes()), now()).expect("signed");
    let envelope = Envelope::new(
        IN_TOTO.into(),
        statement.into(),
        vec![EnvelopeSignature { key_id: None, signature: signature.into() }],
    );
    for (name, signed) in
        [("message", Signed::OpenPgpMessage(message.into())), ("DSSE", Signed::Dsse(envelope))]
    {
        let judged = judge(&generated.certificate, signed, digest);
        assert!(judged.rejected.is_empty(), "{name}: {:?}", judged.rejected);
        let verified = &judged.verified[0];
        assert_eq!(verified.signer().fingerprint(), key.fingerprint().to_string(), "{name}");
        assert_eq!(verified.signer().user_ids(), ["Acme builder <ci@acme.example>"], "{name}");
    }
}

#[test]
fn p14_keys_of_every_kind_sign_what_verifies_here() {
    for (name, key) in [
        ("Ed25519", kit::Key::options("ci").generate()),
        ("version 6", kit::Key::options("ci").v6().generate()),
        ("ECDSA", kit::Key::options("ci").nistp256().generate()),
        ("RSA", kit::Key::options("ci").rsa().generate()),
        ("a subkey, version 6", kit::Key::options("ci").v6().signing_subkeys(1).generate()),
    ] {
        let secret = key.secret_armored().into_bytes();
        let signing = SigningKey::load(&secret, None, now()).expect(name);
        let (digest, payload) = image();
        let message = signing.sign_message(&payload, now()).expect(name);
        let judged = judge(&key.certificate(), Signed::OpenPgpMessage(message.into()), digest);
        assert!(judged.rejected.is_empty(), "{name}: {:?}", judged.rejected);
        assert_eq!(judged.verified[0].signer().fingerprint(), key.fingerprint(), "{name}");
    }
}

#[test]
fn a_generated_key_is_locked_and_expires_as_told() {
    let passphrase = || Some(Passphrase::from("open".to_owned()));
    let day = Duration::from_hours(24);
    let made = generate_key("ci", passphrase(), Some(day), now()).expect("a key");
    assert!(SigningKey::load(&made.secret, None, now()).is_err());
    assert!(SigningKey::load(&made.secret, passphrase().as_ref(), now()).is_ok());
    let later = now() + Duration::from_hours(48);
    let late = SigningKey::load(&made.secret, passphrase().as_ref(), later).expect_err("expired");
    assert!(late.to_string().contains("has expired"), "{late}");
    assert!(generate_key("a\nb", None, None, now()).is_err());
    assert!(generate_key(" ", None, None, now()).is_err());
}

#[test]
fn secrets_are_not_printed() {
    let made = generate_key("ci", None, None, now()).expect("a key");
    let key = SigningKey::load(&made.secret, None, now()).expect("it signs");
    assert_eq!(format!("{key:?}"), format!("SigningKey({}, [secret])", key.fingerprint()));
    assert_eq!(format!("{:?}", Passphrase::from("open".to_owned())), "[secret]");
}

#[test]
#[ignore = "needs gpg"]
fn p14_gpg_verifies_what_is_signed_here() {
    let home = tempfile::tempdir().expect("a folder");
    let made = generate_key("ci", None, None, now()).expect("a key");
    let key = SigningKey::load(&made.secret, None, now()).expect("it signs");
    let (_, payload) = image();
    let files = [
        ("ci.asc", made.certificate),
        ("message", key.sign_message(&payload, now()).expect("a message")),
        ("payload", payload.clone()),
        ("payload.sig", key.sign_detached(&payload, now()).expect("a signature")),
    ];
    for (name, bytes) in files {
        std::fs::write(home.path().join(name), bytes).expect(name);
    }
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(home.path()).arg("--batch").args(arguments);
        let output = command.current_dir(home.path()).output().expect("gpg starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    gpg(&["--import", "ci.asc"]);
    assert_eq!(gpg(&["--decrypt", "message"]), payload);
    gpg(&["--verify", "payload.sig", "payload"]);
}

fn image() -> (Digest, Vec<u8>) {
    let digest = Digest::sha256(b"manifest");
    (digest, kit::simple_signing("a.example/b", &digest.to_string()))
}

fn judge(certificate: &[u8], signed: Signed, digest: Digest) -> Judged {
    let authority = Authority {
        name: "ci".into(),
        keys: Key::openpgp(certificate).expect("a certificate"),
        trusted_identities: None,
        note: None,
        attests: ["simple-signing", "https://a.example/p"].map(|text| text.parse().unwrap()).into(),
        sources: None,
        identity: Identity::Repository,
        identities: IdentityMap::default(),
        after_expiry: AfterExpiry::Reject,
        layers_checked_by: None,
        shared_key: false,
    };
    let trust = Trust::new(vec![authority]).expect("trust");
    let source: Arc<str> = "referrers".into();
    let candidate = Candidate { source, name: "x".into(), note: None, recorded_at: None, signed };
    let repository: Repository = "a.example/b".parse().expect("a repository");
    let image = Image {
        repository: &repository,
        digest,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    trust.judge(&trust.open(&candidate, &[]), &image, now())
}

/// The packets of an armored key.
fn kit_binary(armored: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut packets = Vec::new();
    sequoia_openpgp::armor::Reader::from_bytes(armored, None).read_to_end(&mut packets).unwrap();
    packets
}
