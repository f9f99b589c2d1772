//! What an image is made of, by its manifest and its configuration.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    attest::oci::{Manifest, Platform},
    name::{Digest, ImageRef, PinnedImage},
    sign::present::present,
};

/// An image, its layers, and what of its configuration is recorded.
#[derive(Debug)]
pub struct ImageParts {
    pub(super) image: PinnedImage,
    pub(super) image_id: Digest,
    /// The lowest first.
    layers: Vec<Digest>,
    pub(super) base: AnnotatedBase,
    pub(super) config: Config,
}

/// What an image says of the image that it was built on.
#[derive(Debug, Eq, PartialEq)]
pub enum AnnotatedBase {
    /// Nothing.
    None,
    /// That it is this one.
    Image(PinnedImage),
    /// A name or a digest, but not both, or none that can be read.
    Incomplete,
}

/// A configuration that is none.
#[derive(Debug, thiserror::Error)]
#[error("the configuration of {0} is not that of an image")]
pub struct BadConfig(PinnedImage, #[source] serde_json::Error);

#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) created: Option<String>,
    #[serde(default)]
    pub(super) history: Vec<History>,
    #[serde(default)]
    rootfs: RootFs,
    #[serde(default)]
    config: Option<Execution>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

#[derive(Debug, Deserialize, Eq, PartialEq)]
pub(super) struct History {
    #[serde(default)]
    pub(super) created_by: String,
}

#[derive(Debug, Default, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Execution {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl ImageParts {
    /// Reads what is recorded of `image`.
    ///
    /// # Errors
    /// The configuration is no image's.
    pub fn new(image: &PinnedImage, manifest: &Manifest, config: &[u8]) -> Result<Self, BadConfig> {
        let config: Config =
            serde_json::from_slice(config).map_err(|error| BadConfig(image.clone(), error))?;
        let labels = config.config.as_ref().and_then(|execution| execution.labels.as_ref());
        let said = |name: &str| {
            let name = format!("{BASE}.{name}");
            manifest.annotations.get(&name).or_else(|| labels?.get(&name)).map(String::as_str)
        };
        let base = match (said("name"), said("digest")) {
            (None, None) => AnnotatedBase::None,
            (Some(name), Some(digest)) => pinned(name, digest),
            _ => AnnotatedBase::Incomplete,
        };
        Ok(Self {
            image: image.clone(),
            image_id: manifest.config.digest,
            layers: manifest.layers.iter().map(|layer| layer.digest).collect(),
            base,
            config,
        })
    }

    /// The platform that the image is for.
    pub fn platform(&self) -> Platform {
        let Config { os, architecture, variant, .. } = &self.config;
        Platform {
            os: os.clone(),
            architecture: architecture.clone(),
            variant: variant.clone(),
            ..Platform::default()
        }
    }

    /// `Fingerprint`: the ID, the layers from the top, and one name for all of them.
    pub(super) fn fingerprint(&self) -> Value {
        let blobs: Vec<String> = self.layers.iter().rev().map(ToString::to_string).collect();
        present([
            ("v1Name", Some(self.image_id.to_string().into())),
            ("v2Blob", Some(json!(blobs))),
            ("v2Name", v2_name(&self.layers).map(Value::from)),
        ])
    }

    /// How many steps made it: those of its history or, where it has none, its layers.
    pub(super) fn steps(&self) -> usize {
        match self.config.history.len() {
            0 => self.config.rootfs.diff_ids.len(),
            steps => steps,
        }
    }

    /// How many of its steps are those of `base`; `None` if it does not stand on that.
    pub(super) fn steps_of(&self, base: &Self) -> Option<usize> {
        let (own, below) = (&self.config, &base.config);
        let is_below = !below.rootfs.diff_ids.is_empty()
            && own.rootfs.diff_ids.starts_with(&below.rootfs.diff_ids)
            && own.history.starts_with(&below.history)
            // Without steps of its own the base does not tell which of these are its.
            && own.history.is_empty() == below.history.is_empty();
        is_below.then(|| base.steps())
    }
}

/// The image of an annotated name, which may have a tag, and a digest.
fn pinned(name: &str, digest: &str) -> AnnotatedBase {
    let image = format!("{name}@{digest}").parse::<ImageRef>().ok();
    let pinned = image.and_then(|image| {
        Some(PinnedImage { repository: image.repository().clone(), digest: image.digest()? })
    });
    pinned.map_or(AnnotatedBase::Incomplete, AnnotatedBase::Image)
}

/// `v2_name` of Grafeas' proto: the lowest layer's digest, then for each above it the SHA-256 of its
/// digest, a space, and the name of what is below.
fn v2_name(layers: &[Digest]) -> Option<String> {
    let (lowest, others) = layers.split_first()?;
    Some(others.iter().fold(lowest.to_string(), |below, layer| {
        Digest::sha256(format!("{layer} {below}").as_bytes()).to_string()
    }))
}

/// Annotations and labels that name a base image; OCI image-spec, `annotations.md`.
const BASE: &str = "org.opencontainers.image.base";
