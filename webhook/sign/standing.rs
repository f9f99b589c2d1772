//! What these keys, and this store, say already.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Claim, Destinations, PATIENCE,
    attestation::{authority_of, exactly},
};
use crate::{
    attest::grafeas::Version,
    name::{Fingerprint, NoteName, PinnedImage},
    source::{
        Deadline, Evidence, EvidenceOptions, FetchError, Filed, FiledAbout, KnownLayers, Lifetimes,
        landed,
    },
    verify::{Trust, Verified},
};

/// Finds what stands already, so that nothing is said twice.
pub struct Standing {
    trust: Arc<Trust>,
    /// Of the images' registries, if attestations go there.
    referrers: Option<Evidence>,
    /// Of the store: what its lists held when they were read, for runs of many images.
    filed: Option<HashMap<PinnedImage, FiledAbout>>,
    notes: Vec<NoteName>,
}

/// What stands about one image.
pub struct StandingAbout {
    verified: Vec<Verified>,
    filed: FiledAbout,
}

impl Standing {
    /// Knows nothing yet.
    pub fn new(destinations: &Destinations, trust: &Arc<Trust>, notes: Vec<NoteName>) -> Self {
        let referrers = destinations.attach.then(|| {
            Evidence::new(EvidenceOptions {
                registries: Arc::clone(&destinations.registries),
                stores: Vec::new(),
                trust: Arc::clone(trust),
                lifetimes: Lifetimes { found: PATIENCE, none: PATIENCE },
                memory: 8 * 1024 * 1024,
                patience: PATIENCE,
                reads_configs: false,
                reads_statements: false,
                layers: KnownLayers::default(),
            })
        });
        Self { trust: Arc::clone(trust), referrers, filed: None, notes }
    }

    /// Reads the store's lists once for all images, where asking for each would read them as often:
    /// servers of v1beta1 are not relied on to filter.
    pub async fn read_ahead(
        &mut self,
        destinations: &Destinations,
        images: &[PinnedImage],
    ) -> Result<(), Arc<FetchError>> {
        let Some(destination) = &destinations.store else { return Ok(()) };
        if images.len() >= MANY && destination.store.api() == Version::V1Beta1 {
            let deadline = Deadline::after(PATIENCE * 10);
            let filed = destination.store.filed(images, &self.notes, deadline).await;
            self.filed = Some(filed.map_err(Arc::new)?);
        }
        Ok(())
    }

    /// What stands about one image at `now`.
    pub async fn about(
        &self,
        destinations: &Destinations,
        image: &PinnedImage,
        now: Timestamp,
    ) -> Result<StandingAbout, Arc<FetchError>> {
        let mut verified = Vec::new();
        if let Some(referrers) = &self.referrers {
            for answered in referrers.named(image).await {
                for opened in &answered.outcome?.opened {
                    verified.extend(self.trust.judge(opened, &exactly(image), now).verified);
                }
            }
        }
        let filed = self.filed_about(destinations, image).await?;
        if !filed.candidates.is_empty() {
            let (trust, candidates) = (Arc::clone(&self.trust), filed.candidates.clone());
            let image_id = [image.digest];
            let opening = tokio::task::spawn_blocking(move || {
                candidates.iter().map(|one| trust.open(one, &image_id)).collect::<Vec<_>>()
            });
            for opened in landed(opening).await {
                verified.extend(self.trust.judge(&opened, &exactly(image), now).verified);
            }
        }
        Ok(StandingAbout { verified, filed })
    }

    async fn filed_about(
        &self,
        destinations: &Destinations,
        image: &PinnedImage,
    ) -> Result<FiledAbout, Arc<FetchError>> {
        let Some(destination) = &destinations.store else { return Ok(FiledAbout::default()) };
        if let Some(filed) = &self.filed {
            return Ok(filed.get(image).cloned().unwrap_or_default());
        }
        let (one, deadline) = (std::slice::from_ref(image), Deadline::after(PATIENCE));
        let filed: Result<Filed, _> = destination.store.filed(one, &self.notes, deadline).await;
        Ok(filed.map_err(Arc::new)?.remove(image).unwrap_or_default())
    }
}

/// Where one claim by one key stands.
pub struct Said<'a> {
    claim: &'a Claim,
    authority: String,
    verified: &'a [Verified],
}

impl StandingAbout {
    /// Where the claim stands, signed by that key.
    pub fn of<'a>(&'a self, claim: &'a Claim, signer: Fingerprint) -> Said<'a> {
        Said { claim, authority: authority_of(claim, signer), verified: &self.verified }
    }

    /// The name of an unsigned occurrence that says all that this one says.
    pub fn record(&self, occurrence: &Value) -> Option<&str> {
        self.filed.record(occurrence)
    }
}

impl Said<'_> {
    /// What it is called at a source, if it stands there.
    pub fn at(&self, source: &str) -> Option<String> {
        self.verified
            .iter()
            .find(|one| {
                one.source() == source
                    && one.authority() == self.authority
                    && self.claim.is_said_by(one)
            })
            .map(|known| known.name().to_owned())
    }
}

/// So many images, and reading whole lists once costs less.
const MANY: usize = 8;
