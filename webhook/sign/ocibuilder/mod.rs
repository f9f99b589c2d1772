//! What ocibuilder wrote into its metadata store, from the same `metadata:` block.
//!
//! Three kinds of occurrence: a signature over the image ID, the image's layers, its build.
//! ocibuilder signs before it pushes, when there is no manifest yet, so it names the image by its
//! ID, the digest of its configuration. All three are written over that, and over the digest of the
//! manifest too, which gates look up.

mod file;
mod history;
mod image;
mod parts;

pub use file::{BadOciBuilder, KeyPlace, Kind, Notes, OciBuilder, Step};
pub use image::{BuildTimes, BuiltImage, NotItsBase};
pub use parts::{AnnotatedBase, BadConfig, ImageParts};
