//! Images on disk: OCI layouts in folders and tars, and archives of `docker save`.
//!
//! ```text
//! LayoutPlace ──▶ Layout ──▶ LayoutImage ──▶ documents and blobs, by digest
//!  oci:DIR        one pass    index.json,     measured and hashed,
//!  oci-archive:…  over a tar  manifest.json   read where they lie
//! ```
//!
//! [`LayoutWriter`] makes a layout in a folder, or adds to one; [`Packing`] makes a tar of it.
//!
//! Nothing is unpacked and no link is followed. All of this reads files and blocks: on an async
//! thread it belongs into `spawn_blocking`.

mod archive;
mod error;
mod files;
mod folder;
mod listing;
mod pack;
mod place;
mod section;
mod write;

use std::path::Path;

use bytes::Bytes;

pub use error::LayoutError;
pub use listing::{LayoutImage, LayoutRoot};
pub use pack::Packing;
pub use place::{BadLayoutPlace, LayoutPlace};
pub use section::LayoutBlob;
pub use write::{BlobFile, LayoutWriter};

use files::Files;

use crate::{
    attest::oci::{Descriptor, DescriptorError, Document},
    name::{Digest, escape},
};

/// An OCI layout or an archive of `docker save`, opened.
#[derive(Debug)]
pub struct Layout {
    files: Files,
    images: Vec<LayoutImage>,
}

impl Layout {
    /// Opens the layout in a folder.
    ///
    /// # Errors
    /// [`LayoutError`] says what is wrong with it.
    pub fn folder(path: &Path) -> Result<Self, LayoutError> {
        Self::of(Files::folder(path))
    }

    /// Opens the layout or the images of `docker save` in a tar. Its headers are read once; their
    /// number is all that it costs in memory.
    ///
    /// # Errors
    /// [`LayoutError`] says what is wrong with it.
    pub fn archive(path: &Path) -> Result<Self, LayoutError> {
        Self::of(Files::archive(path)?)
    }

