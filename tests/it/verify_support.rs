//! What the tests of the verifier share: one image, one authority, one question.

use std::time::{Duration, SystemTime};

use countersign::{
    attest::{Candidate, Envelope, Signed},
    name::{Digest, Repository},
    verify::{
        AfterExpiry, Authority, Identity, IdentityMap, Image, Judged, Key, Layers, Opened, Trust,
    },
};
use countersign_kit as kit;
use jiff::Timestamp;

/// Where the tests' image lies.
pub const REPOSITORY: &str = "a.example/b";

/// The kinds of payload that [`authority`] attests.
pub const ATTESTS: [&str; 3] = ["simple-signing", "image-id", "https://a.example/p"];

/// The digest of the tests' image.
pub fn digest() -> Digest {
    Digest::sha256(b"manifest")
}

/// The digest of its configuration.
pub fn config() -> Digest {
    Digest::sha256(b"config")
}

/// A simple-signing payload about the tests' image.
pub fn payload() -> Vec<u8> {
    kit::simple_signing(REPOSITORY, &digest().to_string())
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

pub fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

pub fn ago(count: u64) -> SystemTime {
    SystemTime::now() - days(count)
}

/// An authority with these keys, a whole identity, and nothing that narrows it.
pub fn authority(name: &str, keys: Vec<Key>) -> Authority {
    Authority {
        name: name.into(),
        keys,
        trusted_identities: None,
        note: None,
        attests: ATTESTS.map(|text| text.parse().expect(text)).into(),
        sources: None,
        identity: Identity::Repository,
        identities: IdentityMap::default(),
        after_expiry: AfterExpiry::Reject,
        layers_checked_by: None,
        shared_key: false,
    }
}

pub fn keys(key: &kit::Key) -> Vec<Key> {
    Key::openpgp(&key.certificate()).expect("a certificate")
}

pub fn trust(authorities: Vec<Authority>) -> Trust {
    Trust::new(authorities).expect("trust")
}

/// A trust of one authority with one key.
pub fn trusting(key: &kit::Key) -> Trust {
    trust(vec![authority("builder", keys(key))])
}

pub fn candidate(signed: Signed) -> Candidate {
    Candidate {
        source: "referrers".into(),
        name: "evidence".into(),
        note: None,
        recorded_at: None,
        signed,
    }
}

pub fn message(bytes: impl Into<bytes::Bytes>) -> Signed {
    Signed::OpenPgpMessage(bytes.into())
}

pub fn dsse(envelope: &serde_json::Value) -> Signed {
    Signed::Dsse(Envelope::parse(envelope.to_string().as_bytes()).expect("an envelope"))
}

/// What a candidate is worth for the tests' image now.
pub fn judge(trust: &Trust, candidate: &Candidate) -> Judged {
    judge_with(trust, candidate, Layers::NotCompared)
}

/// The same where so much is known of the image's layers.
pub fn judge_with(trust: &Trust, candidate: &Candidate, layers: Layers<'_>) -> Judged {
    judged(trust, &trust.open(candidate, &[config()]), layers)
}

/// The same of what was opened before.
pub fn judge_opened(trust: &Trust, opened: &Opened) -> Judged {
    judged(trust, opened, Layers::NotCompared)
}

fn judged(trust: &Trust, opened: &Opened, layers: Layers<'_>) -> Judged {
    let repository: Repository = REPOSITORY.parse().expect("a repository");
    let image = Image {
        repository: &repository,
        digest: digest(),
        platform: None,
        config: Some(config()),
        equals: &[],
        layers,
    };
    trust.judge(opened, &image, Timestamp::now())
}

/// The names of the authorities that a candidate counts for, or else the codes against it.
pub fn outcome(judged: &Judged) -> Result<Vec<String>, Vec<String>> {
    if judged.verified.is_empty() {
        Err(judged.rejected.iter().map(|one| one.code.to_string()).collect())
    } else {
        Ok(judged.verified.iter().map(|one| one.authority().to_owned()).collect())
    }
}
