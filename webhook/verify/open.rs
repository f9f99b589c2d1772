//! Opening evidence: whose keys made which signatures over what.
//!
//! Nothing here looks at a clock or at the image, so that the result may be kept. A parser that
//! panics on hostile bytes takes nothing else with it: that candidate is `signature.malformed`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use jiff::Timestamp;
use sequoia_openpgp::{packet::Signature, types::SignatureType};

use super::{
    Trust, armor,
    certified::Certified,
    keys::KeyName,
    message::{self, Message, with_crlf},
    payload::{Payload, SHARED, Unread},
    stated::Stated,
    verified::{MOST_DETAIL, Rejection},
};
use crate::{
    attest::{Candidate, Carrier, Envelope, RawSignature, Signed},
    name::{Code, Digest, NoteName, escape},
};

/// What [`Trust::open`] found in one candidate; worth keeping while the trust stays the same.
///
/// It names keys and does not hold them: judged by another trust, it counts for the keys that
/// that trust still has, as it has them.
#[derive(Debug)]
pub struct Opened {
    pub(super) source: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) format: &'static str,
    pub(super) note: Option<NoteName>,
    pub(super) recorded_at: Option<Timestamp>,
    pub(super) claims: Box<[Claim]>,
    pub(super) failures: Box<[(Code, String)]>,
    checks: usize,
    weight: usize,
}

/// One signature that verifies with one key.
#[derive(Debug)]
pub(super) struct Claim {
    pub key: Arc<KeyName>,
    pub proof: Proof,
    /// What was signed, or why that means nothing.
    pub payload: Arc<Result<Payload, String>>,
}

/// What of a signature is judged on each review.
#[derive(Debug)]
pub(super) enum Proof {
    OpenPgp(Stated),
    /// Nothing: it states no more than that it was made.
    Pkix,
    Certified(Box<Certified>),
}

impl Trust {
    /// Checks the signatures of a candidate against all keys.
    ///
    /// Crypto only, and dear: run it off the async threads. `image_ids` are the digests of the
    /// image's configurations, over which a detached OpenPGP signature may have been made.
    /// Success proves that a key made a signature over a payload; whether the key may, whether it
    /// still stands, and what the payload is about, [`Trust::judge`] tells.
    pub fn open(&self, candidate: &Candidate, image_ids: &[Digest]) -> Opened {
        let (claims, failures, checks) = guarded(|| {
            let mut opening = Opening::new(self);
            opening.candidate(&candidate.signed, image_ids);
            (opening.claims, opening.failures, opening.checks)
        })
        .unwrap_or_else(|| {
            let detail = "reading it crashed the parser, which is a bug; please report it";
            (Vec::new(), vec![(Code::SignatureMalformed, detail.to_owned())], 1)
        });
        let note = candidate.note.as_ref().map_or(0, |note| note.as_str().len());
        let beside = weight(&claims, &failures) + SHARED + candidate.name.len() + note;
        Opened {
            source: Arc::clone(&candidate.source),
            name: candidate.name.as_str().into(),
            format: candidate.signed.format(),
            note: candidate.note.clone(),
            recorded_at: candidate.recorded_at,
            claims: claims.into(),
            failures: failures.into(),
            checks,
            weight: size_of::<Opened>() + beside,
        }
    }
}

impl Opened {
    /// How many public-key operations it took, give or take the hashes that were tried.
    pub fn checks(&self) -> usize {
        self.checks
    }

    /// About how many bytes it occupies.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// About how many bytes the rejections for its failures occupy, wherever it is judged.
    pub fn told(&self) -> usize {
        let one = |(_, text): &(Code, String)| {
            size_of::<Rejection>() + self.name.len() + escape(text, MOST_DETAIL).len()
        };
        self.failures.iter().map(one).sum()
    }
}

/// The work on one candidate.
pub(super) struct Opening<'t> {
    pub trust: &'t Trust,
    pub claims: Vec<Claim>,
    failures: Vec<(Code, String)>,
    pub checks: usize,
}

impl<'t> Opening<'t> {
    fn new(trust: &'t Trust) -> Self {
        Self { trust, claims: Vec::new(), failures: Vec::new(), checks: 0 }
    }

    fn candidate(&mut self, signed: &Signed, image_ids: &[Digest]) {
        match signed {
            Signed::OpenPgpMessage(data) => self.message(data, None),
            Signed::OpenPgpDetached(data) => self.over_image_id(data, image_ids),
            Signed::Raw { payload, signatures } => self.raw(payload, signatures),
            Signed::Dsse(envelope) => self.dsse(envelope, Carrier::Dsse(envelope.payload_type())),
            Signed::Metadata { envelope, value } => {
                self.dsse(envelope, Carrier::Metadata(envelope.payload_type(), value));
            }
            Signed::Certified { holder, signed } => {
                self.candidate(signed, image_ids);
                self.certified(holder);
            }
            Signed::Jws(jws) => self.jws(jws),
            Signed::Unsupported { format, code, detail } => self
                .fail(*code, format!("{format} is not verified here: {}", escape(detail, SHOWN))),
        }
    }

