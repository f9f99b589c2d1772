//! Referrers that other tools wrote: cosign's bundles and layers, Notation's signatures.

use crate::{
    attest::{artifact::LARGEST_LAYER, notation, oci::Manifest, sigstore, sources::REFERRERS},
    name::Repository,
    source::{FetchError, Registries},
};

use super::{
    lookup::Findings,
    opener::Opener,
    referrers::{Takes, candidate, rejection},
    tags::Layers,
};

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
        opener: &Opener,
    ) -> Result<Findings, FetchError> {
        if self == Self::Layered {
            let source = REFERRERS.into();
            let layers = Layers { registries, repository, source, name, opener };
            return layers.read(manifest.layers.clone()).await;
        }
        let unreadable =
            |rejection| Findings { unreadable: vec![rejection], ..Findings::default() };
        let [layer] = manifest.layers.as_slice() else {
            let layers = manifest.layers.len();
            return Ok(unreadable(rejection(
                name,
                &format!("it has {layers} layers where one is read"),
            )));
        };
        if self == Self::Bundle && layer.media_type != sigstore::BUNDLE {
            let kind = &layer.media_type;
            let why = format!("its layer is of type {kind:?}, which is no bundle");
            return Ok(unreadable(rejection(name, &why)));
        }
        let bytes = registries.blob(repository, layer, LARGEST_LAYER, opener.deadline).await?;
        let size = bytes.len();
        let media_type = layer.media_type.clone();
        let read = move || {
            let signed = match self {
                Self::Notation => match notation::read(&media_type, &bytes) {
                    Ok(signed) => signed,
                    Err(error) => return Err(rejection(name, &error.to_string())),
                },
                _ => match sigstore::read_bundle(&bytes) {
                    Ok(signed) => signed,
                    Err(error) => return Err(rejection(name, &error.to_string())),
                },
            };
            Ok(candidate(name, signed))
        };
        Ok(match opener.open(size, read).await? {
            Ok(opened) => Findings { opened: vec![opened], ..Findings::default() },
            Err(rejection) => unreadable(rejection),
        })
    }
}
