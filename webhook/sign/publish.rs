//! Sign, check, publish, read back: everything that is to be said about one image.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Artifact, Attestation, Claim, Folder, Layer, PATIENCE, Publication, PublishError, Receipt,
    Record, RecordKind, Signer, SigningKeyError,
    attestation::trust_in,
    occurrence,
    standing::{Said, Standing, StandingAbout},
};
use crate::{
    attest::{
        Signed,
        artifact::{ARTIFACT_TYPE, ENVELOPE_LAYER, LARGEST_LAYER, SIMPLE_SIGNING_LAYER},
        sources::REFERRERS,
    },
    name::{Fingerprint, NoteName, PinnedImage, ProjectName},
    source::{Deadline, FetchError, GrafeasStore, Reference, Registries, landed},
    verify::{Attests, Key, Trust},
};

/// Where attestations go.
pub struct Destinations {
    /// The registries of the images: referrers are pushed there if `attach`.
    pub registries: Arc<Registries>,
    /// Whether to attach attestations to their images.
    pub attach: bool,
    /// The Grafeas server to write occurrences to.
    pub store: Option<StoreDestination>,
    /// The folder to write to, for a machine that has the network.
    pub folder: Option<Folder>,
}

/// A Grafeas server and where in it occurrences go.
pub struct StoreDestination {
    /// The server.
    pub store: Arc<GrafeasStore>,
    /// The note that attestations are filed under.
    pub note: NoteName,
    /// The project that occurrences are written into.
    pub project: ProjectName,
}

/// All that is to be said about one image.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The image.
    pub image: PinnedImage,
    /// What every key signs.
    pub claims: Vec<Arc<Claim>>,
    /// What was signed elsewhere.
    pub signed: Vec<Attestation>,
    /// What nobody signs; it goes to the store.
    pub records: Vec<Record>,
}

/// Signs with some keys and publishes, knows what they have signed already.
pub struct Publisher {
    signers: Arc<[Signer]>,
    destinations: Destinations,
    trust: Arc<Trust>,
    standing: Standing,
}

impl Publisher {
    /// A publisher of these entries, that signs with `signers` and checks what was signed elsewhere
    /// by `keys`. Reads ahead what stands already, where the entries are many.
    ///
    /// # Errors
    /// A key's public half is one that no gate would accept; a key in PEM and simple signing that
    /// is to be attached; the store's lists cannot be read, the folder not written.
    pub async fn new(
        signers: Vec<Signer>,
        keys: Vec<(Fingerprint, Vec<Key>)>,
        entries: &[Entry],
        destinations: Destinations,
    ) -> Result<Self, PublishError> {
        let mut claims: Vec<&Claim> = Vec::new();
        for entry in entries {
            claims.extend(entry.claims.iter().map(|claim| &**claim));
            claims.extend(entry.signed.iter().map(|signed| &*signed.claim));
        }
        let messages = claims.iter().any(|claim| matches!(claim, Claim::SimpleSigning));
        if destinations.attach && messages && !signers.iter().all(Signer::makes_messages) {
            return Err(SigningKeyError::PemMessage.into());
        }
        let mut attests: Vec<Attests> = Vec::new();
        for kind in claims.iter().map(|claim| claim.attests()) {
            if !attests.contains(&kind) {
                attests.push(kind);
            }
        }
        let mut known = keys;
        for signer in &signers {
            known.push((signer.fingerprint(), signer.verifying()?));
            destinations.folder.as_ref().map_or(Ok(()), |folder| folder.add_key(signer))?;
        }
        if attests.is_empty() {
            known.clear();
        }
        let own_note = destinations.store.as_ref().map(|store| &store.note);
        let trust = trust_in(known, &attests, own_note)?;
        let mut notes: Vec<NoteName> = own_note.into_iter().cloned().collect();
        if let Some(store) = &destinations.store {
            for record in entries.iter().flat_map(|entry| &entry.records) {
                notes.push(store.note_of(record)?);
            }
        }
        notes.sort();
        notes.dedup();
        let mut standing = Standing::new(&destinations, &trust, notes);
        let images: Vec<PinnedImage> = entries.iter().map(|entry| entry.image.clone()).collect();
        standing.read_ahead(&destinations, &images).await?;
        Ok(Self { signers: signers.into(), destinations, trust, standing })
    }

