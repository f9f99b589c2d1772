use countersign::{
    attest::{Candidate, Signed},
    name::{Code, Digest, Repository},
    verify::{
        AfterExpiry, Attests, Authority, Identity, IdentityMap, Image, Judged, Key, Layers, Trust,
        Verified,
    },
};
use jiff::Timestamp;
use serde_json::json;

use crate::peer::GnuPg;

#[test]
#[ignore = "needs gpg"]
fn gpg_reads_its_own_messages_and_no_others() {
    let gpg = GnuPg::new();
    let fingerprint = gpg.generate("Acme builder <builder@acme.example>", "ed25519");
    assert_eq!(fingerprint.len(), 40);
    let mut message = gpg.sign(&fingerprint, &words("--compress-algo none --sign"), b"payload");
    assert_eq!(gpg.verify(&message).unwrap(), b"payload");

    let reader = GnuPg::new();
    assert!(reader.verify(&message).unwrap_err().contains("No public key"));
    reader.import(gpg.certificate(&fingerprint).as_bytes());
    reader.verify(&message).unwrap();
    let last = message.len() - 1;
    message[last] ^= 1;
    reader.verify(&message).unwrap_err();
    assert!(gpg.secret_key(&fingerprint).contains("PRIVATE KEY BLOCK"));
}

/// The keys and wrappings that gpg has, and what becomes of each.
#[test]
#[ignore = "needs gpg"]
fn what_gpg_signs_counts_for_the_authority_that_has_its_key() {
    let gpg = GnuPg::new();
    for (algorithm, how) in [
        ("ed25519", "--sign"),
        ("ed25519", "--armor --sign"),
        ("nistp256", "--compress-algo none --sign"),
        ("nistp384", "--compress-algo zlib --digest-algo SHA384 --sign"),
        ("nistp521", "--digest-algo SHA512 --sign"),
        ("rsa3072", "--digest-algo SHA512 --sign"),
        ("rsa4096", "--sign"),
    ] {
        let user = format!("{algorithm} {how} <qa@acme.example>");
        let signer = gpg.generate(&user, algorithm);
        let message = gpg.sign(&signer, &words(how), &payload());
        let judged = judge(&[authority(&gpg.certificate(&signer))], &message);
        let [verified] = judged.verified.as_slice() else {
            panic!("{user}: {:?}", judged.rejected);
        };
        assert_eq!(verified.signer().fingerprint(), signer, "{user}");
        assert_eq!(verified.signer().user_ids(), [user]);
    }
}

#[test]
#[ignore = "needs gpg"]
fn what_gpg_signs_does_not_count_when_the_key_or_signature_is_no_longer_good() {
    let gpg = GnuPg::new();
    let good = gpg.generate("Good <good@acme.example>", "ed25519");
    let past = "20250102T030405";
    let expired = gpg.generate_at(past, "Expired <expired@acme.example>", "ed25519", "1y");
    let revoked = gpg.generate("Revoked <revoked@acme.example>", "ed25519");
    let stranger = gpg.generate("Stranger <stranger@evil.example>", "ed25519");
    let rsa = gpg.generate("Old habits <old@acme.example>", "rsa3072");

    let then = format!("--faked-system-time {past} --sign");
    let brief = "--faked-system-time 20250104T030405 --default-sig-expire 7d --sign";
    let lasting = gpg.generate_at(past, "Lasting <lasting@acme.example>", "ed25519", "10y");
    for (name, signer, how, code) in [
        ("expired key", &expired, then.as_str(), Code::KeyExpired),
        ("revoked key", &revoked, "--sign", Code::KeyRevoked),
        ("unknown key", &stranger, "--sign", Code::SignatureUnknownKey),
        ("expired signature", &lasting, brief, Code::SignatureExpired),
        ("weak hash", &rsa, "--digest-algo SHA1 --sign", Code::SignatureWeak),
        ("detached", &good, "--detach-sign", Code::SignatureMalformed),
        ("clear text", &good, "--clear-sign", Code::SignatureMalformed),
    ] {
        let message = gpg.sign(signer, &words(how), &payload());
        if name == "revoked key" {
            gpg.revoke(signer);
        }
        let known = if name == "unknown key" { &good } else { signer };
        let judged = judge(&[authority(&gpg.certificate(known))], &message);
        assert!(judged.verified.is_empty(), "{name}: {judged:?}");
        let codes: Vec<Code> = judged.rejected.iter().map(|rejection| rejection.code).collect();
        assert_eq!(codes, [code], "{name}: {:?}", judged.rejected);
    }

    let message = gpg.sign(&expired, &words(&then), &payload());
    let lenient = Authority {
        after_expiry: AfterExpiry::SignedBefore,
        ..authority(&gpg.certificate(&expired))
    };
    assert_eq!(judge(&[lenient], &message).verified.len(), 1, "the operator trusts old clocks");
}

#[test]
#[ignore = "needs gpg"]
fn a_message_signed_by_two_counts_for_both() {
    let gpg = GnuPg::new();
    let builder = gpg.generate("Builder <builder@acme.example>", "ed25519");
    let qa = gpg.generate("QA <qa@acme.example>", "rsa3072");
    let message = gpg.sign(&builder, &["-u", &qa, "--sign"], &payload());
    let authorities = [&builder, &qa].map(|signer| {
        let name = if signer == &qa { "qa" } else { "builder" };
        Authority { name: name.into(), ..authority(&gpg.certificate(signer)) }
    });
    let judged = judge(&authorities, &message);
    let mut names: Vec<&str> = judged.verified.iter().map(Verified::authority).collect();
    names.sort_unstable();
    assert_eq!(names, ["builder", "qa"], "{:?}", judged.rejected);
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn payload() -> Vec<u8> {
    json!({
        "critical": {
            "identity": {"docker-reference": "registry.example/acme/shop"},
            "image": {"docker-manifest-digest": image()},
            "type": "atomic container signature",
        },
        "optional": {},
    })
    .to_string()
    .into_bytes()
}

fn image() -> Digest {
    Digest::sha256(b"an image")
}

fn authority(certificate: &str) -> Authority {
    Authority {
        name: "qa".into(),
        keys: Key::openpgp(certificate.as_bytes()).unwrap(),
        trusted_identities: None,
        note: None,
        attests: vec![Attests::SimpleSigning],
        sources: None,
        identity: Identity::Repository,
        identities: IdentityMap::default(),
        after_expiry: AfterExpiry::Reject,
        layers_checked_by: None,
        shared_key: false,
    }
}

fn judge(authorities: &[Authority], message: &[u8]) -> Judged {
    let trust = Trust::new(authorities.to_vec()).unwrap();
    let candidate = Candidate {
        source: "referrers".into(),
        name: "a message".to_owned(),
        note: None,
        recorded_at: None,
        signed: Signed::OpenPgpMessage(message.to_vec().into()),
    };
    let repository: Repository = "registry.example/acme/shop".parse().unwrap();
    let image = Image {
        repository: &repository,
        digest: image(),
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    trust.judge(&trust.open(&candidate, &[]), &image, Timestamp::now())
}
