//! Keys of people and builders, made with sequoia directly.

mod notary;
mod openpgp;
mod pkix;
mod sign;

pub use notary::Notary;
pub use openpgp::{Key, KeyOptions, Revocation, keyring, keyring_armored};
pub use pkix::PkixKey;
pub use sign::Signing;