    /// Opens whichever of the two lies there.
    ///
    /// # Errors
    /// [`LayoutError`] says what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        if path.is_dir() { Self::folder(path) } else { Self::archive(path) }
    }

    fn of(files: Files) -> Result<Self, LayoutError> {
        let images = listing::images(&files)?;
        Ok(Self { files, images })
    }

    /// What its list names: images, and whatever else was put there.
    pub fn images(&self) -> &[LayoutImage] {
        &self.images
    }

    /// The image of this name; without a name, the only one.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn image(&self, name: Option<&str>) -> Result<&LayoutImage, LayoutError> {
        let path = || self.files.path().to_owned();
        let found: Vec<&LayoutImage> = match name {
            Some(name) => self.images.iter().filter(|image| image.is_called(name)).collect(),
            None => self.images.iter().filter(|image| self.is_image(image)).collect(),
        };
        match found.as_slice() {
            [image] => Ok(image),
            [] => {
                let name = escape(name.unwrap_or("at all"), SHOWN);
                Err(LayoutError::NoImage { path: path(), name, has: self.has() })
            }
            [first, others @ ..] => match &first.root {
                // The same thing twice, under two names.
                LayoutRoot::Descriptor(one)
                    if others.iter().all(|other| {
                        matches!(&other.root, LayoutRoot::Descriptor(two) if one.digest == two.digest)
                    }) =>
                {
                    Ok(first)
                }
                _ => {
                    let count = found.len();
                    Err(LayoutError::Ambiguous { path: path(), count, has: self.has() })
                }
            },
        }
    }

    /// The descriptor of an image's manifest or index.
    ///
    /// # Errors
    /// The archive keeps no manifests.
    pub fn root<'a>(&self, image: &'a LayoutImage) -> Result<&'a Descriptor, LayoutError> {
        match &image.root {
            LayoutRoot::Descriptor(descriptor) => Ok(descriptor),
            LayoutRoot::ImageId(id) => {
                Err(LayoutError::NoManifest { path: self.files.path().to_owned(), id: *id })
            }
        }
    }

    /// The manifest or index that a descriptor means, and its bytes.
    ///
    /// Success proves that the bytes have its size and digest, and that every reader takes them for
    /// the same kind of document.
    ///
    /// # Errors
    /// They are not there, are others, too many, or no manifest.
    pub fn document(&self, descriptor: &Descriptor) -> Result<(Bytes, Document), LayoutError> {
        let bytes = self.blob(descriptor, LARGEST_DOCUMENT)?;
        match Document::parse(&bytes, &descriptor.media_type) {
            Ok(document) => Ok((bytes, document)),
            Err(source) => {
                let (path, digest) = (self.files.path().to_owned(), descriptor.digest);
                Err(LayoutError::Document { path, digest, source })
            }
        }
    }

    /// The bytes that a descriptor means, at most `cap` of them, measured and hashed.
    ///
    /// # Errors
    /// They are not there, are others, or too many.
    pub fn blob(&self, descriptor: &Descriptor, cap: u64) -> Result<Bytes, LayoutError> {
        let path = || self.files.path().to_owned();
        if descriptor.size > cap {
            return Err(LayoutError::TooMuch {
                path: path(),
                limit: cap,
                what: "bytes in one blob",
            });
        }
        let embedded = descriptor.embedded().map_err(|error| self.other(error))?;
        if let Some(bytes) = embedded {
            return Ok(bytes);
        }
        let (name, digest) = (blob_name(&descriptor.digest), descriptor.digest);
        let found = self.files.read(&name, cap)?;
        let bytes = found.ok_or_else(|| LayoutError::Missing { path: path(), digest })?;
        descriptor.check(&bytes).map_err(|error| self.other(error))?;
        Ok(bytes)
    }

    /// The bytes that a descriptor means, to be read piece by piece; see [`LayoutBlob`] for when
    /// they may be believed. `data` of the descriptor is not looked at.
    ///
    /// # Errors
    /// They are not there, or fewer or more than the descriptor says.
    pub fn reader(&self, descriptor: &Descriptor) -> Result<LayoutBlob, LayoutError> {
        let section = self.files.open(&blob_name(&descriptor.digest))?.ok_or_else(|| {
            let (path, digest) = (self.files.path().to_owned(), descriptor.digest);
            LayoutError::Missing { path, digest }
        })?;
        LayoutBlob::new(section, descriptor).map_err(|error| self.other(error))
    }

    /// Why a [`LayoutBlob`] of this layout could not be read to its end.
    pub fn unread(&self, error: std::io::Error) -> LayoutError {
        let path = self.files.path().to_owned();
        match error.downcast::<DescriptorError>() {
            Ok(source) => LayoutError::Descriptor { path, source },
            Err(source) => LayoutError::Read { path, source },
        }
    }

    /// The error of a cap that was hit.
    pub(super) fn too_much(&self, limit: u64, what: &'static str) -> LayoutError {
        LayoutError::TooMuch { path: self.files.path().to_owned(), limit, what }
    }

    fn other(&self, source: DescriptorError) -> LayoutError {
        LayoutError::Descriptor { path: self.files.path().to_owned(), source }
    }

    /// Whether somebody who names nothing can mean it. What cannot be read is not left out, so
    /// that its error is told.
    fn is_image(&self, image: &LayoutImage) -> bool {
        let LayoutRoot::Descriptor(descriptor) = &image.root else { return true };
        let document = self.document(descriptor).ok().map(|(_, document)| document);
        image.is_image(document.as_ref())
    }

    /// The names that there are, for people.
    fn has(&self) -> String {
        let names: Vec<String> = self
            .images
            .iter()
            .filter_map(|image| image.names.first())
            .take(NAMES_SHOWN)
            .map(|name| escape(name, SHOWN))
            .collect();
        if names.is_empty() {
            "it names none".into()
        } else {
            format!("it has {}", names.join(", "))
        }
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// Bytes of a manifest or an index, as for those of registries.
const LARGEST_DOCUMENT: u64 = 4 * 1024 * 1024;

/// How many names, and how much of each, a message shows.
const NAMES_SHOWN: usize = 8;
const SHOWN: usize = 120;
