//! Carrying evidence along with an image, or taking it off.
//!
//! ```text
//! Origin ──Graph──▶ image, its parts, evidence on them, evidence on that ──copy──▶ Destination
//!                                                                       └─detach─▶ gone
//! ```
//!
//! What hangs on an image is found as others find it: the referrers API, fallback tags, cosign's
//! tags. Bytes are carried as they are, so every digest stays; nothing is verified but those.

mod destination;
mod error;
mod flow;
mod folder;
mod graph;
mod kind;
mod layout;
mod origin;
mod registry;
mod remove;
mod transfer;
mod walk;

use super::PATIENCE;

pub use destination::Destination;
pub use error::CarryError;
pub use graph::{Graph, Item, Note};
pub use kind::Fit;
pub use origin::Origin;
pub use remove::{Removed, detach};
pub use transfer::{Copied, CopiedManifest, CopyOptions, Observer, Step, Tally, copy};

/// Manifests and lists that are asked for at a time.
const AT_A_TIME: usize = 8;
