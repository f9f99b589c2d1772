//! A claim about an image, signed.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Claim, PublishError, Signer};
use crate::{
    attest::{Candidate, Signed, sources::REFERRERS},
    name::{Fingerprint, PinnedImage},
    verify::{Attests, Authority, Identity, Image, Key, Layers, LayersCheckedBy, Trust, Verified},
};

/// A claim about an image with the signature of one key, checked as a gate would that trusts it.
#[derive(Clone, Debug)]
pub struct Attestation {
    pub(super) image: PinnedImage,
    pub(super) claim: Arc<Claim>,
    pub(super) signer: Fingerprint,
    pub(super) payload: Bytes,
    pub(super) signed: Signed,
    pub(super) created: Timestamp,
}

impl Attestation {
    /// Signs, and checks that what came out counts (P14).
    ///
    /// # Errors
    /// The key makes no signature, or one that would not count.
    pub fn sign(
        signer: &Signer,
        image: &PinnedImage,
        claim: &Arc<Claim>,
        trust: &Trust,
        created: Timestamp,
    ) -> Result<Self, PublishError> {
        let payload = claim.payload(image, created);
        let signed = match &**claim {
            Claim::SimpleSigning => signer.sign_simple(payload.clone(), created)?,
            Claim::ImageId => signer.sign_image_id(&payload, created)?,
            Claim::Statement { .. } => {
                Signed::Dsse(signer.sign_statement(payload.clone(), created)?)
            }
        };
        let attestation = Self {
            image: image.clone(),
            claim: Arc::clone(claim),
            signer: signer.fingerprint(),
            payload: payload.into(),
            signed,
            created,
        };
        attestation.check(trust)?;
        Ok(attestation)
    }

    /// Whether a gate would be content with it that trusts its key for this claim.
    pub(super) fn check(&self, trust: &Trust) -> Result<(), PublishError> {
        let candidate = Candidate::new(REFERRERS, self.image.to_string(), self.signed.clone());
        // A key elsewhere goes by another clock, and took its time.
        let now = Timestamp::now().max(self.created);
        let judged =
            trust.judge(&trust.open(&candidate, &[self.image.digest]), &exactly(&self.image), now);
        let authority = authority_of(&self.claim, self.signer);
        let is_it = |one: &Verified| one.authority() == authority && self.claim.is_said_by(one);
        if judged.verified.iter().any(is_it) {
            return Ok(());
        }
        match judged.rejected.into_iter().next() {
            Some(rejection) => Err(PublishError::Useless(Box::new(rejection))),
            None => Err(PublishError::Unreadable),
        }
    }
}

/// Trust in exactly these keys for exactly these claims, each as an authority of
/// [`authority_of`] that name.
pub(super) fn trust_in(
    keys: impl IntoIterator<Item = (Fingerprint, Vec<Key>)>,
    attests: &[Attests],
    note: Option<&crate::name::NoteName>,
) -> Result<Arc<Trust>, PublishError> {
    let authority = |name: String, keys: &[Key], attests: Vec<Attests>| {
        let mut authority = Authority::new(name, keys.to_vec());
        authority.attests = attests;
        authority.note = note.cloned();
        // Two subkeys in two certificates are the signer's own affair.
        authority.shared_key = true;
        authority
    };
    let mut authorities = Vec::new();
    for (signer, keys) in keys {
        // An image ID names no repository, so nothing else is asked of an authority for it.
        let (ids, others): (Vec<_>, Vec<_>) =
            attests.iter().cloned().partition(|kind| *kind == Attests::ImageId);
        if !others.is_empty() {
            authorities.push(authority(signer.to_string(), &keys, others));
        }
        if !ids.is_empty() {
            let mut of_ids = authority(authority_of(&Claim::ImageId, signer), &keys, ids);
            of_ids.identity = Identity::Digest;
            // What the layers are is for the gate to ask; here it is about the signature.
            of_ids.layers_checked_by = Some(LayersCheckedBy::Runtime);
            authorities.push(of_ids);
        }
    }
    Ok(Arc::new(Trust::new(authorities)?))
}

/// What the authority is called that counts this claim by this key.
pub(super) fn authority_of(claim: &Claim, signer: Fingerprint) -> String {
    match claim {
        Claim::ImageId => format!("image-id {signer}"),
        _ => signer.to_string(),
    }
}

/// The image by its very digest, and nothing beside it.
pub(super) fn exactly(image: &PinnedImage) -> Image<'_> {
    Image {
        repository: &image.repository,
        digest: image.digest,
        platform: None,
        // An image that is named by its ID has that for its digest.
        config: Some(image.digest),
        equals: &[],
        layers: Layers::NotCompared,
    }
}
