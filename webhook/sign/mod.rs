//! What CI publishes: statements, signatures, uploads.

mod artifact;
mod generate;
pub mod images;
mod key;
mod occurrence;
mod payload;
mod publish;

pub use artifact::Artifact;
pub use generate::{GeneratedKey, generate_key};
pub use key::{Passphrase, SigningFault, SigningKey, SigningKeyError};
pub use payload::{BadPredicateType, Claim, PredicateType};
pub use publish::{Destinations, Publication, PublishError, Publisher, Receipt, StoreDestination};