    /// A signed OpenPGP message; where the payload travels beside it, both must be the same.
    fn message(&mut self, data: &[u8], beside: Option<&[u8]>) {
        let Message { literal, signatures } = match Message::parse(data) {
            Ok(message) => message,
            Err(bad) => return self.fail(Code::SignatureMalformed, bad.to_string()),
        };
        if beside.is_some_and(|payload| payload != literal) {
            let why = "the message inside the signature is not the payload beside it";
            return self.fail(Code::SignatureMalformed, why);
        }
        let payload = Unread::new(Carrier::Plain, &literal);
        for signature in signatures {
            self.openpgp(signature, &[literal.as_slice()], std::slice::from_ref(&payload));
        }
    }

    fn over_image_id(&mut self, data: &[u8], image_ids: &[Digest]) {
        let texts: Vec<String> = image_ids.iter().map(ToString::to_string).collect();
        let texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let payloads: Vec<_> = texts.iter().map(|text| Unread::new(Carrier::Plain, text)).collect();
        match message::detached(data) {
            Ok(signatures) => {
                for signature in signatures {
                    self.openpgp(signature, &texts, &payloads);
                }
            }
            Err(bad) => self.fail(Code::SignatureMalformed, bad.to_string()),
        }
    }

    fn raw(&mut self, payload: &[u8], signatures: &[RawSignature]) {
        let meaning = Unread::new(Carrier::Plain, payload);
        for RawSignature { bytes, .. } in signatures.iter().take(MAX_SIGNATURES) {
            if armor::is_wrapped(bytes) || Message::parse(bytes).is_ok() {
                self.message(bytes, Some(payload));
            } else {
                self.pkix(bytes, payload, &meaning);
            }
        }
        self.count(signatures.len());
    }

    fn dsse(&mut self, envelope: &Envelope, carrier: Carrier<'_>) {
        let signed = envelope.pae();
        let payload = Unread::new(carrier, envelope.payload());
        for one in envelope.signatures().iter().take(MAX_SIGNATURES) {
            let signatures = match message::detached(&one.signature) {
                Ok(signatures) => signatures,
                Err(bad) if armor::is_wrapped(&one.signature) => {
                    self.fail(Code::SignatureMalformed, bad.to_string());
                    continue;
                }
                Err(_) if Message::parse(&one.signature).is_ok() => {
                    let why = "a whole message where an envelope has a detached signature";
                    self.fail(Code::SignatureMalformed, why);
                    continue;
                }
                Err(_) => {
                    self.pkix(&one.signature, &signed, &payload);
                    continue;
                }
            };
            for signature in signatures {
                if signature.typ() == SignatureType::Binary {
                    self.openpgp(signature, &[signed.as_slice()], std::slice::from_ref(&payload));
                } else {
                    let why = "a signature of type text over a DSSE envelope";
                    self.fail(Code::SignatureMalformed, why);
                }
            }
        }
        self.count(envelope.signatures().len());
    }

