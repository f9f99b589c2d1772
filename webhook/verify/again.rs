//! Whether what one set of keys opened is what another would.

use std::sync::Arc;

use sequoia_openpgp::KeyID;

use super::{
    Opened, Trust,
    keys::{KeyName, Keys},
    open::Claim,
};
use crate::name::Code;

impl Trust {
    /// Whether opening a candidate once more, by the keys held now, would end as it did by those
    /// of `earlier`. Then what it came to may be kept although keyrings have changed: what a key is
    /// worth now, [`Trust::judge`] decides anyway.
    ///
    /// It would not where a key has gone that made one of its signatures, nor where one has come
    /// that may have made one.
    pub fn opens_alike(&self, opened: &Opened, earlier: &Self) -> bool {
        if Arc::ptr_eq(&self.keys, &earlier.keys) {
            return true;
        }
        let (claims, failures) = (&opened.claims, &opened.failures);
        let open_to_more = failures.iter().any(|(code, _)| WITHOUT_KEY.contains(code));
        let mut come = self.keys.names().filter(|name| !earlier.keys.has(name));
        claims.iter().all(|claim| self.keys.has(&claim.key))
            && come.all(|key| !open_to_more && !claims.iter().any(|one| may_have_made(&key, one)))
    }
}

/// Failures that another key could mend.
const WITHOUT_KEY: [Code; 4] = [
    Code::SignatureUnknownKey,
    Code::SignatureCertificate,
    Code::SignatureInvalid,
    Code::EvidenceTooMuch,
];

/// Whether a key would be tried with the signature of a claim, which another key is known to have
/// made: the same key may be in two certificates, and an ID of 64 bits may collide.
fn may_have_made(name: &KeyName, claim: &Claim) -> bool {
    match (name, &*claim.key) {
        (KeyName::OpenPgp { key, .. }, KeyName::OpenPgp { key: made, .. }) => {
            KeyID::from(key) == KeyID::from(made)
        }
        (KeyName::Pkix(_), KeyName::Pkix(_)) => true,
        _ => false,
    }
}

impl Keys {
    /// The names of all keys, roots' own among them.
    fn names(&self) -> impl Iterator<Item = KeyName> {
        let openpgp = self.certs().flat_map(|(cert, held)| {
            let keys = held.key.keys();
            keys.map(move |key| KeyName::OpenPgp {
                cert: cert.clone(),
                key: key.key().fingerprint(),
            })
        });
        let roots =
            self.all_roots().map(|(root, _)| KeyName::Certified { root: *root, leaf: *root });
        openpgp.chain(self.all_pkix().map(|(name, _)| KeyName::Pkix(*name))).chain(roots)
    }

    /// Whether a key of this name is held.
    fn has(&self, name: &KeyName) -> bool {
        match name {
            KeyName::Pkix(name) => self.pkix(*name).is_some(),
            KeyName::Certified { root, .. } => self.root(*root).is_some(),
            KeyName::OpenPgp { cert, key } => self
                .cert(cert)
                .is_some_and(|held| held.key.keys().any(|known| known.key().fingerprint() == *key)),
        }
    }
}
