//! Referrers that other tools wrote: cosign's bundles and layers, Notation's signatures.

use crate::{
    attest::{Candidate, artifact::LARGEST_LAYER, notation, oci::Manifest, sigstore},
    name::{Code, Repository},
    source::{Deadline, FetchError, Registries},
    verify::Rejection,
};

use super::{lookup::Haul, referrers::Takes, tags::Layers};

/// A way in which another tool hangs signatures on an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// One layer with an envelope and its proofs.
    Bundle,
    /// Layers as they lie under cosign's tags.
    Layered,
    /// One layer that Notation signed.
    Notation,
}

impl Tool {
    /// Who calls a referrer so.
    pub fn of(artifact_type: &str) -> Option<Self> {
        match artifact_type {
            sigstore::BUNDLE => Some(Self::Bundle),
            notation::ARTIFACT_TYPE => Some(Self::Notation),
            other if sigstore::LAYERED.contains(&other) => Some(Self::Layered),
            _ => None,
        }
    }

    /// Whether anything of it can count for an authority.
    pub fn may_count(self, takes: Takes) -> bool {
        if self == Self::Notation { takes.notation } else { takes.cosign }
    }

    /// Reads what a referrer of this image holds. Everything in it is reported, as evidence or as
    /// a rejection.
    pub async fn read(
        self,
        registries: &Registries,
        repository: &Repository,
        name: String,
        manifest: &Manifest,
        deadline: Deadline,
    ) -> Result<Haul, FetchError> {
        let source = super::referrers::SOURCE;
        if self == Self::Layered {
            let source = source.into();
            let layers = Layers { registries, repository, source, name, deadline };
            return layers.read(manifest.layers.clone()).await;
        }
        let bad = |name: String, detail: String| {
            let (format, code) = ("oci".into(), Code::SignatureMalformed);
            let rejection = Rejection { source: source.into(), name, format, code, detail };
            Ok(Haul { unreadable: vec![rejection], ..Haul::default() })
        };
        let [layer] = manifest.layers.as_slice() else {
            return bad(name, format!("it has {} layers where one is read", manifest.layers.len()));
        };
        if self == Self::Bundle && layer.media_type != sigstore::BUNDLE {
            let kind = &layer.media_type;
            return bad(name, format!("its layer is of type {kind:?}, which is no bundle"));
        }
        let bytes = registries.blob(repository, layer, LARGEST_LAYER, deadline).await?;
        let signed = match self {
            Self::Notation => match notation::read(&layer.media_type, &bytes) {
                Ok(signed) => signed,
                Err(error) => return bad(name, error.to_string()),
            },
            _ => match sigstore::read_bundle(&bytes) {
                Ok(signed) => signed,
                Err(error) => return bad(name, error.to_string()),
            },
        };
        let candidate =
            Candidate { source: source.into(), name, note: None, recorded_at: None, signed };
        Ok(Haul { candidates: vec![candidate], ..Haul::default() })
    }
}
