//! What CI publishes: statements, signatures, uploads.

mod generate;
mod key;

pub use generate::{GeneratedKey, generate_key};
pub use key::{Passphrase, SigningFault, SigningKey, SigningKeyError};