    /// An OpenPGP signature over one of some texts, each with what it means.
    fn openpgp(&mut self, signature: Signature, texts: &[&[u8]], payloads: &[Unread<'_>]) {
        let issuers = signature.get_issuers();
        let keys: Vec<_> = issuers
            .iter()
            .flat_map(|issuer| self.trust.keys.named(issuer))
            .take(MAX_KEYS)
            .collect();
        if keys.is_empty() {
            let detail = match issuers.iter().map(ToString::to_string).max_by_key(String::len) {
                Some(issuer) => format!("made by {issuer}, which is a key of no authority"),
                None => "it does not say which key made it".to_owned(),
            };
            return self.fail(Code::SignatureUnknownKey, detail);
        }
        let stated = Stated::of(&signature);
        let before = self.claims.len();
        for key in keys {
            if self.claims.iter().skip(before).any(|claim| claim.key == key.name) {
                continue;
            }
            for (text, payload) in texts.iter().zip(payloads) {
                if self.spent() {
                    return;
                }
                self.checks += 1;
                let verifies = match signature.typ() {
                    SignatureType::Text => signature.verify_message(&key.key, with_crlf(text)),
                    _ => signature.verify_message(&key.key, text),
                };
                if verifies.is_ok() {
                    self.claims.push(Claim {
                        key: Arc::clone(&key.name),
                        proof: Proof::OpenPgp(stated.clone()),
                        payload: payload.read(),
                    });
                    break;
                }
            }
        }
        if self.claims.len() == before {
            let detail = match texts {
                [] => "the image's configuration, which it should be over, is not known",
                [_] => "it does not verify over its payload",
                _ => "it does not verify over the ID of any platform of this image",
            };
            self.fail(Code::SignatureInvalid, detail);
        }
    }

    /// A PKIX signature, which says nothing about who made it: every key is tried.
    fn pkix(&mut self, signature: &[u8], signed: &[u8], payload: &Unread<'_>) {
        let mut fits = false;
        for (name, held) in self.trust.keys.all_pkix() {
            if self.spent() {
                return;
            }
            self.checks += 1;
            if held.key.verifies(signed, signature) {
                fits = true;
                self.claims.push(Claim {
                    key: Arc::new(KeyName::Pkix(*name)),
                    proof: Proof::Pkix,
                    payload: payload.read(),
                });
            }
        }
        if !fits {
            self.fail(Code::SignatureUnknownKey, "none of the authorities' PKIX keys made it");
        }
    }

    /// Signatures that no key of ours made are those of the certificate beside them; whose it is
    /// is said of whatever else is wrong with them, too.
    fn certified(&mut self, holder: &str) {
        let holder = escape(holder, SHOWN);
        for (code, detail) in &mut self.failures {
            if *code == Code::SignatureUnknownKey {
                *code = Code::SignatureCertificate;
                *detail = format!(
                    "made with a certificate ({holder}), and certificates are not verified; \
                     sign with a key"
                );
            } else {
                detail.push_str(&format!(" (beside a certificate: {holder})"));
            }
        }
    }

    /// Whether the candidate has cost all that one may, which is told once.
    fn spent(&mut self) -> bool {
        let spent = self.checks >= MAX_CHECKS;
        let told = self.failures.iter().any(|(code, _)| *code == Code::EvidenceTooMuch);
        if spent && !told {
            self.fail(
                Code::EvidenceTooMuch,
                format!("more than {MAX_CHECKS} signature checks for one candidate"),
            );
        }
        spent
    }

    fn count(&mut self, signatures: usize) {
        if signatures > MAX_SIGNATURES {
            let detail = format!("{signatures} signatures, at most {MAX_SIGNATURES} are read");
            self.fail(Code::EvidenceTooMuch, detail);
        }
    }

    pub(super) fn fail(&mut self, code: Code, detail: impl Into<String>) {
        self.failures.push((code, detail.into()));
    }
}

/// Runs a parser over hostile bytes. A panic is the end of that candidate, not of the review.
fn guarded<T>(open: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(open)).ok()
}

/// What claims and failures occupy, each payload once.
fn weight(claims: &[Claim], failures: &[(Code, String)]) -> usize {
    let mut seen = None;
    let payloads = claims.iter().map(|claim| {
        let this = Arc::as_ptr(&claim.payload);
        if seen.replace(this) == Some(this) {
            return 0;
        }
        let beside = match &*claim.payload {
            Ok(payload) => payload.beside(),
            Err(why) => why.capacity(),
        };
        SHARED + size_of::<Result<Payload, String>>() + beside
    });
    let payloads: usize = payloads.sum();
    let texts: usize = failures.iter().map(|(_, text)| text.capacity()).sum();
    let proofs = claims.iter().map(|claim| match &claim.proof {
        Proof::Certified(certified) => certified.weight(),
        Proof::OpenPgp(_) | Proof::Pkix => 0,
    });
    let lists = size_of_val(failures) + size_of_val(claims);
    payloads + proofs.sum::<usize>() + texts + lists
}

/// The most signatures of one candidate.
const MAX_SIGNATURES: usize = 16;

/// The most keys that one signature is tried with; IDs of 64 bits may collide.
const MAX_KEYS: usize = 8;

/// The most signature checks for one candidate.
const MAX_CHECKS: usize = 256;

/// How much of outside text a detail quotes.
const SHOWN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p8_a_panic_ends_one_candidate() {
        assert_eq!(guarded(|| 1), Some(1));
        assert_eq!(guarded(|| -> i32 { panic!("as a parser might") }), None);
    }

    #[test]
    fn p8_what_no_key_of_ours_signed_is_not_read() {
        let trust = Trust::new(Vec::new()).unwrap();
        let mut opening = Opening::new(&trust);
        let payload = Unread::new(Carrier::Plain, b"{}");
        opening.pkix(b"no signature", b"{}", &payload);
        assert!(!payload.was_read());
        assert_eq!(opening.failures[0].0, Code::SignatureUnknownKey);
        assert!(payload.read().is_err(), "it means nothing");
    }
}
