//! An image as ocibuilder's occurrences describe it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Step, history::layer_info};
use crate::{
    attest::oci::Manifest,
    name::{Digest, NoteName, PinnedImage, ProjectName},
    sign::{
        Record, RecordKind, RecordNote,
        present::{filled, present},
    },
};

/// An image, its manifest, and what of its configuration is recorded.
#[derive(Debug)]
pub struct BuiltImage {
    image: PinnedImage,
    /// Of the layers, the lowest first.
    layers: Vec<Digest>,
    image_id: Digest,
    base: Option<String>,
    history: Vec<Value>,
    created: Option<String>,
}

/// A configuration that is none.
#[derive(Debug, thiserror::Error)]
#[error("the configuration of {0} is not that of an image")]
pub struct BadConfig(PinnedImage, #[source] serde_json::Error);

impl BuiltImage {
    /// Reads what is recorded of `image`.
    ///
    /// # Errors
    /// The configuration is no image's.
    pub fn new(image: &PinnedImage, manifest: &Manifest, config: &[u8]) -> Result<Self, BadConfig> {
        let config: Config =
            serde_json::from_slice(config).map_err(|error| BadConfig(image.clone(), error))?;
        let base = |name: &str| manifest.annotations.get(&format!("{BASE}.{name}"));
        Ok(Self {
            image: image.clone(),
            layers: manifest.layers.iter().map(|layer| layer.digest).collect(),
            image_id: manifest.config.digest,
            base: base("name")
                .zip(base("digest"))
                .map(|(name, digest)| format!("https://{name}@{digest}")),
            history: config.history.iter().rev().map(|one| layer_info(&one.created_by)).collect(),
            created: config.created.filter(|time| time.parse::<jiff::Timestamp>().is_ok()),
        })
    }

    /// The image by its ID, as ocibuilder names it.
    pub fn by_id(&self) -> PinnedImage {
        PinnedImage { repository: self.image.repository.clone(), digest: self.image_id }
    }

    /// The IMAGE occurrence: what the image is made of, the last step first.
    pub fn derived(&self, note: NoteName) -> Record {
        let fingerprint = self.fingerprint();
        let resource = self.base.clone().unwrap_or_else(|| format!("https://{}", self.image));
        // The steps since the base, which nothing tells apart from its own, unless there is none.
        let distance = self.base.is_none().then(|| self.history.len().into());
        let derived = present([
            ("fingerprint", Some(fingerprint.clone())),
            ("distance", distance),
            ("layerInfo", Some(json!(self.history)).filter(|_| !self.history.is_empty())),
            ("baseResourceUrl", self.base.clone().map(Value::from)),
        ]);
        Record {
            kind: RecordKind::Image,
            note: RecordNote::Named(note),
            note_details: json!({"resourceUrl": resource, "fingerprint": fingerprint}),
            details: json!({"derivedImage": derived}),
        }
    }

    /// The BUILD occurrence of `about`, which is the image by one of its digests.
    pub fn build(
        &self,
        about: &PinnedImage,
        project: &ProjectName,
        step: &Step,
        times: BuildTimes,
        note: NoteName,
    ) -> Record {
        let name = step.tag.as_ref().map(|tag| json!([format!("{}:{tag}", about.repository)]));
        let artifact = present([
            ("checksum", Some(about.digest.to_string().into())),
            ("id", Some(about.to_string().into())),
            ("names", name),
        ]);
        let source = present([("artifactStorageSourceUri", step.source().map(Value::from))]);
        let created = || self.created.clone().map(Value::from);
        let told = |time: Option<Timestamp>| time.map(|time| Value::from(time.to_string()));
        let provenance = present([
            // ocibuilder makes one up for each run; the same image has the same here, so that
            // nothing is written twice.
            ("id", Some(self.image_id.to_string().into())),
            ("projectId", project.as_str().strip_prefix("projects/").map(Value::from)),
            ("builtArtifacts", Some(json!([artifact]))),
            ("createTime", created()),
            ("startTime", told(times.started)),
            ("endTime", told(times.finished).or_else(created)),
            ("creator", step.creator().map(Value::from)),
            ("sourceProvenance", filled(source)),
            ("builderVersion", Some(VERSION.into())),
        ]);
        Record {
            kind: RecordKind::Build,
            note: RecordNote::Named(note),
            note_details: json!({"builderVersion": VERSION}),
            details: json!({"provenance": provenance}),
        }
    }

    /// `Fingerprint`: the ID, the layers from the top, and one name for all of them.
    fn fingerprint(&self) -> Value {
        let blobs: Vec<String> = self.layers.iter().rev().map(ToString::to_string).collect();
        present([
            ("v1Name", Some(self.image_id.to_string().into())),
            ("v2Blob", Some(json!(blobs))),
            ("v2Name", v2_name(&self.layers).map(Value::from)),
        ])
    }
}

/// `v2_name` of Grafeas' proto: the lowest layer's digest, then for each above it the SHA-256 of its
/// digest, a space, and the name of what is below.
fn v2_name(layers: &[Digest]) -> Option<String> {
    let (lowest, others) = layers.split_first()?;
    Some(others.iter().fold(lowest.to_string(), |below, layer| {
        Digest::sha256(format!("{layer} {below}").as_bytes()).to_string()
    }))
}

/// When a build ran, as whoever signs tells; the image tells when it was made, and no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildTimes {
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    history: Vec<History>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    created_by: String,
}

/// Annotations that name a base image; OCI image-spec, `annotations.md`.
const BASE: &str = "org.opencontainers.image.base";

/// What wrote the record.
const VERSION: &str = concat!("countersign ", env!("CARGO_PKG_VERSION"));
