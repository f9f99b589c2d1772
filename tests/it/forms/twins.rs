//! For each form the genuine vector, and its twins: tampered with, moved, of the wrong type.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::{
    attest::{Candidate, Envelope, EnvelopeSignature, Jws, RawSignature, Signed},
    verify::{Authority, Identity, Image, Key, Layers, Verified},
};
use jiff::Timestamp;
use serde_json::Value;

use super::vectors::{Vector, all};
use crate::verify_support::{self, authority, fixture, keys, trust};

#[test]
fn p4_every_vector_counts_for_what_it_names() {
    for vector in all() {
        let trust = trust(vec![vector.authority()]);
        let judged = vector.judge_here(&vector.document, &trust);
        assert_eq!(judged.rejected, [], "{}", vector.name);
        let [verified] = judged.verified.as_slice() else { panic!("{}", vector.name) };
        assert_eq!(verified.predicate_type(), vector.kind, "{}", vector.name);
    }
}

#[test]
fn p4_a_moved_twin_is_rejected_by_its_code() {
    let other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let stranger = countersign_kit::Key::generate("stranger");
    for vector in all() {
        let own = || vector.authority();
        let kind =
            if vector.kind == "simple-signing" { "https://a.example/p" } else { "simple-signing" };
        let mut twins: Vec<(&str, Authority, &str, &str, &[&str])> = vec![
            ("another image", own(), vector.repository, other, &["payload.other-image"]),
            (
                "an authority of another type",
                Authority { attests: vec![kind.parse().unwrap()], ..own() },
                vector.repository,
                vector.digest,
                &["scope.type"],
            ),
            (
                "an authority that takes nothing from there",
                Authority { sources: Some(vec![Arc::from("elsewhere")]), ..own() },
                vector.repository,
                vector.digest,
                &["scope.source"],
            ),
            (
                "an authority with another key",
                Authority { note: own().note, ..authority("tool", keys(&stranger)) },
                vector.repository,
                vector.digest,
                if vector.kind == "notation" {
                    &["signature.certificate"]
                } else {
                    &["signature.unknown-key"]
                },
            ),
        ];
        if vector.identity == Identity::Repository {
            twins.push((
                "another repository",
                own(),
                "docker.io/acme/evil",
                vector.digest,
                &["payload.other-repository"],
            ));
        }
        if vector.note.is_some() {
            let other = "projects/build/notes/other".parse().unwrap();
            twins.push((
                "another note",
                Authority { note: Some(other), ..own() },
                vector.repository,
                vector.digest,
                &["scope.note"],
            ));
            twins.push((
                "an authority without a note",
                Authority { note: None, ..own() },
                vector.repository,
                vector.digest,
                &["scope.note"],
            ));
        }
        for (name, authority, repository, digest, want) in twins {
            let repository = repository.parse().unwrap();
            let digest = digest.parse().unwrap();
            let judged =
                vector.judge(&vector.document, &trust(vec![authority]), &repository, digest);
            let codes: Vec<_> = judged.rejected.iter().map(|one| one.code.as_str()).collect();
            assert!(judged.verified.is_empty(), "{}, {name}", vector.name);
            assert_eq!(codes, want, "{}, {name}", vector.name);
        }
    }
}

/// Of what is signed and of the signatures themselves not a bit can be changed, but for what
/// OpenPGP leaves open in its packets; that is the next test's.
#[test]
fn p2_no_bit_of_payload_or_signature_can_be_changed() {
    let _alone = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    for vector in all() {
        let trust = trust(vec![vector.authority()]);
        let [candidate] = <[Candidate; 1]>::try_from((vector.read)(&vector.document)).unwrap();
        for (at, twin) in twins_of(&candidate.signed).into_iter().enumerate() {
            let twin = Candidate { signed: twin, ..candidate.clone() };
            let opened = trust.open(&twin, &[]);
            let repository = vector.repository.parse().unwrap();
            let image = Image {
                repository: &repository,
                digest: vector.digest.parse().unwrap(),
                platform: None,
                config: None,
                equals: &[],
                layers: Layers::NotCompared,
            };
            let judged = trust.judge(&opened, &image, Timestamp::now());
            assert!(judged.verified.is_empty(), "{}, twin {at}", vector.name);
            assert!(!judged.rejected.is_empty(), "{}, twin {at}: in silence", vector.name);
            for rejected in judged.rejected {
                let codes: &[&str] = match twin.signed {
                    Signed::Jws(_) => &CERTIFIED,
                    _ => &["signature.unknown-key", "signature.malformed"],
                };
                assert!(
                    codes.contains(&rejected.code.as_str()),
                    "{}, twin {at}: {rejected:?}",
                    vector.name
                );
            }
        }
    }
}

