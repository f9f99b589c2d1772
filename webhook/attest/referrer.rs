//! Referrers with signatures: what their artifact type says of their layers.

use bytes::Bytes;

use super::{
    BadJws, Signed, artifact, notation,
    oci::{Descriptor, Manifest},
    sigstore,
};

/// A way in which signatures hang on an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignedReferrer {
    /// One layer, as we write it.
    Ours,
    /// One layer with an envelope and its proofs, cosign's.
    Bundle,
    /// One layer that Notation signed.
    Notation,
    /// Layers as they lie under cosign's tags.
    Layered,
}

/// Why a referrer does not hold what its artifact type says.
#[derive(Debug, thiserror::Error)]
pub enum BadReferrer {
    /// More layers than one, or none.
    #[error("it has {0} layers where one is read")]
    Layers(usize),
    /// A bundle's layer of another type.
    #[error("its layer is of type {0:?}, which is no bundle")]
    NoBundle(String),
    /// No layer of ours.
    #[error(transparent)]
    Ours(#[from] artifact::BadLayer),
    /// No bundle.
    #[error(transparent)]
    Bundle(#[from] sigstore::BadBundle),
    /// Nothing of Notation's.
    #[error(transparent)]
    Notation(#[from] BadJws),
    /// No layer of cosign's.
    #[error(transparent)]
    Layered(#[from] sigstore::BadLayer),
}

impl SignedReferrer {
    /// What a referrer of this type is; `None` where it holds no signatures that are known here.
    pub fn of(artifact_type: &str) -> Option<Self> {
        match artifact_type {
            artifact::ARTIFACT_TYPE => Some(Self::Ours),
            sigstore::BUNDLE => Some(Self::Bundle),
            notation::ARTIFACT_TYPE => Some(Self::Notation),
            other if sigstore::LAYERED.contains(&other) => Some(Self::Layered),
            _ => None,
        }
    }

    /// The layers of its manifest, each to be read for itself.
    ///
    /// # Errors
    /// They are too many, none, or of another type than is read.
    pub fn layers(self, manifest: &Manifest) -> Result<&[Descriptor], BadReferrer> {
        match (self, manifest.layers.as_slice()) {
            (Self::Bundle, [layer]) if layer.media_type != sigstore::BUNDLE => {
                Err(BadReferrer::NoBundle(layer.media_type.clone()))
            }
            (Self::Layered, layers) | (_, layers @ [_]) => Ok(layers),
            (_, layers) => Err(BadReferrer::Layers(layers.len())),
        }
    }

    /// What a layer of it carries.
    ///
    /// # Errors
    /// The layer is of another type, or is not what its type says.
    pub fn read(self, layer: &Descriptor, bytes: Bytes) -> Result<Signed, BadReferrer> {
        let Descriptor { media_type, annotations, .. } = layer;
        Ok(match self {
            Self::Ours => artifact::read_layer(media_type, bytes)?,
            Self::Bundle => sigstore::read_bundle(&bytes)?,
            Self::Notation => notation::read(media_type, &bytes)?,
            Self::Layered => sigstore::read_layer(media_type, annotations, bytes)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        attest::oci::{Document, media_type::OCI_MANIFEST},
        name::Digest,
    };

    #[test]
    fn the_artifact_type_says_which_layers_are_read() {
        let [other, bundle] = ["application/octet-stream", sigstore::BUNDLE];
        let [ours, notation] = [artifact::ARTIFACT_TYPE, notation::ARTIFACT_TYPE];
        let layered = sigstore::LAYERED[0];
        let no_bundle = "its layer is of type \"application/octet-stream\", which is no bundle";
        let digest = Digest::sha256(b"x").to_string();
        let blob = |kind: &str| json!({"mediaType": kind, "size": 1, "digest": digest});
        for (artifact_type, layers, want) in [
            (ours, vec![other], Ok(1)),
            (ours, vec![], Err("it has 0 layers where one is read")),
            (notation, vec![other, other], Err("it has 2 layers where one is read")),
            (bundle, vec![bundle], Ok(1)),
            (bundle, vec![other], Err(no_bundle)),
            (bundle, vec![bundle, bundle], Err("it has 2 layers where one is read")),
            (layered, vec![], Ok(0)),
            (layered, vec![other, other], Ok(2)),
        ] {
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "artifactType": artifact_type,
                "config": blob("application/vnd.oci.empty.v1+json"),
                "layers": layers.iter().map(|layer| blob(layer)).collect::<Vec<_>>(),
            });
            let manifest = Document::parse(manifest.to_string().as_bytes(), OCI_MANIFEST);
            let Document::Manifest(manifest) = manifest.unwrap() else { panic!("{artifact_type}") };
            let referrer = SignedReferrer::of(manifest.effective_type()).unwrap();
            let read = referrer.layers(&manifest).map(<[_]>::len).map_err(|bad| bad.to_string());
            assert_eq!(read, want.map_err(str::to_owned), "{artifact_type} {layers:?}");
        }
        assert_eq!(SignedReferrer::of("application/vnd.acme"), None);
    }
}
