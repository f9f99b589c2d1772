//! The documents of an OCI registry: manifests, indexes and the descriptors in them.
//!
//! One model for OCI and Docker media types, since they differ in nothing that is read here. A
//! document is believed only as far as the digest of its bytes; annotations and artifact types are
//! hints of whoever pushed it.

mod config;
mod document;
mod spelling;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use config::{ImageConfig, diff_ids};
pub use document::{Document, DocumentError};

use crate::name::Digest;

/// An image manifest, OCI or Docker schema 2.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// What the manifest says it is; equal to the media type that it was served with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What an artifact is; see [`Manifest::effective_type`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The image's configuration, or the empty descriptor.
    pub config: Descriptor,
    /// The layers, or the parts of an artifact.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one says something about. A hint: anybody can name any subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free text by the pusher.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An index (Docker: manifest list) of manifests for platforms, or of referrers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What the index says it is; equal to the media type that it was served with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What an artifact is, if the index is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The entries; `null`, which some registries write for none, is read as empty.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one says something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<Descriptor>>,
    /// Free text by the pusher.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What points to a blob or a manifest. Its `urls` are neither read nor followed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Of what it points to.
    pub media_type: String,
    /// Of the bytes it points to.
    pub digest: Digest,
    /// In bytes; a reader measures before it hashes.
    pub size: u64,
    /// A hint; absent where the manifest itself must be read to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free text by the pusher.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// For which platform, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The bytes themselves in base64, if they are few; see [`Descriptor::embedded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// The platform of an index entry.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Platform {
    /// As Go spells it, such as `amd64`.
    pub architecture: String,
    /// As Go spells it, such as `linux`.
    pub os: String,
    /// Of Windows images.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Of Windows images.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// Of the architecture, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What a descriptor says and the bytes do not keep.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DescriptorError {
    /// `data` is not base64.
    #[error("data of the descriptor of {0} is not base64")]
    Base64(Digest),
    /// Fewer or more bytes than the descriptor says.
    #[error("{digest} has {found} bytes where its descriptor says {said}")]
    Size { digest: Digest, said: u64, found: u64 },
    /// Other bytes.
    #[error("the bytes given for {0} do not hash to it")]
    Digest(Digest),
}

impl Manifest {
    /// What the manifest is as an artifact: its `artifactType`, else the type of its config.
    pub fn effective_type(&self) -> &str {
        self.artifact_type.as_deref().unwrap_or(&self.config.media_type)
    }
}

impl Descriptor {
    /// A descriptor of `bytes`, hashed here.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.into(),
            digest: Digest::sha256(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
            data: None,
        }
    }

    /// The descriptor of `{}`, which stands where an artifact has no config. Pushed like any blob.
    pub fn empty() -> Self {
        Self { data: Some(STANDARD.encode(EMPTY)), ..Self::of(media_type::EMPTY, EMPTY) }
    }

    /// The bytes that `data` carries, measured and hashed like those of a blob; `None` without
    /// `data`.
    ///
    /// # Errors
    /// If they are not what the descriptor says.
    pub fn embedded(&self) -> Result<Option<Bytes>, DescriptorError> {
        let Some(data) = &self.data else { return Ok(None) };
        let bytes = STANDARD.decode(data).map_err(|_| DescriptorError::Base64(self.digest))?;
        self.check(&bytes)?;
        Ok(Some(bytes.into()))
    }

    /// Measures and hashes `bytes`: success proves that they are the ones meant.
    ///
    /// # Errors
    /// If they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<(), DescriptorError> {
        let (digest, found) = (self.digest, bytes.len() as u64);
        if found != self.size {
            return Err(DescriptorError::Size { digest, said: self.size, found });
        }
        if !digest.covers(bytes) {
            return Err(DescriptorError::Digest(digest));
        }
        Ok(())
    }
}

/// The media types of registries that are known here.
pub mod media_type {
    /// OCI image manifest.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// Docker schema 2 manifest.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The media type of a manifest or an index, without the parameters that may follow it;
    /// `None` for any other.
    pub fn of_document(given: &str) -> Option<&'static str> {
        let known = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
        known.into_iter().find(|known| *known == super::document::essence(given))
    }

    /// The two bytes `{}`.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
}

/// The content of the empty blob.
pub const EMPTY: &[u8] = b"{}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_measured_and_hashed() {
        let empty = Descriptor::empty();
        assert_eq!(empty.embedded().unwrap().unwrap(), EMPTY);
        for (name, data, size, want) in [
            ("not base64", "e30=!", 2, "is not base64"),
            ("other size", "e30=", 3, "has 2 bytes where its descriptor says 3"),
            ("other bytes", "W10=", 2, "do not hash to it"),
        ] {
            let lying = Descriptor { data: Some(data.into()), size, ..Descriptor::empty() };
            let error = lying.embedded().unwrap_err().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
        assert_eq!(Descriptor { data: None, ..empty }.embedded(), Ok(None));
    }

    #[test]
    fn the_empty_descriptor_is_the_specs_own() {
        let text = serde_json::to_string(&Descriptor::empty()).unwrap();
        assert_eq!(
            text,
            r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}"#
        );
    }
}
