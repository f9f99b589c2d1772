//! Metadata on its way to the image that it is about.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Artifact, Layer, PATIENCE, PublishError, Signer,
    attestation::{exactly, trust_in},
};
use crate::{
    attest::{
        Candidate, Envelope, STATEMENT_TYPE, Signed,
        artifact::ENVELOPE_LAYER,
        metadata::{
            ARTIFACT_TYPE, MediaType, Metadata, MetadataType, PREDICATE_TYPE, TYPE_ANNOTATION,
            UNSIGNED_LAYER,
        },
        sources::REFERRERS,
    },
    name::{Digest, Fingerprint, PinnedImage},
    source::{Deadline, Reference, Registries, StoredMetadata, landed},
    verify::{Attests, Trust},
};

/// Metadata that is to stand beside an image.
#[derive(Clone, Debug)]
pub struct MetadataDraft {
    /// What it is about.
    pub kind: MetadataType,
    /// What the bytes are.
    pub media_type: MediaType,
    /// The bytes.
    pub value: Bytes,
    /// From when on it should not count any more.
    pub expires: Option<Timestamp>,
}

/// Where metadata stands now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlacedMetadata {
    /// Who signed it, if anybody did.
    pub signer: Option<Fingerprint>,
    /// The referrer.
    pub digest: Digest,
    /// The fallback tag that lists it, where the registry does not.
    pub tag: Option<String>,
    /// It stood there before.
    pub unchanged: bool,
}

/// Puts metadata beside images: signed with some keys, or by nobody.
pub struct MetadataWriter {
    registries: Arc<Registries>,
    signers: Arc<[Signer]>,
    trust: Arc<Trust>,
}

impl MetadataWriter {
    /// A writer that signs with these keys; without any it signs nothing.
    ///
    /// # Errors
    /// A key's public half is one that no gate would accept.
    pub fn new(registries: Arc<Registries>, signers: Vec<Signer>) -> Result<Self, PublishError> {
        let keys = signers
            .iter()
            .map(|signer| Ok((signer.fingerprint(), signer.verifying()?)))
            .collect::<Result<Vec<_>, PublishError>>()?;
        let trust = trust_in(keys, &[Attests::AnyMetadata], None)?;
        Ok(Self { registries, signers: signers.into(), trust })
    }

    /// Puts the draft beside the image, once for each key, where it is not that key's last word
    /// already. Fails at the first that cannot be placed; what was placed before stands.
    ///
    /// # Errors
    /// A key signs nothing that would count, or the registry does not take it.
    pub async fn put(
        &self,
        image: &PinnedImage,
        draft: &MetadataDraft,
        now: Timestamp,
    ) -> Result<Vec<PlacedMetadata>, PublishError> {
        let deadline = Deadline::after(PATIENCE);
        let (standing, _) = self.registries.metadata(image, deadline).await.map_err(Arc::new)?;
        if self.signers.is_empty() {
            return Ok(vec![self.place(image, draft, &standing, None, now).await?]);
        }
        let mut placed = Vec::new();
        for number in 0..self.signers.len() {
            placed.push(self.place(image, draft, &standing, Some(number), now).await?);
        }
        Ok(placed)
    }

    async fn place(
        &self,
        image: &PinnedImage,
        draft: &MetadataDraft,
        standing: &[StoredMetadata],
        number: Option<usize>,
        now: Timestamp,
    ) -> Result<PlacedMetadata, PublishError> {
        let signer = number.and_then(|at| self.signers.get(at)).map(Signer::fingerprint);
        if let Some(known) = last_word(draft, standing, signer, now)
            && self.counts(known, draft, signer, now)
        {
            let digest = known.referrer;
            return Ok(PlacedMetadata { signer, digest, tag: None, unchanged: true });
        }
        let MetadataDraft { kind, media_type, value, expires } = draft.clone();
        let metadata = Metadata::of(kind, media_type, &value, now, expires);
        let statement = statement(image, &metadata);
        let (bytes, layer_type) = match number {
            None => (statement, UNSIGNED_LAYER),
            Some(number) => {
                let envelope = self.sign(image, number, statement, &value, now).await?;
                let bytes = serde_json::to_vec(&envelope).map_err(|_| PublishError::Unreadable)?;
                (bytes, ENVELOPE_LAYER)
            }
        };
        let deadline = Deadline::after(PATIENCE);
        let (registries, repository) = (&self.registries, &image.repository);
        let by_digest = Reference::Digest(image.digest);
        let fetched =
            registries.manifest(repository, by_digest, deadline).await.map_err(Arc::new)?;
        let layers = vec![
            Layer { media_type: layer_type.into(), bytes: bytes.into() },
            Layer { media_type: metadata.media_type.to_string(), bytes: value },
        ];
        let mut artifact = Artifact::new(&fetched, ARTIFACT_TYPE, layers, PREDICATE_TYPE, now);
        let kind = metadata.kind.to_string();
        artifact.manifest.annotations.insert(TYPE_ANNOTATION.into(), kind);
        let pushed = artifact.push(registries, repository, deadline).await.map_err(Arc::new)?;
        let (digest, tag) = (pushed.digest, pushed.fallback_tag);
        Ok(PlacedMetadata { signer, digest, tag, unchanged: false })
    }

