//! Who made a signature, and what that is worth at one second.
//!
//! Judging an OpenPGP key walks its certificate, which costs as much as the rest of a warm
//! review. OpenPGP counts time in seconds, so the answer is the same for all reviews within one:
//! it is remembered with the claim, for that second and those keys, and asked anew after either.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;

use super::{
    Signer, Trust, describe,
    keys::{KeyName, Keys},
    open::Claim,
    standing::{Standing, Worthless},
};
use crate::name::Code;

/// The maker of a signature that is worth something.
#[derive(Debug)]
pub struct Maker {
    /// The authorities that have the key, by their place.
    pub holders: Vec<usize>,
    pub signer: Arc<Signer>,
    pub signed_at: Option<Timestamp>,
    /// Why the key signs no longer, where only `afterExpiry: signed-before` lets it count.
    pub ended: Option<String>,
}

/// The last answer for one claim. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Remembered(Arc<ArcSwapOption<Answer>>);

/// An answer with what it depends on.
#[derive(Debug)]
pub struct Answer {
    keys: Weak<Keys>,
    second: i64,
    pub maker: Result<Maker, Worthless>,
}

impl Trust {
    /// Who made a signature, and what that is worth now.
    pub(super) fn maker(&self, claim: &Claim, now: Timestamp) -> Arc<Answer> {
        let second = now.as_second();
        if let Some(known) = claim.maker.0.load_full()
            && known.second == second
            && std::ptr::eq(known.keys.as_ptr(), Arc::as_ptr(&self.keys))
        {
            return known;
        }
        let whole = Timestamp::from_second(second).unwrap_or(now);
        let answer = Arc::new(Answer {
            keys: Arc::downgrade(&self.keys),
            second,
            maker: find(&self.keys, claim, whole),
        });
        claim.maker.0.store(Some(Arc::clone(&answer)));
        answer
    }
}

fn find(keys: &Keys, claim: &Claim, now: Timestamp) -> Result<Maker, Worthless> {
    let gone = || Worthless {
        code: Code::SignatureUnknownKey,
        detail: "its key is no longer a key of any authority".to_owned(),
    };
    match (&claim.key, &claim.signature) {
        (KeyName::OpenPgp { cert, key }, Some(signature)) => {
            let held = keys.cert(cert).ok_or_else(gone)?;
            let Standing { signed_at, ended } = Standing::of(&held.key, key, signature, now)
                .map_err(|worthless| Worthless {
                    detail: format!("made by {cert}: {}", worthless.detail),
                    ..worthless
                })?;
            Ok(Maker {
                holders: held.holders.clone(),
                signer: Arc::new(Signer {
                    fingerprint: cert.to_string(),
                    subkey: key.to_string(),
                    key_id: Some(sequoia_openpgp::KeyID::from(key).to_string()),
                    user_ids: describe::user_ids(&held.key, now),
                    identity: *held.identity.as_bytes(),
                }),
                signed_at: Some(signed_at),
                ended,
            })
        }
        (KeyName::Pkix(name), _) => {
            let held = keys.pkix(*name).ok_or_else(gone)?;
            let fingerprint = name.to_string();
            Ok(Maker {
                holders: held.holders.clone(),
                signer: Arc::new(Signer {
                    subkey: fingerprint.clone(),
                    fingerprint,
                    key_id: None,
                    user_ids: Vec::new(),
                    identity: *held.identity.as_bytes(),
                }),
                signed_at: None,
                ended: None,
            })
        }
        (KeyName::OpenPgp { .. }, None) => Err(gone()),
    }
}