    /// Signs and publishes what does not stand yet. One receipt for each claim and key, then one for
    /// each record.
    pub async fn publish(&self, entry: &Entry) -> Vec<Receipt> {
        let now = Timestamp::now();
        let image = &entry.image;
        let standing = self.standing.about(&self.destinations, image, now).await;
        let mut receipts = Vec::new();
        for claim in &entry.claims {
            for (number, signer) in self.signers.iter().map(Signer::fingerprint).enumerate() {
                let makes = || self.sign(number, image, claim, now);
                receipts.push(self.claim(image, claim, signer, &standing, makes).await);
            }
        }
        for signed in &entry.signed {
            let makes = || self.checked(signed);
            receipts.push(self.claim(image, &signed.claim, signed.signer, &standing, makes).await);
        }
        // That a scan finished is said last, and only where all that it found is filed: else what is
        // missing would pass for what is not there.
        let is_last = |record: &&Record| record.kind == RecordKind::Discovery;
        let (last, first): (Vec<_>, Vec<_>) = entry.records.iter().partition(is_last);
        let mut complete = true;
        for record in first.into_iter().chain(last) {
            let mut receipt = Receipt::of_record(image, record.kind);
            let outcome = match &standing {
                Err(error) => Err(Arc::clone(error).into()),
                Ok(_) if is_last(&record) && !complete => Err(PublishError::Findings),
                Ok(standing) => self.record(image, record, standing, &mut receipt.published).await,
            };
            complete &= record.kind != RecordKind::Vulnerability || outcome.is_ok();
            receipts.push(receipt.with(outcome));
        }
        receipts
    }

    /// Publishes one claim by one key where it does not stand.
    async fn claim<F: Future<Output = Result<Attestation, PublishError>>>(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        signer: Fingerprint,
        standing: &Result<StandingAbout, Arc<FetchError>>,
        makes: impl FnOnce() -> F,
    ) -> Receipt {
        let mut receipt = Receipt::of_claim(image, claim.predicate_type(), signer);
        let outcome = match standing {
            Err(error) => Err(Arc::clone(error).into()),
            Ok(standing) => {
                let said = standing.of(claim, signer);
                self.place(image, claim, signer, said, makes, &mut receipt.published).await
            }
        };
        receipt.with(outcome)
    }

    /// Puts a claim everywhere it belongs; it is signed only if it has to be.
    async fn place<F: Future<Output = Result<Attestation, PublishError>>>(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        signer: Fingerprint,
        said: Said<'_>,
        makes: impl FnOnce() -> F,
        published: &mut Vec<Publication>,
    ) -> Result<(), PublishError> {
        let Destinations { attach, store, folder, .. } = &self.destinations;
        // A registry knows no image IDs.
        let attach = *attach && !matches!(claim, Claim::ImageId);
        let attached = attach.then(|| said.at(REFERRERS)).flatten();
        let filed = store.as_ref().and_then(|destination| said.at(destination.store.name()));
        let kept = folder.as_ref().map(|folder| folder.place_of(image, claim, signer));
        let complete = (!attach || attached.is_some())
            && (store.is_none() || filed.is_some())
            && kept.as_ref().is_none_or(|(_, there)| *there);
        let attestation = if complete { None } else { Some(makes().await?) };
        if attach {
            published.push(match (attached, &attestation) {
                (None, Some(attestation)) => self.attach(image, attestation).await?,
                (known, _) => {
                    let name = known.unwrap_or_default();
                    let digest = name.rsplit('@').next().unwrap_or_default().to_owned();
                    Publication::Referrer { digest, tag: None, unchanged: true }
                }
            });
        }
        if let Some(destination) = store {
            published.push(match (filed, &attestation) {
                (None, Some(attestation)) => {
                    let api = destination.store.api();
                    let body = occurrence::of(attestation, &destination.note, api)?;
                    destination.file(&body).await?
                }
                (known, _) => destination.unchanged(known.unwrap_or_default()),
            });
        }
        if let (Some(folder), Some((path, there))) = (folder, kept) {
            published.push(match &attestation {
                Some(attestation) if !there => folder.add(attestation)?,
                _ => Publication::File { path: path.display().to_string(), unchanged: true },
            });
        }
        Ok(())
    }

