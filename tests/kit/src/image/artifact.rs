//! Artifacts that refer to an image: attestations, signatures, anything with a `subject`.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Content, blob, empty};
use crate::base64;

/// An artifact being built.
#[derive(Clone, Debug)]
pub struct Artifact {
    kind: String,
    typed: bool,
    subject: Option<Value>,
    layers: Vec<Value>,
    blobs: Vec<Bytes>,
    annotations: Map<String, Value>,
}

/// An artifact of that `artifactType`, with the empty config.
///
/// ```
/// use countersign_kit::{artifact, image};
/// let shop = image("shop").build();
/// let signature = artifact("application/vnd.countersign.attestation.v1")
///     .subject(&shop)
///     .inline("application/vnd.countersign.simple-signing.v1+pgp", b"signed".as_slice())
///     .annotation("org.opencontainers.image.created", "2026-01-02T03:04:05Z")
///     .build();
/// assert_eq!(signature.json()["subject"]["digest"], shop.digest());
/// ```
pub fn artifact(artifact_type: &str) -> Artifact {
    Artifact {
        kind: artifact_type.to_owned(),
        typed: true,
        subject: None,
        layers: Vec::new(),
        blobs: Vec::new(),
        annotations: Map::new(),
    }
}

impl Artifact {
    /// Refers to that image or index.
    #[must_use]
    pub fn subject(mut self, subject: &Content) -> Self {
        self.subject = Some(subject.descriptor());
        self
    }

    /// Refers to whatever that descriptor says.
    #[must_use]
    pub fn subject_descriptor(mut self, descriptor: Value) -> Self {
        self.subject = Some(descriptor);
        self
    }

    /// With a layer, in a blob of its own.
    #[must_use]
    pub fn layer(mut self, media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.layers.push(blob(media_type, &bytes));
        self.blobs.push(bytes);
        self
    }

    /// With a layer whose descriptor carries the bytes as `data` too.
    #[must_use]
    pub fn inline(self, media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let data = base64(&bytes);
        self.layer(media_type, bytes).with_last(|layer| layer["data"] = data.into())
    }

    /// With a layer described by whatever that descriptor says; no blob is made for it.
    #[must_use]
    pub fn layer_descriptor(mut self, descriptor: Value) -> Self {
        self.layers.push(descriptor);
        self
    }

    /// With an annotation of the last layer's descriptor.
    #[must_use]
    pub fn layer_annotation(self, key: &str, value: &str) -> Self {
        self.with_last(|layer| layer["annotations"][key] = value.into())
    }

    /// With an annotation of the manifest.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    /// As made before image-spec 1.1: the type stands in the config's media type only.
    #[must_use]
    pub fn typed_by_config(mut self) -> Self {
        self.typed = false;
        self
    }

    /// The manifest and its blobs.
    pub fn build(mut self) -> Content {
        let mut config = empty();
        if !self.typed {
            config["mediaType"] = self.kind.clone().into();
        }
        if self.layers.is_empty() {
            self.layers.push(empty());
        }
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": self.layers,
        });
        if self.typed {
            manifest["artifactType"] = self.kind.clone().into();
        }
        if let Some(subject) = self.subject {
            manifest["subject"] = subject;
        }
        if !self.annotations.is_empty() {
            manifest["annotations"] = self.annotations.into();
        }
        self.blobs.push(Bytes::from_static(b"{}"));
        Content {
            blobs: self.blobs,
            artifact_type: Some(self.kind),
            ..Content::raw(MANIFEST, manifest.to_string())
        }
    }

    fn with_last(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.layers.last_mut().expect("a layer first"));
        self
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
