//! All authorities of a configuration, and the keys they hold.

use std::sync::Arc;

use super::{Attests, Authority, Identity, LayersCheckedBy, Level, Verified, keys::Keys};

/// The authorities and their keys, checked against each other.
#[derive(Clone, Debug)]
pub struct Trust {
    authorities: Arc<[Authority]>,
    pub(super) keys: Arc<Keys>,
    shared: Arc<[(usize, usize, String)]>,
}

/// Why a set of authorities cannot be trusted as configured.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("two authorities are called {name:?}; give each its own name")]
    SameName { name: Arc<str> },
    #[error("authority {name:?} has no keys, so nothing could ever count for it; give it one")]
    NoKeys { name: Arc<str> },
    #[error("authority {name:?} attests nothing; leave `attests` out for simple signing")]
    AttestsNothing { name: Arc<str> },
    #[error(
        "authority {name:?} has `identities` beside `identity: digest`, which asks for no name; \
         leave one of them out"
    )]
    IdentitiesUnused { name: Arc<str> },
    #[error(
        "authorities {first:?} and {second:?} hold the same key {fingerprint}; give each its own, \
         or say `sharedKey: true` on both"
    )]
    SharedKey { first: Arc<str>, second: Arc<str>, fingerprint: String },
}

impl Trust {
    /// Takes the authorities together.
    ///
    /// # Errors
    /// [`TrustError`]: two of one name, one without keys or types, key material that two share
    /// without both saying so.
    pub fn new(authorities: Vec<Authority>) -> Result<Self, TrustError> {
        for (at, authority) in authorities.iter().enumerate() {
            let name = || Arc::clone(&authority.name);
            if authorities.iter().skip(at + 1).any(|other| other.name == authority.name) {
                return Err(TrustError::SameName { name: name() });
            }
            if authority.keys.is_empty() {
                return Err(TrustError::NoKeys { name: name() });
            }
            if authority.attests.is_empty() {
                return Err(TrustError::AttestsNothing { name: name() });
            }
            if authority.identity == Identity::Digest && !authority.identities.is_empty() {
                return Err(TrustError::IdentitiesUnused { name: name() });
            }
        }
        let keys = Keys::new(&authorities);
        let shared = keys.shared();
        for (first, second, fingerprint) in &shared {
            if let (Some(first), Some(second)) = (authorities.get(*first), authorities.get(*second))
                && !(first.shared_key && second.shared_key)
            {
                return Err(TrustError::SharedKey {
                    first: Arc::clone(&first.name),
                    second: Arc::clone(&second.name),
                    fingerprint: fingerprint.clone(),
                });
            }
        }
        Ok(Self { authorities: authorities.into(), keys: Arc::new(keys), shared: shared.into() })
    }

    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    pub fn authority(&self, name: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| &*authority.name == name)
    }

    /// Whether anything could count for an authority once the layers of an image are compared.
    pub fn asks_for_layers(&self) -> bool {
        self.authorities.iter().any(|authority| {
            authority.layers_checked_by == Some(LayersCheckedBy::Gate)
                && authority.attests.contains(&Attests::ImageId)
        })
    }

    /// Whether two authorities hold any key material in common. Those of one `attested` rule must
    /// not.
    pub fn share_keys(&self, first: &str, second: &str) -> bool {
        self.shared.iter().any(|(one, other, _)| {
            let names = [one, other].map(|at| self.authorities.get(*at).map(|found| &*found.name));
            names == [Some(first), Some(second)] || names == [Some(second), Some(first)]
        })
    }

    /// How many signers these authorities have together, by their keys' material (P10).
    pub fn signers(&self, names: &[&str]) -> usize {
        let of_named = |at: &usize| {
            self.authorities.get(*at).is_some_and(|authority| names.contains(&&*authority.name))
        };
        self.keys.signers(|holders| holders.iter().any(of_named))
    }

    /// The authorities whose signatures over an index cover a statement of this type inside it.
    ///
    /// Signing an index says that it works, which is not to vouch for what a builder put into it:
    /// that takes `embedded:<predicate type>`.
    pub fn cover_embedded(&self, verified: &[Verified], predicate_type: &str) -> Vec<Arc<str>> {
        let covers = |authority: &&Authority| {
            let embedded = Attests::Embedded(predicate_type.to_owned());
            authority.attests.contains(&embedded)
                && verified.iter().any(|one| {
                    one.authority() == &*authority.name && one.subject().level == Level::Index
                })
        };
        self.authorities.iter().filter(covers).map(|found| Arc::clone(&found.name)).collect()
    }
}