/// The bytes of every document are flipped. Then it counts no longer; or the byte was one that
/// nobody signs, and what counts is what counted before:
///
/// - of a PKIX signature or an envelope, payload, payload type and signature are byte for byte
///   those of the vector, so that the flip was in what stands around them: JSON's spacing, names of
///   members that are not read, a key id, a certificate's text, bits of base64 that encode nothing;
/// - of an OpenPGP message, type, predicate, subject, signer and stated time are those of the
///   vector, so that the flip was in its armor (headers, checksum), in what a literal packet says of
///   a file (format, name, date), in a one-pass packet or in the area of a signature that its hash
///   leaves out.
#[test]
fn p2_no_flipped_byte_makes_another_attestation() {
    let _alone = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    for (number, vector) in all().iter().enumerate() {
        assert!(vector.document.len() < 16 * 1024, "{}", vector.name);
        // Occurrences differ in their wrapping, and Notation's signatures in their keys: all of them
        // together have each byte flipped.
        let alike = vector.note.is_some() || vector.kind == "notation";
        let (from, step) = if alike { (number % 5, 5) } else { (0, 1) };
        let bytes = (from..vector.document.len()).step_by(step);
        no_flipped_byte_makes_another(vector, bytes, |at| if at % 2 == 0 { 0x01 } else { 0x80 });
    }
}

/// The same for each byte of every document, by its lowest and by its highest bit.
#[test]
#[ignore = "needs minutes of a processor"]
fn p2_no_flipped_byte_of_any_makes_another_attestation() {
    let _alone = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    for vector in all() {
        for mask in [0x01, 0x80] {
            no_flipped_byte_makes_another(&vector, 0..vector.document.len(), |_| mask);
        }
    }
}

fn no_flipped_byte_makes_another(
    vector: &Vector,
    bytes: impl ExactSizeIterator<Item = usize>,
    mask: impl Fn(usize) -> u8,
) {
    let flips = bytes.len();
    let trust = trust(vec![vector.authority()]);
    let said = |document: &[u8]| {
        vector.judge_here(document, &trust).verified.iter().map(meaning).collect::<Vec<_>>()
    };
    let honest = said(&vector.document);
    let signed = signed_bytes(&(vector.read)(&vector.document));
    let mut stopped = 0;
    for at in bytes {
        let mut twin = vector.document.clone();
        twin[at] ^= mask(at);
        let signed_twin = signed_bytes(&(vector.read)(&twin));
        let said = said(&twin);
        assert!(said.is_empty() || said == honest, "{}: byte {at}: {said:#?}", vector.name);
        // Some say it twice, of which one may be flipped.
        assert!(
            said.is_empty() || signed.iter().all(|part| signed_twin.contains(part)),
            "{}: byte {at}: other bytes were signed",
            vector.name
        );
        stopped += usize::from(said.is_empty());
    }
    // Not more, since some evidence says everything twice.
    assert!(stopped * 4 > flips, "{}: {stopped} of {flips} stopped", vector.name);
}

#[test]
fn keyless_vectors_never_count_whatever_is_flipped() {
    let _alone = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    let key = || vec![Key::pkix(&fixture("cosign/cosign.pub")).unwrap()];
    let trust = trust(vec![authority("tool", key())]);
    for name in ["keyless-provenance.v0.1", "keyless-message.v0.3"] {
        let genuine = fixture(&format!("sigstore/{name}.json"));
        for at in (0..genuine.len()).step_by(11) {
            let mut twin = genuine.clone();
            twin[at] ^= 0x01;
            let Ok(signed) = countersign::attest::sigstore::read_bundle(&twin) else { continue };
            let opened = trust.open(&verify_support::candidate(signed), &[]);
            let judged = verify_support::judge_opened(&trust, &opened);
            assert!(judged.verified.is_empty(), "{name}: byte {at}");
            assert_eq!(judged.rejected.len(), 1, "{name}: byte {at}");
        }
    }
}

/// What an attestation says and who signed it, without where it was found.
fn meaning(one: &Verified) -> (Value, String, Option<Timestamp>) {
    let said = serde_json::json!([one.predicate_type(), one.predicate(), one.subject()]);
    (said, one.signer().fingerprint().to_string(), one.signed_at())
}

/// Payload type, payload and signatures, where they are told apart without reading packets.
fn signed_bytes(candidates: &[Candidate]) -> Vec<Vec<u8>> {
    candidates.iter().flat_map(|candidate| parts(&candidate.signed)).collect()
}

