//! Artifacts of ours on their way into a registry, as referrers of an image.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    attest::{
        artifact::INLINE,
        oci::{Descriptor, EMPTY, Manifest, media_type},
    },
    name::Repository,
    source::{Deadline, FetchError, Fetched, Pushed, Registries},
};

/// Layers, and the manifest over them that refers to the image.
#[derive(Clone, Debug)]
pub struct Artifact {
    layers: Vec<Layer>,
    /// The manifest.
    pub manifest: Manifest,
}

/// Bytes of one media type.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What the bytes are.
    pub media_type: String,
    /// The bytes, also in the manifest where they are few.
    pub bytes: Bytes,
}

impl Artifact {
    /// Puts layers under a manifest that refers to the image that was `fetched`.
    pub fn new(
        fetched: &Fetched,
        artifact_type: &str,
        layers: Vec<Layer>,
        predicate_type: &str,
        created: Timestamp,
    ) -> Self {
        let subject = Descriptor {
            digest: fetched.digest,
            ..Descriptor::of(&fetched.media_type, &fetched.bytes)
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.into()),
            artifact_type: Some(artifact_type.into()),
            config: Descriptor::empty(),
            layers: layers.iter().map(Layer::descriptor).collect(),
            subject: Some(subject),
            annotations: [
                ("countersign.dev/predicate-type".into(), predicate_type.into()),
                ("org.opencontainers.image.created".into(), created.to_string()),
            ]
            .into(),
        };
        Self { layers, manifest }
    }

    /// Uploads the blobs, then the manifest, so that nothing half-written is ever listed.
    ///
    /// # Errors
    /// If the registry does not take it, or keeps something else.
    pub async fn push(
        self,
        registries: &Registries,
        repository: &Repository,
        deadline: Deadline,
    ) -> Result<Pushed, FetchError> {
        let manifest = serde_json::to_vec(&self.manifest).unwrap_or_default();
        let empty = Bytes::from_static(EMPTY);
        registries.push_blob(repository, media_type::EMPTY, empty, deadline).await?;
        for Layer { media_type, bytes } in self.layers {
            registries.push_blob(repository, &media_type, bytes, deadline).await?;
        }
        let media_type = media_type::OCI_MANIFEST;
        registries.push_manifest(repository, media_type, manifest.into(), deadline).await
    }
}

impl Layer {
    fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(&self.media_type, &self.bytes);
        if self.bytes.len() <= INLINE {
            descriptor.data = Some(STANDARD.encode(&self.bytes));
        }
        descriptor
    }
}
