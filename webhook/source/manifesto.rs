//! Manifesto's list of a repository, and the values that it names.

use bytes::Bytes;

use super::{Deadline, FetchError, Reference, Registries};
use crate::{
    attest::{
        manifesto::{BadManifesto, LARGEST_LAYER, ManifestoIndex, TAG, data},
        metadata::LARGEST_VALUE,
        oci::{Document, Manifest},
    },
    name::{Digest, Repository},
};

/// Why there is nothing of Manifesto's to be had.
#[derive(Debug, thiserror::Error)]
pub enum ManifestoError {
    /// The registry did not do its part.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What the tag names is not what Manifesto wrote.
    #[error("tag {TAG} of {repository} is none of Manifesto's: {why}")]
    Index { repository: Repository, why: BadManifesto },
    /// What the list names is no value.
    #[error("the value {digest}, which the list names, is none: {why}")]
    Value { digest: Digest, why: BadManifesto },
}

impl Registries {
    /// The list under the tag `_manifesto`. Nobody signed it.
    ///
    /// # Errors
    /// There is none, or something else.
    pub async fn manifesto(
        &self,
        repository: &Repository,
        deadline: Deadline,
    ) -> Result<ManifestoIndex, ManifestoError> {
        let layer = self.last_layer(repository, Reference::Tag(TAG), deadline).await?;
        let index = layer.and_then(|layer| ManifestoIndex::of_layer(&layer));
        index.map_err(|why| ManifestoError::Index { repository: repository.clone(), why })
    }

    /// A value that the list names: a blob, or the file in an image as the first version wrote it.
    ///
    /// # Errors
    /// It is neither there, or too large.
    pub async fn manifesto_value(
        &self,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<Bytes, ManifestoError> {
        let missing = match self.blob_of(repository, digest, LARGEST_VALUE, deadline).await {
            Ok(bytes) => return Ok(bytes),
            Err(error @ FetchError::NotFound { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        match self.last_layer(repository, Reference::Digest(digest), deadline).await {
            Ok(layer) => layer
                .and_then(|layer| data(&layer))
                .map(Bytes::from)
                .map_err(|why| ManifestoError::Value { digest, why }),
            Err(error) if error.is_absence() => Err(missing.into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn last_layer(
        &self,
        repository: &Repository,
        at: Reference<'_>,
        deadline: Deadline,
    ) -> Result<Result<Bytes, BadManifesto>, FetchError> {
        let fetched = self.manifest(repository, at, deadline).await?;
        let Document::Manifest(manifest) = fetched.document()? else {
            return Ok(Err(BadManifesto::NoLayers));
        };
        let Manifest { layers, .. } = *manifest;
        let Some(layer) = layers.last() else { return Ok(Err(BadManifesto::NoLayers)) };
        self.blob(repository, layer, LARGEST_LAYER, deadline).await.map(Ok)
    }
}
