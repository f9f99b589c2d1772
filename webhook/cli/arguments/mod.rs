//! Arguments that several commands share: keys, registries, stores.

mod image;
mod keys;
mod login;
mod registry;
mod store;
mod trust;

use std::path::PathBuf;

use bytes::Bytes;

use super::{Failure, input};
use crate::config::LARGEST_FILE;

pub use crate::source::PATIENCE;

pub use image::ImageArgument;
pub use keys::KeyArguments;
pub use registry::RegistryArguments;
pub use store::{FILED, NOTED, STORED, StoreArguments};
pub use trust::TrustArguments;

fn pem(file: Option<&PathBuf>) -> Result<Option<Bytes>, Failure> {
    let read = |file: &PathBuf| {
        input::read(file, LARGEST_FILE)
            .map(Bytes::from)
            .map_err(|error| Failure::failed(format!("cannot read {}", file.display()), error))
    };
    file.map(read).transpose()
}
