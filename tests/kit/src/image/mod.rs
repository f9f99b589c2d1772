//! Images, indexes and artifacts, built byte for byte the same each time.

mod artifact;
mod index;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{EMPTY, base64, sha256};

pub use artifact::{Artifact, artifact};
pub use index::{Index, index};

/// A manifest of any kind with everything it needs: blobs and, for an index, its children.
#[derive(Clone, Debug)]
pub struct Content {
    /// The manifest's bytes: what the digest is of.
    pub manifest: Bytes,
    /// The manifest's media type.
    pub media_type: String,
    /// Config and layers.
    pub blobs: Vec<Bytes>,
    /// The manifests an index lists.
    pub children: Vec<Self>,
    /// The `artifactType` to list in descriptors, if any.
    pub artifact_type: Option<String>,
    /// The platform to list in an index.
    pub platform: Option<Value>,
    /// Annotations of the descriptor in an index.
    pub listed: Map<String, Value>,
    /// The config's digest (the image ID), of images.
    pub config_digest: Option<String>,
}

impl Content {
    /// A manifest of any bytes: schema 1, broken JSON, a polyglot.
    pub fn raw(media_type: &str, manifest: impl Into<Bytes>) -> Self {
        Self {
            manifest: manifest.into(),
            media_type: media_type.to_owned(),
            blobs: Vec::new(),
            children: Vec::new(),
            artifact_type: None,
            platform: None,
            listed: Map::new(),
            config_digest: None,
        }
    }

    /// `sha256:` and the hex digest of the manifest.
    pub fn digest(&self) -> String {
        sha256(&self.manifest)
    }

    /// Only the hex digits of the digest.
    pub fn hex(&self) -> String {
        self.digest().replace("sha256:", "")
    }

    /// The image ID: the config's digest.
    ///
    /// # Panics
    /// Where this is no image.
    pub fn image_id(&self) -> String {
        self.config_digest.clone().expect("an image, not an index or artifact")
    }

    /// The descriptor of the manifest: media type, digest, size.
    pub fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type,
            "digest": self.digest(),
            "size": self.manifest.len(),
        })
    }

    /// The manifest as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.manifest).expect("a manifest in JSON")
    }
}

/// An image with a config and one layer. Images of the same name and settings are the same bytes.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    docker: bool,
    os: String,
    architecture: String,
    variant: Option<String>,
    config: Map<String, Value>,
    annotations: Map<String, Value>,
    diff_ids: Option<Vec<String>>,
    layers: Option<Vec<(String, Bytes)>>,
    base: Option<Content>,
    history: Vec<Value>,
}

/// An image for linux/amd64. `name` goes into its layer, so another name is another digest.
pub fn image(name: &str) -> Image {
    Image {
        name: name.to_owned(),
        docker: false,
        os: "linux".into(),
        architecture: "amd64".into(),
        variant: None,
        config: Map::new(),
        annotations: Map::new(),
        diff_ids: None,
        layers: None,
        base: None,
        history: Vec::new(),
    }
}

impl Image {
    /// With Docker's media types (schema 2) instead of OCI's.
    #[must_use]
    pub fn docker(mut self) -> Self {
        self.docker = true;
        self
    }

