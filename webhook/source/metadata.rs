//! Metadata beside an image as it is stored, for those who list, print and replace it. Nothing in
//! it is proven; what the gate counts it reads for itself.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Deadline, FetchError, Peer, Reference, Registries};
use crate::{
    attest::{
        BadStatement, Candidate, Envelope, IN_TOTO, Signed, Statement,
        metadata::{
            ARTIFACT_TYPE, BadMetadata, LARGEST_STATEMENT, LARGEST_VALUE, Layers, Metadata,
        },
        oci::{Descriptor, Document, Manifest},
        sources::REFERRERS,
    },
    name::{Digest, PinnedImage},
};

/// One referrer with metadata.
#[derive(Clone, Debug)]
pub struct StoredMetadata {
    /// The image that it refers to.
    pub image: PinnedImage,
    /// The digest of the referrer.
    pub referrer: Digest,
    /// What it says.
    pub metadata: Metadata,
    /// The statement as it was signed, if it was.
    pub envelope: Option<Envelope>,
    value: Descriptor,
}

/// A referrer that says it is metadata and cannot be read.
#[derive(Debug)]
pub struct UnreadableMetadata {
    /// The digest of the referrer.
    pub referrer: Digest,
    /// What is wrong with it.
    pub why: NotStored,
}

/// Why a referrer is no metadata of its image.
#[derive(Debug, thiserror::Error)]
pub enum NotStored {
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    #[error(transparent)]
    Statement(#[from] BadStatement),
    #[error("its envelope is of type {0:?}")]
    PayloadType(String),
    #[error("it is about another image")]
    OtherImage,
}

impl Registries {
    /// All metadata that refers to an image, the newest first by its own word, and what only says
    /// that it is metadata.
    ///
    /// # Errors
    /// The registry did not do its part, or has too much.
    pub async fn metadata(
        &self,
        image: &PinnedImage,
        deadline: Deadline,
    ) -> Result<(Vec<StoredMetadata>, Vec<UnreadableMetadata>), FetchError> {
        let PinnedImage { repository, digest } = image;
        let listed = self.referrers(repository, *digest, deadline).await?;
        let may_be = |referrer: &Descriptor| {
            referrer.artifact_type.as_deref().is_none_or(|kind| kind == ARTIFACT_TYPE)
        };
        let mut reading = stream::iter(listed.into_iter().filter(may_be))
            .map(|referrer| self.stored(image, referrer.digest, deadline))
            .buffered(AT_A_TIME);
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        while let Some(read) = reading.try_next().await? {
            match read {
                None => {}
                Some(Ok(stored)) => found.push(stored),
                Some(Err(bad)) => unreadable.push(bad),
            }
            if found.len() + unreadable.len() > MOST {
                let peer = Peer::Registry(repository.host().into());
                let what = "pieces of metadata of one image";
                return Err(FetchError::TooMuch { peer, limit: MOST as u64, what });
            }
        }
        found.sort_by_key(|one| std::cmp::Reverse(one.metadata.created));
        Ok((found, unreadable))
    }

    /// The bytes of the value, which hash to what the metadata says.
    ///
    /// # Errors
    /// They could not be had.
    pub async fn metadata_value(
        &self,
        stored: &StoredMetadata,
        deadline: Deadline,
    ) -> Result<bytes::Bytes, FetchError> {
        self.blob(&stored.image.repository, &stored.value, LARGEST_VALUE, deadline).await
    }

    /// One referrer, if it is metadata at all.
    async fn stored(
        &self,
        image: &PinnedImage,
        referrer: Digest,
        deadline: Deadline,
    ) -> Result<Option<Result<StoredMetadata, UnreadableMetadata>>, FetchError> {
        let at = Reference::Digest(referrer);
        let fetched = match self.manifest(&image.repository, at, deadline).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_absence() => return Ok(None),
            Err(error) => return Err(error),
        };
        let Ok(Document::Manifest(manifest)) = fetched.document() else { return Ok(None) };
        if manifest.effective_type() != ARTIFACT_TYPE {
            return Ok(None);
        }
        let unreadable = |why| Ok(Some(Err(UnreadableMetadata { referrer, why })));
        let layers = match layers(&manifest, image) {
            Ok(layers) => layers,
            Err(why) => return unreadable(why),
        };
        let statement =
            self.blob(&image.repository, layers.statement, LARGEST_STATEMENT, deadline).await?;
        Ok(Some(match said(&statement, &layers, image) {
            Ok((metadata, envelope)) => Ok(StoredMetadata {
                image: image.clone(),
                referrer,
                metadata,
                envelope,
                value: layers.value.clone(),
            }),
            Err(why) => Err(UnreadableMetadata { referrer, why }),
        }))
    }
}

impl StoredMetadata {
    /// What its signature is, together with its value, for who verifies it; nothing where it is not
    /// signed.
    pub fn candidate(&self, value: bytes::Bytes) -> Option<Candidate> {
        let envelope = self.envelope.clone()?;
        let name = format!("{}@{}", self.image.repository, self.referrer);
        Some(Candidate::new(REFERRERS, name, Signed::Metadata { envelope, value }))
    }
}

fn layers<'m>(manifest: &'m Manifest, image: &PinnedImage) -> Result<Layers<'m>, NotStored> {
    if manifest.subject.as_ref().is_none_or(|subject| subject.digest != image.digest) {
        return Err(NotStored::OtherImage);
    }
    Ok(Layers::of(manifest)?)
}

/// Reads the statement, whose digest and size must be those of the layer beside it.
fn said(
    statement: &[u8],
    layers: &Layers<'_>,
    image: &PinnedImage,
) -> Result<(Metadata, Option<Envelope>), NotStored> {
    let envelope = layers.signed.then(|| Envelope::parse(statement)).transpose();
    let envelope = envelope.map_err(BadMetadata::Envelope)?;
    if let Some(other) = envelope.as_ref().filter(|envelope| envelope.payload_type() != IN_TOTO) {
        return Err(NotStored::PayloadType(other.payload_type().to_owned()));
    }
    let payload = envelope.as_ref().map_or(statement, |envelope| envelope.payload());
    let Statement { predicate_type, subjects, predicate } = Statement::parse(payload)?;
    let is_image =
        |(kind, hex): (&str, &str)| kind == image.digest.algorithm() && hex == image.digest.hex();
    if !subjects.iter().flat_map(|subject| subject.digests.iter()).any(is_image) {
        return Err(NotStored::OtherImage);
    }
    let metadata = Metadata::read(&predicate_type, predicate)?;
    match (metadata.digest == layers.value.digest, metadata.size == layers.value.size) {
        (true, true) => Ok((metadata, envelope)),
        _ => Err(BadMetadata::OtherValue(metadata.digest).into()),
    }
}

/// Referrers that are read at a time.
const AT_A_TIME: usize = 8;

/// More than anybody can have put beside one image and still know of.
const MOST: usize = 256;