    async fn record(
        &self,
        image: &PinnedImage,
        record: &Record,
        standing: &StandingAbout,
        published: &mut Vec<Publication>,
    ) -> Result<(), PublishError> {
        if self.destinations.store.is_none() && self.destinations.folder.is_none() {
            return Err(PublishError::NoStore);
        }
        if let Some(destination) = &self.destinations.store {
            let occurrence = record.occurrence(image, &destination.note_of(record)?);
            published.push(match standing.record(&occurrence) {
                Some(name) => destination.unchanged(name.to_owned()),
                None => destination.file(&occurrence).await?,
            });
        }
        if let Some(folder) = &self.destinations.folder {
            published.push(folder.add_record(image, record)?);
        }
        Ok(())
    }

    /// Signs where it keeps nobody waiting.
    async fn sign(
        &self,
        number: usize,
        image: &PinnedImage,
        claim: &Arc<Claim>,
        now: Timestamp,
    ) -> Result<Attestation, PublishError> {
        let (signers, trust) = (Arc::clone(&self.signers), Arc::clone(&self.trust));
        let (image, claim) = (image.clone(), Arc::clone(claim));
        let signing = tokio::task::spawn_blocking(move || match signers.get(number) {
            Some(signer) => Attestation::sign(signer, &image, &claim, &trust, now),
            None => Err(PublishError::Unreadable),
        });
        landed(signing).await
    }

    /// What was signed elsewhere, if its signature is good and says what it is published for.
    async fn checked(&self, signed: &Attestation) -> Result<Attestation, PublishError> {
        if self.trust.authority(&signed.signer.to_string()).is_none() {
            return Err(PublishError::NoPublicHalf(signed.signer));
        }
        let (signed, trust) = (signed.clone(), Arc::clone(&self.trust));
        let checking = tokio::task::spawn_blocking(move || signed.check(&trust).map(|()| signed));
        landed(checking).await
    }

    async fn attach(
        &self,
        image: &PinnedImage,
        attestation: &Attestation,
    ) -> Result<Publication, PublishError> {
        let (bytes, media_type) = match &attestation.signed {
            Signed::OpenPgpMessage(message) => (message.clone(), SIMPLE_SIGNING_LAYER),
            Signed::Dsse(envelope) => {
                let bytes = serde_json::to_vec(envelope).map_err(|_| PublishError::Unreadable)?;
                (bytes.into(), ENVELOPE_LAYER)
            }
            _ => return Err(SigningKeyError::PemMessage.into()),
        };
        if bytes.len() as u64 > LARGEST_LAYER {
            return Err(PublishError::TooLarge { size: bytes.len(), most: LARGEST_LAYER });
        }
        let (registries, repository) = (&self.destinations.registries, &image.repository);
        let deadline = Deadline::after(PATIENCE);
        let by_digest = Reference::Digest(image.digest);
        let fetched =
            registries.manifest(repository, by_digest, deadline).await.map_err(Arc::new)?;
        let layers = vec![Layer { media_type: media_type.into(), bytes }];
        let predicate_type = attestation.claim.predicate_type();
        let created = attestation.created;
        let artifact = Artifact::new(&fetched, ARTIFACT_TYPE, layers, predicate_type, created);
        let pushed = artifact.push(registries, repository, deadline).await.map_err(Arc::new)?;
        Ok(Publication::Referrer {
            digest: pushed.digest.to_string(),
            tag: pushed.fallback_tag,
            unchanged: false,
        })
    }
}

impl StoreDestination {
    async fn file(&self, occurrence: &serde_json::Value) -> Result<Publication, PublishError> {
        let deadline = Deadline::after(PATIENCE);
        let name = self
            .store
            .create_occurrence(&self.project, occurrence, deadline)
            .await
            .map_err(Arc::new)?
            .to_string();
        Ok(Publication::Occurrence { store: self.store.name().to_owned(), name, unchanged: false })
    }

    fn unchanged(&self, name: String) -> Publication {
        Publication::Occurrence { store: self.store.name().to_owned(), name, unchanged: true }
    }
}
