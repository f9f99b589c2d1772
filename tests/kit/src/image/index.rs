//! Indexes over platforms, with BuildKit's attestation manifests where wanted.

use serde_json::{Map, Value, json};

use super::{Content, blob, empty};

/// An index being built.
#[derive(Clone, Debug)]
pub struct Index {
    docker: bool,
    children: Vec<Content>,
    annotations: Map<String, Value>,
}

/// An index over images, each listed with its platform.
///
/// ```
/// use countersign_kit::{image, index};
/// let amd64 = image("shop").build();
/// let arm64 = image("shop").platform("linux/arm64").build();
/// let both = index([&amd64, &arm64]).build();
/// assert_eq!(both.json()["manifests"][1]["platform"]["architecture"], "arm64");
/// ```
pub fn index<'a>(images: impl IntoIterator<Item = &'a Content>) -> Index {
    Index {
        docker: false,
        children: images.into_iter().cloned().collect(),
        annotations: Map::new(),
    }
}

impl Index {
    /// As Docker's manifest list instead of OCI's index.
    #[must_use]
    pub fn docker(mut self) -> Self {
        self.docker = true;
        self
    }

    /// With one more manifest, listed as it is: a nested index, an image without a platform.
    #[must_use]
    pub fn and(mut self, child: &Content) -> Self {
        self.children.push(child.clone());
        self
    }

    /// With an annotation of the index.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    /// With BuildKit's attestation manifest for `image`: the layout of v0.32 and later
    /// (`artifactType`, empty config, `subject`), one layer for each in-toto statement.
    #[must_use]
    pub fn attested(self, image: &Content, statements: &[Value]) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": ATTESTATION,
            "config": empty(),
            "layers": layers(statements),
            "subject": image.descriptor(),
        });
        let mut child = attestation(&mut manifest, image, statements);
        child.blobs.push(bytes::Bytes::from_static(b"{}"));
        self.and(&child)
    }

    /// The same in the layout before v0.32: an image manifest with a config of its own, no
    /// `subject`.
    #[must_use]
    pub fn attested_as_image(self, image: &Content, statements: &[Value]) -> Self {
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let config = bytes::Bytes::from(config.to_string());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers(statements),
        });
        let mut child = attestation(&mut manifest, image, statements);
        child.blobs.push(config);
        self.and(&child)
    }

    /// The index and everything it lists.
    pub fn build(self) -> Content {
        let media_type = if self.docker { DOCKER_LIST } else { OCI_INDEX };
        let listed = self.children.iter().map(|child| {
            let mut descriptor = child.descriptor();
            if let Some(platform) = &child.platform {
                descriptor["platform"] = platform.clone();
            }
            if !child.listed.is_empty() {
                descriptor["annotations"] = child.listed.clone().into();
            }
            if let Some(artifact_type) = &child.artifact_type {
                descriptor["artifactType"] = artifact_type.clone().into();
            }
            descriptor
        });
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "manifests": listed.collect::<Vec<_>>(),
        });
        if !self.annotations.is_empty() {
            manifest["annotations"] = self.annotations.into();
        }
        Content { children: self.children, ..Content::raw(media_type, manifest.to_string()) }
    }
}

fn layers(statements: &[Value]) -> Vec<Value> {
    let layers = statements.iter().map(|statement| {
        let mut layer = blob("application/vnd.in-toto+json", statement.to_string().as_bytes());
        layer["annotations"] = json!({"in-toto.io/predicate-type": statement["predicateType"]});
        layer
    });
    layers.collect()
}

fn attestation(manifest: &mut Value, image: &Content, statements: &[Value]) -> Content {
    let mut child = Content::raw(MANIFEST, manifest.to_string());
    child.blobs = statements.iter().map(|statement| statement.to_string().into()).collect();
    child.platform = Some(json!({"architecture": "unknown", "os": "unknown"}));
    let listed = [
        ("vnd.docker.reference.digest", image.digest()),
        ("vnd.docker.reference.type", "attestation-manifest".to_owned()),
    ];
    child.listed = listed.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    child
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";
