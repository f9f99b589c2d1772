//! Who made a signature, and what that is worth at one second: OpenPGP counts time in seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{
    Signer, Trust, describe,
    keys::{KeyName, Keys},
    open::{Claim, Proof},
    standing::{Standing, Worthless},
    subject::Subject,
};
use crate::name::Code;

/// The maker of a signature that is worth something.
#[derive(Debug)]
pub struct Maker {
    /// The authorities that have the key, by their place.
    pub holders: Arc<[usize]>,
    pub signer: Arc<Signer>,
    pub signed_at: Option<Timestamp>,
    /// Why the key signs no longer, where only `afterExpiry: signed-before` lets it count.
    pub ended: Option<String>,
    /// Whom the certificate of its key is for, if it is a root that is held.
    pub subject: Option<Subject>,
}

/// The signers of all answers as they are now, each once however many signatures it made.
#[derive(Debug, Default)]
pub struct Signers(Mutex<HashMap<Arc<KeyName>, Seen>>);

/// As of which second a signer is what it is.
#[derive(Debug)]
struct Seen {
    second: i64,
    signer: Arc<Signer>,
}

impl Signers {
    /// The signer whose key `name` is, as of `second`; made by `make` where that is not known.
    fn at(&self, name: &Arc<KeyName>, second: i64, make: impl FnOnce() -> Signer) -> Arc<Signer> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = known.get_mut(name) {
            if seen.second != second {
                let made = make();
                seen.second = second;
                if *seen.signer != made {
                    seen.signer = Arc::new(made);
                }
            }
            return Arc::clone(&seen.signer);
        }
        let signer = Arc::new(make());
        known.insert(Arc::clone(name), Seen { second, signer: Arc::clone(&signer) });
        signer
    }
}

impl Trust {
    /// Who made a signature, and what that is worth now.
    pub(super) fn maker(&self, claim: &Claim, now: Timestamp) -> Result<Maker, Worthless> {
        let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
        find(&self.keys, claim, whole)
    }
}

fn find(keys: &Keys, claim: &Claim, now: Timestamp) -> Result<Maker, Worthless> {
    let gone = || Worthless {
        code: Code::SignatureUnknownKey,
        detail: "its key is no longer a key of any authority".to_owned(),
    };
    match (&*claim.key, &claim.proof) {
        (KeyName::OpenPgp { cert, key }, Proof::OpenPgp(signature)) => {
            let held = keys.cert(cert).ok_or_else(gone)?;
            let Standing { signed_at, ended } = Standing::of(&held.key, key, signature, now)
                .map_err(|worthless| Worthless {
                    detail: format!("made by {cert}: {}", worthless.detail),
                    ..worthless
                })?;
            Ok(Maker {
                holders: Arc::clone(&held.holders),
                signer: keys.seen.at(&claim.key, now.as_second(), || Signer {
                    fingerprint: cert.to_string(),
                    subkey: key.to_string(),
                    key_id: Some(sequoia_openpgp::KeyID::from(key).to_string()),
                    user_ids: describe::user_ids(&held.key, now),
                    identity: *held.identity.as_bytes(),
                }),
                signed_at: Some(signed_at),
                ended,
                subject: None,
            })
        }
        (KeyName::Pkix(name), Proof::Pkix) => {
            let held = keys.pkix(*name).ok_or_else(gone)?;
            Ok(Maker {
                holders: Arc::clone(&held.holders),
                signer: keys.seen.at(&claim.key, now.as_second(), || Signer {
                    subkey: name.to_string(),
                    fingerprint: name.to_string(),
                    key_id: None,
                    user_ids: Vec::new(),
                    identity: *held.identity.as_bytes(),
                }),
                signed_at: None,
                ended: None,
                subject: None,
            })
        }
        (KeyName::Certified { root, leaf }, Proof::Certified(certified)) => {
            let held = keys.root(*root).ok_or_else(gone)?;
            let subject = &certified.subject;
            certified.stand(now).map_err(|worthless| Worthless {
                detail: format!("made with a certificate ({subject}): {}", worthless.detail),
                ..worthless
            })?;
            Ok(Maker {
                holders: Arc::clone(&held.holders),
                signer: keys.seen.at(&claim.key, now.as_second(), || Signer {
                    fingerprint: leaf.to_string(),
                    subkey: certified.key.to_string(),
                    key_id: None,
                    user_ids: vec![subject.to_string()],
                    identity: *keys.identity(certified.material).as_bytes(),
                }),
                signed_at: Some(certified.signed_at),
                ended: None,
                subject: Some(subject.clone()),
            })
        }
        // A name and a proof of different kinds are never put together.
        _ => Err(gone()),
    }
}