fn parts(signed: &Signed) -> Vec<Vec<u8>> {
    match signed {
        Signed::Raw { payload, signatures } => {
            // A message brings its payload along, whether it stands beside it or not. Armor says
            // what it is at its begin and at its end, one of which no flip reaches.
            if signatures.iter().any(|one| one.bytes.windows(3).any(|part| part == b"PGP")) {
                return Vec::new();
            }
            let bytes = signatures.iter().map(|one| one.bytes.to_vec());
            [payload.to_vec()].into_iter().chain(bytes).collect()
        }
        Signed::Dsse(envelope) => {
            let signatures = envelope.signatures().iter().map(|one| one.signature.to_vec());
            let (kind, payload) = (envelope.payload_type().into(), envelope.payload().to_vec());
            [kind, payload].into_iter().chain(signatures).collect()
        }
        Signed::Certified { signed, .. } => parts(signed),
        Signed::Jws(jws) => vec![jws.signed.to_vec(), jws.signature.to_vec()],
        Signed::OpenPgpMessage(_)
        | Signed::OpenPgpDetached(_)
        | Signed::Metadata { .. }
        | Signed::Unsupported { .. } => Vec::new(),
    }
}

/// The same evidence with one bit changed, in each byte of payload and signatures.
fn twins_of(signed: &Signed) -> Vec<Signed> {
    match signed {
        // Packets have bits that mean nothing.
        Signed::OpenPgpMessage(_) | Signed::OpenPgpDetached(_) => Vec::new(),
        Signed::Raw { payload, signatures } => {
            let [signature] = signatures.as_slice() else { panic!("one signature") };
            let with = |payload: Vec<u8>, bytes: Vec<u8>| Signed::Raw {
                payload: payload.into(),
                signatures: vec![RawSignature { bytes: bytes.into(), key_id: None }],
            };
            if signature.bytes.starts_with(b"-----BEGIN") {
                return flips(payload).map(|twin| with(twin, signature.bytes.to_vec())).collect();
            }
            flips(payload)
                .map(|twin| with(twin, signature.bytes.to_vec()))
                .chain(flips(&signature.bytes).map(|twin| with(payload.to_vec(), twin)))
                .collect()
        }
        Signed::Dsse(envelope) => {
            let [signature] = envelope.signatures() else { panic!("one signature") };
            let kind = envelope.payload_type();
            let with = |kind: &str, payload: Vec<u8>, signature: Vec<u8>| {
                let signature = EnvelopeSignature { key_id: None, signature: signature.into() };
                Signed::Dsse(Envelope::new(kind.to_owned(), payload.into(), vec![signature]))
            };
            let (payload, signature) = (envelope.payload(), &signature.signature);
            flips(payload)
                .map(|twin| with(kind, twin, signature.to_vec()))
                .chain(flips(signature).map(|twin| with(kind, payload.to_vec(), twin)))
                .chain(flips(kind.as_bytes()).map(|twin| {
                    with(&String::from_utf8_lossy(&twin), payload.to_vec(), signature.to_vec())
                }))
                .collect()
        }
        Signed::Certified { signed, .. } => twins_of(signed),
        Signed::Jws(jws) => {
            let with = |change: &dyn Fn(&mut Jws)| {
                let mut twin = jws.clone();
                change(&mut twin);
                Signed::Jws(twin)
            };
            let signed =
                flips(&jws.signed).map(|bytes| with(&|twin| twin.signed = bytes.clone().into()));
            let signature = flips(&jws.signature)
                .map(|bytes| with(&|twin| twin.signature = bytes.clone().into()));
            let chain = (0..jws.chain.len()).flat_map(|at| {
                let flipped = flips(&jws.chain[at]);
                flipped.map(move |bytes| with(&|twin| twin.chain[at] = bytes.clone().into()))
            });
            signed.chain(signature).chain(chain).collect()
        }
        Signed::Metadata { .. } | Signed::Unsupported { .. } => panic!("none of the vectors"),
    }
}

/// Of long ones a part: each byte of theirs is flipped in base64, too, by the test of documents.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let step = if bytes.len() > 256 { 17 } else { 1 };
    (0..bytes.len()).step_by(step).map(|at| {
        let mut twin = bytes.to_vec();
        twin[at] ^= 0x01;
        twin
    })
}

/// What becomes of a web signature with another bit: in its certificates, in what it covers.
const CERTIFIED: [&str; 5] = [
    "signature.certificate",
    "signature.invalid",
    "signature.malformed",
    "key.not-for-signing",
    "key.expired",
];

/// Vectors are told apart by their names.
#[test]
fn every_vector_has_a_name_of_its_own() {
    let mut names: Vec<_> = all().into_iter().map(|Vector { name, .. }| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Thousands of signatures are checked, by one test after another: tests beside them measure time.
static BUSY: Mutex<()> = Mutex::new(());
