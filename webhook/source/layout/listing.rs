//! Which images a layout holds, and under which names.
//!
//! Names are hints of whoever wrote the layout: they choose an image, the digest says what it is.

use serde::Deserialize;

use super::{LayoutError, files::Files};
use crate::{
    attest::oci::{Descriptor, Document, Index, Manifest, media_type::OCI_INDEX},
    name::{Digest, ImageRef},
};

/// One entry of a layout's index, or one image of an archive for Docker.
#[derive(Clone, Debug)]
pub struct LayoutImage {
    /// What it is called: whole references and bare tags.
    pub names: Vec<String>,
    /// What it is.
    pub root: LayoutRoot,
}

/// What an image on disk can be identified by.
#[derive(Clone, Debug)]
pub enum LayoutRoot {
    /// Its manifest or index, as a registry would keep it.
    Descriptor(Box<Descriptor>),
    /// Its config alone: an archive without manifests, whose layers were unpacked. Its digest in a
    /// registry cannot be told.
    ImageId(Digest),
}

impl LayoutImage {
    /// Whether `name` means it: one of its names, the same reference in another spelling, or its
    /// digest.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let same = |own: &String| {
            let references = [own.as_str(), name].map(|text| text.parse::<ImageRef>().ok());
            own == name
                || matches!(&references, [Some(own), Some(other)]
                    if own.repository() == other.repository()
                        && own.tag() == other.tag()
                        && own.digest() == other.digest())
        };
        self.names.iter().any(same) || self.digest().to_string() == name
    }

    /// Whether an entry is what somebody builds and saves, rather than what hangs on such a thing:
    /// a referrer, or a signature under a tag made of a digest.
    pub(super) fn is_image(&self, document: Option<&Document>) -> bool {
        let LayoutRoot::Descriptor(descriptor) = &self.root else { return true };
        let config = |manifest: &Manifest| manifest.config.media_type.contains("image");
        let whole = match document {
            Some(Document::Manifest(manifest)) => {
                manifest.subject.is_none() && manifest.artifact_type.is_none() && config(manifest)
            }
            Some(Document::Index(Index { artifact_type, subject, .. })) => {
                artifact_type.is_none() && subject.is_none()
            }
            None => true,
        };
        whole && descriptor.artifact_type.is_none() && !self.names.iter().any(|name| hangs_on(name))
    }

    fn digest(&self) -> Digest {
        match &self.root {
            LayoutRoot::Descriptor(descriptor) => descriptor.digest,
            LayoutRoot::ImageId(id) => *id,
        }
    }
}

/// The images that the files of a layout list.
///
/// # Errors
/// There is no list, or it is none.
pub fn images(files: &Files) -> Result<Vec<LayoutImage>, LayoutError> {
    match files.read("index.json", LARGEST_LIST)? {
        Some(index) => {
            check_version(files)?;
            from_index(files, &index)
        }
        None => from_docker(files),
    }
}

fn check_version(files: &Files) -> Result<(), LayoutError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        image_layout_version: String,
    }
    let file = "oci-layout";
    let other = |why| LayoutError::Other { path: files.path().to_owned(), why };
    let bytes = files.read(file, LARGEST_VERSION)?.ok_or_else(|| other("no file `oci-layout`"))?;
    let version: Version = json(files, file, &bytes)?;
    if version.image_layout_version != "1.0.0" {
        return Err(other("a version of the layout that is not 1.0.0"));
    }
    Ok(())
}

fn from_index(files: &Files, bytes: &[u8]) -> Result<Vec<LayoutImage>, LayoutError> {
    let index = match Document::parse(bytes, OCI_INDEX) {
        Ok(Document::Index(index)) => index,
        Ok(Document::Manifest(_)) => {
            let why = "its index.json is a manifest";
            return Err(LayoutError::Other { path: files.path().to_owned(), why });
        }
        Err(source) => {
            let digest = Digest::sha256(bytes);
            return Err(LayoutError::Document { path: files.path().to_owned(), digest, source });
        }
    };
    let named = |descriptor: &Descriptor| {
        let mut names: Vec<String> = NAMES
            .iter()
            .filter_map(|annotation| descriptor.annotations.get(*annotation))
            .cloned()
            .collect();
        names.dedup();
        names
    };
    let images = index.manifests.into_iter().map(|descriptor| LayoutImage {
        names: named(&descriptor),
        root: LayoutRoot::Descriptor(Box::new(descriptor)),
    });
    capped(files, images.collect())
}

/// What `docker save` wrote before it wrote layouts, and what other tools write for Docker still.
fn from_docker(files: &Files) -> Result<Vec<LayoutImage>, LayoutError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Saved {
        config: String,
        repo_tags: Option<Vec<String>>,
    }
    let file = "manifest.json";
    let other = |why| LayoutError::Other { path: files.path().to_owned(), why };
    let Some(bytes) = files.read(file, LARGEST_LIST)? else {
        return Err(other("neither index.json nor manifest.json is there"));
    };
    let saved: Vec<Saved> = json(files, file, &bytes)?;
    let saved = capped(files, saved)?;
    let image = |Saved { config, repo_tags }: Saved| {
        let bytes = files
            .read(&config, LARGEST_LIST)?
            .ok_or_else(|| other("a config that its manifest.json names is not there"))?;
        let root = LayoutRoot::ImageId(Digest::sha256(&bytes));
        Ok(LayoutImage { names: repo_tags.unwrap_or_default(), root })
    };
    saved.into_iter().map(image).collect()
}

fn capped<T>(files: &Files, items: Vec<T>) -> Result<Vec<T>, LayoutError> {
    if items.len() > MOST_IMAGES {
        let (path, limit) = (files.path().to_owned(), MOST_IMAGES as u64);
        return Err(LayoutError::TooMuch { path, limit, what: "images in its list" });
    }
    Ok(items)
}

fn json<'a, T: Deserialize<'a>>(
    files: &Files,
    file: &'static str,
    bytes: &'a [u8],
) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes).map_err(|source| {
        let path = files.path().to_owned();
        LayoutError::Json { path, file, source }
    })
}

/// Tags that say of which manifest something is: those of cosign and of referrers without an API.
fn hangs_on(name: &str) -> bool {
    let tag = name.rsplit_once([':', '/']).map_or(name, |(_, tag)| tag);
    let Some((algorithm, rest)) = tag.split_once('-') else { return false };
    let hex = rest.split_once('.').map_or(rest, |(hex, _)| hex);
    ["sha256", "sha512"].contains(&algorithm)
        && hex.len() == 64
        && hex.bytes().all(|sign| sign.is_ascii_hexdigit())
}

/// Where writers put names: containerd and `BuildKit` the whole reference, the specification a tag.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Bytes of `index.json` and its like.
const LARGEST_LIST: u64 = 4 * 1024 * 1024;

/// Bytes of `oci-layout`.
const LARGEST_VERSION: u64 = 4096;

/// Images of one layout.
const MOST_IMAGES: usize = 4096;
