//! Signatures by the keys of certificates under an authority's roots: Notation's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::SubjectPublicKeyInfoDer;

use super::{
    chain::Chain,
    keys::KeyName,
    material::Material,
    open::{Claim, Opening, Proof},
    payload::read,
    pkix::PkixKey,
    root::fingerprint,
    standing::Worthless,
    subject::Subject,
};
use crate::{
    attest::{Carrier, Jws, certificate::describe},
    name::{Code, Fingerprint, escape},
};

/// A signature that holds under a root, and what is judged of it on each review.
#[derive(Debug)]
pub struct Certified {
    /// Of the key that made it.
    pub key: Fingerprint,
    pub material: Material,
    /// Whom its certificate is for.
    pub subject: Subject,
    /// When it was made, by its own word.
    pub signed_at: Timestamp,
    expiry: Option<Timestamp>,
    /// When all certificates up to the root are valid.
    from: Timestamp,
    until: Timestamp,
}

impl Certified {
    /// Whether it counts at `now`.
    ///
    /// All of its certificates must be valid, at the time that it states and now: nobody but the
    /// signer vouches for the former, and no lists of revoked ones are read, so that an end is the
    /// only bound on a key that was stolen.
    ///
    /// # Errors
    /// [`Worthless`], whoever's authority it is for.
    pub fn stand(&self, now: Timestamp) -> Result<(), Worthless> {
        let Self { signed_at, from, until, .. } = self;
        let worthless = |code, detail| Err(Worthless { code, detail });
        if *signed_at > now.saturating_add(CLOCK_SKEW).unwrap_or(now) {
            return worthless(Code::SignatureInvalid, "it states a time in the future".to_owned());
        }
        if now < *from {
            let detail = format!("its certificates are valid from {from} on");
            return worthless(Code::KeyNotForSigning, detail);
        }
        if now > *until {
            let detail = format!("its certificates were valid until {until}");
            return worthless(Code::KeyExpired, detail);
        }
        if signed_at < from || signed_at > until {
            let detail = "its certificates were not valid at the time that it states".to_owned();
            return worthless(Code::KeyExpired, detail);
        }
        match self.expiry {
            Some(expiry) if now >= expiry => {
                worthless(Code::SignatureExpired, format!("it is past its own expiry, {expiry}"))
            }
            _ => Ok(()),
        }
    }

    /// Bytes that it occupies.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.subject.weight()
    }
}

impl Opening<'_> {
    /// A signature under one of the roots, or under none.
    pub(super) fn jws(&mut self, jws: &Jws) {
        if let Err(Worthless { code, detail }) = self.certified_by_root(jws) {
            self.fail(code, detail);
        }
    }

    fn certified_by_root(&mut self, jws: &Jws) -> Result<(), Worthless> {
        let leaf = jws.chain.first().map(|leaf| &**leaf).unwrap_or_default();
        let holder = escape(&describe(leaf), SHOWN);
        let by = |worthless: Worthless| Worthless {
            detail: format!("made with a certificate ({holder}): {}", worthless.detail),
            ..worthless
        };
        let last = jws.chain.last().map(|last| &**last).unwrap_or_default();
        let Some((root, _)) = self.trust.keys.all_roots().find(|(_, held)| held.key.is(last))
        else {
            let detail = format!(
                "made with a certificate ({holder}) that is under no root of any authority; name \
                 its root as `x509`, or sign with a key"
            );
            return Err(Worthless { code: Code::SignatureCertificate, detail });
        };
        let root = *root;
        self.checks += jws.chain.len();
        let Chain { leaf: certificate, from, until } = Chain::follow(&jws.chain).map_err(by)?;
        let info = SubjectPublicKeyInfoDer::from(certificate.key.as_slice());
        let malformed = |detail: String| by(Worthless { code: Code::SignatureMalformed, detail });
        let key = PkixKey::from_der(&info).map_err(|error| malformed(error.to_string()))?;
        if key.jws_algorithm() != Some(jws.algorithm) {
            let detail = format!("its key is {}, and not one of {:?}", key.kind(), jws.algorithm);
            return Err(malformed(detail));
        }
        if !key.verifies_jws(&jws.signed, &jws.signature) {
            let detail = "it does not verify over its payload".to_owned();
            return Err(by(Worthless { code: Code::SignatureInvalid, detail }));
        }
        let certified = Certified {
            key: key.fingerprint(),
            material: key.material(),
            subject: Subject::new(certificate.attributes),
            signed_at: jws.signing_time,
            expiry: jws.expiry,
            from,
            until,
        };
        self.claims.push(Claim {
            key: Arc::new(KeyName::Certified { root, leaf: fingerprint(leaf) }),
            proof: Proof::Certified(Box::new(certified)),
            payload: read(Carrier::Jws(&jws.content_type), &jws.payload),
        });
        Ok(())
    }
}

/// How far the clocks of signers may be ahead.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How much of outside text a detail quotes.
const SHOWN: usize = 256;
