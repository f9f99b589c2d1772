//! A claim about an image, signed.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Claim, PublishError, Signer};
use crate::{
    attest::{Candidate, Signed},
    name::{Fingerprint, PinnedImage},
    verify::{Attests, Authority, Image, Key, Trust},
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
        let candidate = Candidate {
            source: "referrers".into(),
            name: self.image.to_string(),
            note: None,
            recorded_at: None,
            signed: self.signed.clone(),
        };
        // A key elsewhere goes by another clock, and took its time.
        let now = Timestamp::now().max(self.created);
        let judged = trust.judge(&trust.open(&candidate, &[]), &exactly(&self.image), now);
        let signer = self.signer.to_string();
        if judged.verified.iter().any(|one| one.authority() == signer && self.claim.is_said_by(one))
        {
            return Ok(());
        }
        match judged.rejected.into_iter().next() {
            Some(rejection) => Err(PublishError::Useless(Box::new(rejection))),
            None => Err(PublishError::Unreadable),
        }
    }
}

/// Trust in exactly these keys for exactly these claims, each as an authority that is named by its
/// fingerprint.
pub(super) fn trust_in(
    keys: impl IntoIterator<Item = (Fingerprint, Vec<Key>)>,
    attests: &[Attests],
    note: Option<&crate::name::NoteName>,
) -> Result<Arc<Trust>, PublishError> {
    let authorities = keys.into_iter().map(|(fingerprint, keys)| {
        let mut authority = Authority::new(fingerprint.to_string(), keys);
        authority.attests = attests.to_vec();
        authority.note = note.cloned();
        // Two subkeys in two certificates are the signer's own affair.
        authority.shared_key = true;
        authority
    });
    Ok(Arc::new(Trust::new(authorities.collect())?))
}

/// The image by its very digest, and nothing beside it.
pub(super) fn exactly(image: &PinnedImage) -> Image<'_> {
    Image {
        repository: &image.repository,
        digest: image.digest,
        platform: None,
        config: None,
        equals: &[],
    }
}
