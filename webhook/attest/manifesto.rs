//! What Manifesto (2017) left in registries: a tag whose image holds a list of metadata.
//!
//! `docker build` made the image from one file: its last layer is a tar, gzipped or not, of the
//! regular file `data`, which is JSON that names values by digest, for each image of the
//! repository. Nothing of it is signed, and whoever may push can write it, so it is read as
//! narrowly as Manifesto wrote it.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tar::{Archive, EntryType};

use super::json::{BadJson, parse_json};
use crate::name::{Digest, escape};

/// The tag of the list.
pub const TAG: &str = "_manifesto";

/// Most bytes of the layer that holds the list.
pub const LARGEST_LAYER: u64 = 4 * 1024 * 1024;

/// What Manifesto knew about the images of one repository: for each image, values by type.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManifestoIndex {
    images: BTreeMap<Digest, BTreeMap<String, Digest>>,
}

/// Why an image is none that Manifesto made.
#[derive(Debug, thiserror::Error)]
pub enum BadManifesto {
    #[error("its image has no layers")]
    NoLayers,
    #[error("its layer is no tar: {0}")]
    Tar(io::Error),
    #[error("its layer has more than {LARGEST_UNPACKED} bytes unpacked")]
    Bomb,
    #[error("its layer holds {name:?}, {why}")]
    Entry { name: String, why: &'static str },
    #[error("its layer holds no file `data`")]
    NoData,
    #[error("its list is {0}")]
    Json(#[from] BadJson),
    #[error("its list has another form: {0}")]
    Shape(serde_json::Error),
    #[error("its list names {0:?}, which is no digest")]
    Digest(String),
    #[error("its list has two values of type {kind:?} for {image}")]
    Twice { image: Digest, kind: String },
    #[error("its list has more than {MOST_ENTRIES} entries")]
    TooMany,
}

impl ManifestoIndex {
    /// Reads the list out of the layer that holds it.
    ///
    /// # Errors
    /// [`BadManifesto`] says in which way it is not what Manifesto wrote.
    pub fn of_layer(layer: &[u8]) -> Result<Self, BadManifesto> {
        Self::parse(&data(layer)?)
    }

    /// Reads the list. Digests with and without their algorithm are taken, as both were written.
    ///
    /// # Errors
    /// [`BadManifesto`].
    pub fn parse(data: &[u8]) -> Result<Self, BadManifesto> {
        let json = parse_json(data, LARGEST_UNPACKED)?;
        let wire: Wire = serde_json::from_value(json).map_err(BadManifesto::Shape)?;
        let mut index = Self::default();
        let mut entries = 0;
        for WireImage { image_digest, manifesto } in wire.images {
            let image = digest(&image_digest)?;
            let values = index.images.entry(image).or_default();
            for WireEntry { kind, digest: value } in manifesto {
                entries += 1;
                if entries > MOST_ENTRIES {
                    return Err(BadManifesto::TooMany);
                }
                let value = digest(&value)?;
                if values.insert(kind.clone(), value).is_some_and(|other| other != value) {
                    return Err(BadManifesto::Twice { image, kind: escape(&kind, SHOWN) });
                }
            }
        }
        Ok(index)
    }

    /// The images that it knows something about.
    pub fn images(&self) -> impl Iterator<Item = Digest> {
        self.images.keys().copied()
    }

    /// The types and values of one image.
    pub fn of(&self, image: Digest) -> impl Iterator<Item = (&str, Digest)> {
        let values = self.images.get(&image).into_iter().flatten();
        values.map(|(kind, value)| (kind.as_str(), *value))
    }
}

/// The file `data` of a layer.
///
/// # Errors
/// The layer holds anything else, or too much.
pub fn data(layer: &[u8]) -> Result<Vec<u8>, BadManifesto> {
    let mut tar = Vec::new();
    let cap = LARGEST_UNPACKED as u64 + 1;
    if layer.starts_with(&GZIP) {
        MultiGzDecoder::new(layer).take(cap).read_to_end(&mut tar).map_err(BadManifesto::Tar)?;
    } else {
        layer.take(cap).read_to_end(&mut tar).map_err(BadManifesto::Tar)?;
    }
    if tar.len() > LARGEST_UNPACKED {
        return Err(BadManifesto::Bomb);
    }
    let mut found = None;
    let mut archive = Archive::new(tar.as_slice());
    for entry in archive.entries().map_err(BadManifesto::Tar)? {
        let mut entry = entry.map_err(BadManifesto::Tar)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refused = |why| BadManifesto::Entry { name: escape(&name, SHOWN), why };
        match (name.as_str(), entry.header().entry_type()) {
            ("data" | "./data", EntryType::Regular) if found.is_none() => {
                if entry.size() > tar.len() as u64 {
                    return Err(refused("which is longer than the layer"));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(BadManifesto::Tar)?;
                if bytes.len() as u64 != entry.size() {
                    return Err(refused("which is cut"));
                }
                found = Some(bytes);
            }
            ("data" | "./data", EntryType::Regular) => return Err(refused("a second time")),
            ("data" | "./data", _) => return Err(refused("which is no regular file")),
            ("." | "./", EntryType::Directory) => {}
            _ => return Err(refused("which Manifesto does not write")),
        }
    }
    found.ok_or(BadManifesto::NoData)
}

#[derive(Deserialize)]
struct Wire {
    images: Vec<WireImage>,
}

#[derive(Deserialize)]
struct WireImage {
    image_digest: String,
    #[serde(default)]
    manifesto: Vec<WireEntry>,
}

#[derive(Deserialize)]
struct WireEntry {
    #[serde(rename = "type")]
    kind: String,
    digest: String,
}

fn digest(text: &str) -> Result<Digest, BadManifesto> {
    let bare = || format!("sha256:{text}").parse();
    text.parse().or_else(|_| bare()).map_err(|_| BadManifesto::Digest(escape(text, SHOWN)))
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Most bytes of the layer once it is unpacked.
const LARGEST_UNPACKED: usize = 8 * 1024 * 1024;

/// More metadata than anybody kept in one repository.
const MOST_ENTRIES: usize = 10_000;

/// How much of outside text a reason quotes.
const SHOWN: usize = 100;
