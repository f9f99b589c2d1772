//! An attestation on its way into a registry, as a referrer of its image.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::{
    attest::{
        artifact::{ARTIFACT_TYPE, INLINE},
        oci::{Descriptor, Manifest, media_type},
    },
    source::Fetched,
};

/// One layer and the manifest that refers to the image.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The layer's bytes, also in the manifest where they are few.
    pub layer: Vec<u8>,
    /// The manifest.
    pub manifest: Manifest,
}

impl Artifact {
    /// Puts `layer` under a manifest that refers to the image that was `fetched`.
    pub fn new(
        fetched: &Fetched,
        layer: Vec<u8>,
        layer_type: &str,
        predicate_type: &str,
        created: Timestamp,
    ) -> Self {
        let mut descriptor = Descriptor::of(layer_type, &layer);
        if layer.len() <= INLINE {
            descriptor.data = Some(STANDARD.encode(&layer));
        }
        let subject = Descriptor {
            digest: fetched.digest,
            ..Descriptor::of(&fetched.media_type, &fetched.bytes)
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.into()),
            artifact_type: Some(ARTIFACT_TYPE.into()),
            config: Descriptor::empty(),
            layers: vec![descriptor],
            subject: Some(subject),
            annotations: [
                ("countersign.dev/predicate-type".into(), predicate_type.into()),
                ("org.opencontainers.image.created".into(), created.to_string()),
            ]
            .into(),
        };
        Self { layer, manifest }
    }
}
