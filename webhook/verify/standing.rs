//! What an OpenPGP signature is worth at the time of a review.
//!
//! Two times matter. The *stated* one is the signer's word: the key must not have been expired or
//! retired by then. *Now* is the review's: the key must still be good, and its algorithms still
//! be accepted. Two policies of sequoia's serve: the strict one judges algorithms as of now. The
//! lenient one judges them as of long ago, so that a weak self-signature is told apart from a
//! missing one, and so that a revocation bites however weakly it is signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use sequoia_openpgp::{
    Cert, Fingerprint, KeyHandle,
    cert::{amalgamation::key::ErasedKeyAmalgamation, prelude::*},
    packet::key::PublicParts,
    policy::StandardPolicy,
    types::{PublicKeyAlgorithm, RevocationStatus, RevocationType},
};

use super::stated::Stated;
use crate::name::Code;

/// A signature that its key could make, and still stands by.
#[derive(Debug)]
pub struct Standing {
    /// The stated time.
    pub signed_at: Timestamp,
    /// Why the key signs no longer, where it has expired or was retired since. Its signatures
    /// count only for an authority that says `afterExpiry: signed-before`.
    pub ended: Option<String>,
}

/// Why a signature is worth nothing, in a code and in words.
#[derive(Debug)]
pub struct Worthless {
    pub code: Code,
    pub detail: String,
}

impl Standing {
    /// What a signature is worth that verifies with the key `key` of `cert`.
    ///
    /// # Errors
    /// [`Worthless`], whoever's authority it is for.
    pub fn of(
        cert: &Cert,
        key: &Fingerprint,
        signature: &Stated,
        now: Timestamp,
    ) -> Result<Self, Worthless> {
        let stated = signature
            .created
            .ok_or_else(|| worthless(Code::SignatureMalformed, "it states no time"))?;
        let now = system_time(now);
        if stated > now + CLOCK_SKEW {
            return Err(worthless(Code::SignatureInvalid, "it states a time in the future"));
        }
        let Some(key) = cert.keys().key_handle(KeyHandle::from(key)).next() else {
            return Err(worthless(Code::SignatureUnknownKey, "its key has left the certificate"));
        };
        let retired = revocation(cert, &key, now)?;
        can_sign(&key, now)?;
        is_strong(signature, &key, now)?;
        if signature.is_over(now) {
            return Err(worthless(Code::SignatureExpired, "it is past the expiry that it states"));
        }
        let expired = expiry_of(&key, now).filter(|end| *end <= now);
        let end = [retired, expired].into_iter().flatten().min();
        let was_good = match key.clone().with_policy(&lenient(), stated) {
            Ok(key) => key.alive().is_ok() && key.valid_cert().alive().is_ok() && key.for_signing(),
            // Self-signatures may be younger: gpg replaces them when an expiry is extended.
            Err(_) => true,
        };
        if !was_good || end.is_some_and(|end| end <= stated) {
            return Err(worthless(
                Code::KeyExpired,
                format!(
                    "its key {} was not valid at the time that it states",
                    key.key().fingerprint(),
                ),
            ));
        }
        let time = |at: SystemTime| Timestamp::try_from(at).unwrap_or(Timestamp::MIN);
        Ok(Self {
            signed_at: time(stated),
            ended: end.map(|end| {
                format!(
                    "its key {} expired or was retired at {}",
                    key.key().fingerprint(),
                    time(end)
                )
            }),
        })
    }
}