    /// For this platform: `linux/arm64`, `linux/arm/v7`.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        let mut parts = platform.split('/');
        parts.next().unwrap_or_default().clone_into(&mut self.os);
        parts.next().unwrap_or_default().clone_into(&mut self.architecture);
        self.variant = parts.next().map(str::to_owned);
        self
    }

    /// With a member of the config's `config`: `User`, `Env`, `Labels`, `Entrypoint`.
    #[must_use]
    pub fn config(mut self, name: &str, value: Value) -> Self {
        self.config.insert(name.to_owned(), value);
        self
    }

    /// With an annotation of the manifest.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    /// With this diff ID in the config, whatever the layer is: a config that does not fit.
    #[must_use]
    pub fn diff_id(self, digest: &str) -> Self {
        self.diff_ids(vec![digest.to_owned()])
    }

    /// With these diff IDs in the config.
    #[must_use]
    pub fn diff_ids(mut self, digests: Vec<String>) -> Self {
        self.diff_ids = Some(digests);
        self
    }

    /// With these layers, each a media type and its bytes, instead of the one.
    #[must_use]
    pub fn layers(mut self, layers: Vec<(String, Bytes)>) -> Self {
        self.layers = Some(layers);
        self
    }

    /// On top of another image: its layers and its history come first.
    #[must_use]
    pub fn on(mut self, base: &Content) -> Self {
        self.base = Some(base.clone());
        self
    }

    /// With one more step in the config's history.
    #[must_use]
    pub fn step(mut self, created_by: &str) -> Self {
        self.history.push(json!({"created_by": created_by}));
        self
    }

    /// Manifest, config and layer; layers of a base image before it.
    ///
    /// # Panics
    /// Where the base is no image.
    pub fn build(self) -> Content {
        let [manifest_type, config_type, layer_type] =
            if self.docker { DOCKER_TYPES } else { OCI_TYPES };
        let own = self.layers.unwrap_or_else(|| {
            vec![(layer_type.to_owned(), Bytes::from(tar("name", self.name.as_bytes())))]
        });
        let told = own.iter().map(|(_, layer)| sha256(layer)).collect();
        let (mut layers, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(base) = &self.base {
            let config: Value = serde_json::from_slice(&base.blobs[0]).expect("an image");
            let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
            diff_ids = list(&config["rootfs"]["diff_ids"]);
            history = list(&config["history"]);
            let below = base.blobs[1..].iter();
            layers = below.map(|layer| (layer_type.to_owned(), layer.clone())).collect();
        }
        diff_ids.extend(self.diff_ids.unwrap_or(told).into_iter().map(Value::from));
        history.extend(self.history);
        layers.extend(own);
        let mut config = json!({
            "created": "2026-01-02T03:04:05Z",
            "architecture": self.architecture,
            "os": self.os,
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        if !history.is_empty() {
            config["history"] = history.into();
        }
        let mut platform = json!({"architecture": self.architecture, "os": self.os});
        if let Some(variant) = self.variant {
            config["variant"] = variant.clone().into();
            platform["variant"] = variant.into();
        }
        let config = Bytes::from(config.to_string());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": blob(config_type, &config),
            "layers": layers.iter().map(|(kind, layer)| blob(kind, layer)).collect::<Vec<_>>(),
        });
        if !self.annotations.is_empty() {
            manifest["annotations"] = self.annotations.into();
        }
        let config_digest = Some(sha256(&config));
        Content {
            blobs: std::iter::once(config).chain(layers.into_iter().map(|(_, one)| one)).collect(),
            platform: Some(platform),
            config_digest,
            ..Content::raw(manifest_type, manifest.to_string())
        }
    }
}

/// The descriptor of a blob.
pub(crate) fn blob(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": sha256(bytes), "size": bytes.len()})
}

/// The descriptor of `{}`, as image-spec gives it.
pub(crate) fn empty() -> Value {
    let mut descriptor = blob(EMPTY, b"{}");
    descriptor["data"] = base64(b"{}").into();
    descriptor
}

/// A tar archive of one regular file, uncompressed, so that its digest is its diff ID.
pub fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

const OCI_TYPES: [&str; 3] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar",
];
const DOCKER_TYPES: [&str; 3] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_the_same_bytes_each_time() {
        assert_eq!(image("shop").build().digest(), image("shop").build().digest());
        assert_ne!(image("shop").build().digest(), image("other").build().digest());
        assert_ne!(image("shop").build().digest(), image("shop").docker().build().digest());
    }

    #[test]
    fn an_image_stands_on_its_base() {
        let base = image("base").step("ADD base").build();
        let above = image("shop").on(&base).step("COPY shop").build();
        assert_eq!(above.blobs.len(), 3);
        assert_eq!(above.json()["layers"][0], base.json()["layers"][0]);
        let config: Value = serde_json::from_slice(&above.blobs[0]).unwrap();
        assert_eq!(config["history"][1], json!({"created_by": "COPY shop"}));
    }

    #[test]
    fn a_manifest_names_its_blobs() {
        let built = image("shop").platform("linux/arm/v7").build();
        let manifest = built.json();
        assert_eq!(manifest["config"]["digest"], sha256(&built.blobs[0]));
        assert_eq!(manifest["config"]["digest"], built.image_id());
        assert_eq!(manifest["layers"][0]["digest"], sha256(&built.blobs[1]));
        assert_eq!(built.platform.unwrap()["variant"], "v7");
    }
}
