//! What CI publishes: statements, signatures, uploads.
//!
//! ```text
//! Entry: image, claims, records ──Publisher──▶ Receipts: what stands where, what does not and why
//!                 │                    │
//!              Signer            Standing: what was said before
//! ```

mod artifact;
mod attestation;
pub mod build;
mod folder;
mod generate;
pub mod images;
mod key;
mod metadata;
mod notes;
mod occurrence;
pub mod ocibuilder;
mod packed;
mod payload;
mod platforms;
mod present;
mod publish;
mod receipt;
mod record;
mod run;
mod standing;
pub mod vulnerability;

use crate::source::PATIENCE;

pub use artifact::{Artifact, Layer};
pub use attestation::Attestation;
pub use folder::{Folder, FolderError, Unpacked};
pub use generate::{GeneratedKey, generate_key};
pub use key::{AgentKey, Passphrase, PemKey, Signer, SigningFault, SigningKey, SigningKeyError};
pub use metadata::{MetadataDraft, MetadataWriter, PlacedMetadata};
pub use packed::BadPacked;
pub use payload::{BadPredicateType, Claim, PredicateType};
pub use platforms::with_platforms;
pub use publish::{Destinations, Entry, Publisher, StoreDestination};
pub use receipt::{Publication, PublishError, Receipt};
pub use record::{Record, RecordKind, RecordNote};
pub use run::Stop;