/// When the certificate or the key was retired or superseded, if it was.
///
/// # Errors
/// Revoked as compromised or without a reason: then no time that a signature states helps.
pub(super) fn revocation(
    cert: &Cert,
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    now: SystemTime,
) -> Result<Option<SystemTime>, Worthless> {
    let lenient = lenient();
    let mut retired = None;
    let subkey =
        cert.keys().subkeys().find(|sub| sub.key().fingerprint() == key.key().fingerprint());
    let subkey = subkey.as_ref().map(|sub| ("subkey", sub.revocation_status(&lenient, now)));
    let whole = ("certificate", cert.revocation_status(&lenient, now));
    for (what, status) in [whole].into_iter().chain(subkey) {
        let revocations = match status {
            RevocationStatus::Revoked(revocations) => revocations,
            // Somebody else's word, which the certificate asks to be taken, but which cannot be
            // verified without that key. To be wrong here must not be to let a stolen key sign.
            RevocationStatus::CouldBe(others) => {
                let designated: Vec<KeyHandle> = cert
                    .revocation_keys(&lenient)
                    .map(|key| KeyHandle::from(key.revoker().1.clone()))
                    .collect();
                others
                    .into_iter()
                    .filter(|other| {
                        let issuers = other.get_issuers();
                        issuers
                            .iter()
                            .any(|issuer| designated.iter().any(|key| key.aliases(issuer)))
                    })
                    .collect()
            }
            RevocationStatus::NotAsFarAsWeKnow => continue,
        };
        for revocation in revocations {
            let kind = revocation
                .reason_for_revocation()
                .map_or(RevocationType::Hard, |(reason, _)| reason.revocation_type());
            let at = revocation.signature_creation_time().unwrap_or(UNIX_EPOCH);
            match kind {
                RevocationType::Hard => {
                    return Err(worthless(
                        Code::KeyRevoked,
                        format!("its {what} was revoked as compromised, or without a reason"),
                    ));
                }
                RevocationType::Soft => retired = Some(retired.map_or(at, |first| at.min(first))),
            }
        }
    }
    Ok(retired)
}

/// Whether the certificate vouches for the key, and lets it sign.
fn can_sign(
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    now: SystemTime,
) -> Result<(), Worthless> {
    let refuse = |why: String| worthless(Code::KeyNotForSigning, why);
    let name = key.key().fingerprint();
    match key.clone().with_policy(&lenient(), now) {
        Ok(valid) if valid.for_signing() => Ok(()),
        Ok(_) => Err(refuse(format!("its certificate does not let key {name} sign"))),
        Err(_) => Err(refuse(format!("its certificate has no valid signature over key {name}"))),
    }
}

/// Whether the algorithms of the signature, the key and the certificate are still accepted.
fn is_strong(
    signature: &Stated,
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    now: SystemTime,
) -> Result<(), Worthless> {
    let weak = |why: String| worthless(Code::SignatureWeak, why);
    let strict = StandardPolicy::at(now);
    if !signature.understood {
        let why = "it carries something critical that is not known here";
        return Err(worthless(Code::SignatureInvalid, why));
    }
    if signature.is_weak(now) {
        return Err(weak(format!("it uses {}", signature.hash)));
    }
    if key.clone().with_policy(&strict, now).is_err() || is_dsa(key.key().pk_algo()) {
        let bits = key.key().mpis().bits().map(|bits| format!(" of {bits} bits"));
        return Err(weak(format!(
            "its key ({}{}) or the certificate's own signatures are no longer strong enough",
            key.key().pk_algo(),
            bits.unwrap_or_default(),
        )));
    }
    Ok(())
}

/// When the key or its certificate expired or will.
pub(super) fn expiry_of(
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    now: SystemTime,
) -> Option<SystemTime> {
    let lenient = lenient();
    let valid = key.clone().with_policy(&lenient, now).ok()?;
    let primary = valid.valid_cert().primary_key().key_expiration_time();
    [primary, valid.key_expiration_time()].into_iter().flatten().min()
}

/// Judges algorithms as of long ago, when all of them were accepted.
pub fn lenient() -> StandardPolicy<'static> {
    StandardPolicy::at(UNIX_EPOCH)
}

/// The time as sequoia takes it; what cannot be said so is long ago.
pub fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::try_from(time).unwrap_or(UNIX_EPOCH)
}

#[expect(deprecated, reason = "the point is to recognize the deprecated algorithm")]
pub(super) fn is_dsa(algorithm: PublicKeyAlgorithm) -> bool {
    algorithm == PublicKeyAlgorithm::DSA
}

fn worthless(code: Code, detail: impl Into<String>) -> Worthless {
    Worthless { code, detail: detail.into() }
}

/// How far the signer's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_mins(5);
