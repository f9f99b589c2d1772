//! What runs for every review, or for every piece of evidence: `cargo bench --bench hot`.

#![expect(clippy::unwrap_used, reason = "what is measured was made here")]

use std::{collections::BTreeMap, sync::Arc};

use countersign::{
    admission::Review,
    attest::{Candidate, Envelope, Signed},
    name::{Digest, ImageRef, Repository},
    policy::{
        Container, ImageEntry, ImagePart, Input, Kind, Lookup, Records, Request, RequestPart,
        Resource, Rule, User,
    },
    verify::{
        AfterExpiry, Authority, Identity, IdentityMap, Image, Judged, Key, Layers, Opened, Trust,
    },
};
use countersign_kit as kit;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use serde_json::json;

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_reference(bencher: Bencher) {
    let given = format!("registry.example:5000/acme/team/shop:1.4@{}", digest());
    bencher.bench(|| black_box(&given).parse::<ImageRef>().unwrap());
}

#[divan::bench]
fn parse_review(bencher: Bencher) {
    let body = kit::review(&["registry.example/acme/shop:1.4"]).body();
    bencher.bench(|| {
        let review = Review::skim(black_box(&body)).unwrap();
        review.change(500).is_ok()
    });
}

#[divan::bench]
fn parse_envelope(bencher: Bencher) {
    let envelope = envelope(&kit::PkixKey::generate());
    bencher.bench(|| Envelope::parse(black_box(&envelope)).unwrap());
}

#[divan::bench]
fn open_openpgp(bencher: Bencher) {
    let key = kit::Key::generate("Builder <builder@acme.example>");
    let (trust, candidate) = (trusting(&key), attested_by(&key));
    bencher.bench(|| trust.open(black_box(&candidate), &[]));
}

#[divan::bench]
fn open_dsse(bencher: Bencher) {
    let key = kit::PkixKey::generate();
    let trust = trust(vec![Key::pkix(key.public_pem().as_bytes()).unwrap()]);
    let candidate = candidate(Signed::Dsse(Envelope::parse(&envelope(&key)).unwrap()));
    bencher.bench(|| trust.open(black_box(&candidate), &[]));
}

#[divan::bench]
fn judge_evidence(bencher: Bencher) {
    let key = kit::Key::generate("Builder <builder@acme.example>");
    let trust = trusting(&key);
    let opened = trust.open(&attested_by(&key), &[]);
    bencher.bench(|| judge(&trust, black_box(&opened)));
}

#[divan::bench]
fn build_input(bencher: Bencher) {
    let judged = judged();
    bencher.bench(|| input(black_box(&judged)));
}

#[divan::bench]
fn evaluate_attested(bencher: Bencher) {
    let rule = Rule::library("attested", &json!({"authorities": ["builder"]})).unwrap();
    let input = input(&judged());
    // As the gate does it: on a machine that has run before.
    bencher.bench(|| rule.evaluate_briefly(black_box(input.value())).unwrap().unwrap());
}

#[divan::bench]
fn evaluate_pinned(bencher: Bencher) {
    let rule = Rule::library("pinned", &json!({})).unwrap();
    let input = input(&judged());
    bencher.bench(|| rule.evaluate(black_box(input.value())).unwrap());
}

const REPOSITORY: &str = "registry.example/acme/shop";

fn digest() -> Digest {
    Digest::sha256(b"manifest")
}

fn envelope(key: &kit::PkixKey) -> Vec<u8> {
    let predicate = json!({"buildType": "https://acme.example/build/v1"});
    let statement = kit::statement(PREDICATE, REPOSITORY, &digest().to_string(), predicate);
    let payload = statement.to_string().into_bytes();
    let signature = key.sign(&kit::pae(kit::IN_TOTO, &payload));
    kit::envelope(kit::IN_TOTO, &payload, &[("", &signature)]).to_string().into_bytes()
}

fn attested_by(key: &kit::Key) -> Candidate {
    let payload = kit::simple_signing(REPOSITORY, &digest().to_string());
    candidate(Signed::OpenPgpMessage(key.sign_message(&payload).into()))
}

fn candidate(signed: Signed) -> Candidate {
    let (source, name) = ("referrers".into(), "evidence".to_owned());
    Candidate { source, name, note: None, recorded_at: None, signed }
}

fn trusting(key: &kit::Key) -> Trust {
    trust(Key::openpgp(&key.certificate()).unwrap())
}

fn trust(keys: Vec<Key>) -> Trust {
    let builder = Authority {
        name: "builder".into(),
        keys,
        trusted_identities: None,
        note: None,
        attests: ["simple-signing", PREDICATE].map(|text| text.parse().unwrap()).into(),
        sources: None,
        identity: Identity::Repository,
        identities: IdentityMap::default(),
        after_expiry: AfterExpiry::Reject,
        layers_checked_by: None,
        shared_key: false,
    };
    Trust::new(vec![builder]).unwrap()
}

fn judge(trust: &Trust, opened: &Opened) -> Judged {
    let repository: Repository = REPOSITORY.parse().unwrap();
    let (digest, now) = (digest(), Timestamp::now());
    let image = Image {
        repository: &repository,
        digest,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    trust.judge(opened, &image, now)
}

fn judged() -> Judged {
    let key = kit::Key::generate("Builder <builder@acme.example>");
    let trust = trusting(&key);
    let judged = judge(&trust, &trust.open(&attested_by(&key), &[]));
    assert_eq!(judged.verified.len(), 1, "{:?}", judged.rejected);
    judged
}

fn input(judged: &Judged) -> Input {
    let lookups: BTreeMap<Arc<str>, Lookup> =
        BTreeMap::from([("grafeas".into(), Lookup::None), ("referrers".into(), Lookup::Found)]);
    let entry = ImageEntry {
        path: "spec.containers[0].image",
        container: Container { name: "shop", kind: "container" },
        given: &format!("{REPOSITORY}:1.4").parse().unwrap(),
        digest: digest(),
        media_type: "application/vnd.oci.image.manifest.v1+json",
        platform: None,
        config: None,
        attestations: &judged.verified,
        records: &Records::default(),
        statements: &[],
        rejected: &judged.rejected,
        lookups: &lookups,
    };
    let request = Request {
        uid: "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
        time: Timestamp::UNIX_EPOCH,
        operation: "CREATE",
        namespace: "prod-shop",
        name: "shop",
        kind: Kind { group: "", version: "v1", kind: "Pod" },
        resource: Resource { group: "", version: "v1", resource: "pods" },
        sub_resource: "",
        user: User { username: "alice", groups: &["system:authenticated".to_owned()] },
        dry_run: false,
        namespace_labels: None,
        object: None,
        old_object: None,
    };
    let images = [ImagePart::new(&entry).unwrap()];
    Input::new(&RequestPart::new(&request).unwrap(), &images).unwrap()
}

const PREDICATE: &str = "https://acme.example/predicate/v1";