    /// Whether what stands there is really the signer's.
    fn counts(
        &self,
        known: &StoredMetadata,
        draft: &MetadataDraft,
        signer: Option<Fingerprint>,
        now: Timestamp,
    ) -> bool {
        let (Some(signer), Some(candidate)) = (signer, known.candidate(draft.value.clone())) else {
            return known.envelope.is_none();
        };
        let opened = self.trust.open(&candidate, &[]);
        let judged = self.trust.judge(&opened, &exactly(&known.image), now);
        judged.verified.iter().any(|one| one.authority() == signer.to_string())
    }

    /// Signs where it keeps nobody waiting, and checks that it counts (P14).
    async fn sign(
        &self,
        image: &PinnedImage,
        number: usize,
        statement: Vec<u8>,
        value: &Bytes,
        now: Timestamp,
    ) -> Result<Envelope, PublishError> {
        let (signers, trust) = (Arc::clone(&self.signers), Arc::clone(&self.trust));
        let (image, value) = (image.clone(), value.clone());
        let signing = tokio::task::spawn_blocking(move || {
            let signer = signers.get(number).ok_or(PublishError::Unreadable)?;
            let envelope = signer.sign_statement(statement, now)?;
            let signed = Signed::Metadata { envelope: envelope.clone(), value };
            let candidate = Candidate::new(REFERRERS, image.to_string(), signed);
            // A key elsewhere goes by another clock, and took its time.
            let then = Timestamp::now().max(now);
            let judged = trust.judge(&trust.open(&candidate, &[]), &exactly(&image), then);
            match judged.rejected.into_iter().next() {
                _ if !judged.verified.is_empty() => Ok(envelope),
                Some(rejection) => Err(PublishError::Useless(Box::new(rejection))),
                None => Err(PublishError::Unreadable),
            }
        });
        landed(signing).await
    }
}

/// The newest of the signer's metadata of that type, by its own word and the hint of who made it.
fn last_word<'s>(
    draft: &MetadataDraft,
    standing: &'s [StoredMetadata],
    signer: Option<Fingerprint>,
    now: Timestamp,
) -> Option<&'s StoredMetadata> {
    let by_signer = |one: &StoredMetadata| match (&one.envelope, signer) {
        (None, None) => true,
        (Some(envelope), Some(signer)) => {
            let signer = signer.to_string();
            envelope.signatures().iter().any(|one| one.key_id.as_ref() == Some(&signer))
        }
        _ => false,
    };
    let of_kind = standing.iter().filter(|one| one.metadata.kind == draft.kind);
    let newest = of_kind.filter(|one| by_signer(one)).max_by_key(|one| one.metadata.created)?;
    let Metadata { digest, media_type, expires, .. } = &newest.metadata;
    let same = digest.covers(&draft.value)
        && *media_type == draft.media_type
        && *expires == draft.expires
        && !newest.metadata.expired(now);
    same.then_some(newest)
}

fn statement(image: &PinnedImage, metadata: &Metadata) -> Vec<u8> {
    json!({
        "_type": STATEMENT_TYPE,
        "subject": [{
            "name": image.repository.to_string(),
            "digest": {image.digest.algorithm(): image.digest.hex()},
        }],
        "predicateType": PREDICATE_TYPE,
        "predicate": metadata,
    })
    .to_string()
    .into_bytes()
}
