use countersign::{
    name::Digest,
    sign::{Passphrase, SigningKey, generate_key},
};
use jiff::Timestamp;
use serde_json::json;

use crate::peer::GnuPg;

const REPOSITORY: &str = "registry.example/acme/shop";

/// What we sign, with our own keys and with gpg's, is what gpg and podman read.
#[test]
#[ignore = "needs gpg and skopeo"]
fn gpg_and_skopeo_accept_what_we_sign() {
    let gpg = GnuPg::new();
    let manifest =
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": REPOSITORY},
            "image": {"docker-manifest-digest": Digest::sha256(manifest)},
            "type": "atomic container signature",
        },
        "optional": {},
    });
    let payload = payload.to_string().into_bytes();
    for (name, secret, passphrase) in keys(&gpg) {
        let now = Timestamp::now();
        let passphrase = passphrase.map(Passphrase::from);
        let key = SigningKey::load(&secret, passphrase.as_ref(), now).unwrap();
        gpg.import(&key.certificate().unwrap());

        let message = key.sign_message(&payload, now).unwrap();
        assert_eq!(gpg.verify(&message).unwrap(), payload, "{name}");
        // skopeo names the part that signed, not the certificate.
        let fingerprint = key.subkey().to_string();
        gpg.skopeo_verify(manifest, REPOSITORY, &fingerprint, &message)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        gpg.skopeo_verify(b"{}", REPOSITORY, &fingerprint, &message).unwrap_err();

        let signature = key.sign_detached(&payload, now).unwrap();
        gpg.verify_detached(&signature, &payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        gpg.verify_detached(&signature, b"something else").unwrap_err();
    }
}

/// Secret keys, with what unlocks them.
fn keys(gpg: &GnuPg) -> Vec<(&'static str, Vec<u8>, Option<String>)> {
    let now = Timestamp::now();
    let passphrase = "correct horse".to_owned();
    let locked = Passphrase::from(passphrase.clone());
    let ours = generate_key("Ours <ours@acme.example>", None, None, now).unwrap();
    let ours_locked =
        generate_key("Locked <locked@acme.example>", Some(locked), None, now).unwrap();
    let rsa = gpg.generate("RSA <rsa@acme.example>", "rsa3072");
    let parted = gpg.generate("With a subkey <parted@acme.example>", "ed25519");
    gpg.add_signing_subkey(&parted, "rsa3072");
    vec![
        ("ours", ours.secret, None),
        ("ours, locked", ours_locked.secret, Some(passphrase)),
        ("gpg's", gpg.secret_key(&rsa).into_bytes(), None),
        ("gpg's with a subkey", gpg.secret_key(&parted).into_bytes(), None),
    ]
}
