//! Sign, check, publish, read back.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    attest::{
        Candidate, Envelope, EnvelopeSignature, IN_TOTO, Signed,
        artifact::{ENVELOPE_LAYER, SIMPLE_SIGNING_LAYER},
        oci::{EMPTY, media_type},
        pae,
    },
    name::{NoteName, PinnedImage, ProjectName},
    source::{
        Deadline, Evidence, EvidenceOptions, FetchError, GrafeasStore, Reference, Registries, Shelf,
    },
    verify::{Authority, Image, Key, KeyError, Rejection, Trust, TrustError, Verified},
};

use super::{Artifact, Claim, SigningKey, SigningKeyError, occurrence};

/// Where attestations go.
pub struct Destinations {
    /// The registries of the images: referrers are pushed there if `attach`.
    pub registries: Arc<Registries>,
    /// Whether to attach attestations to their images.
    pub attach: bool,
    /// The Grafeas server to write occurrences to.
    pub store: Option<StoreDestination>,
}

/// A Grafeas server and where in it occurrences go.
pub struct StoreDestination {
    /// The server.
    pub store: Arc<GrafeasStore>,
    /// The note that they are filed under.
    pub note: NoteName,
    /// The project that they are written into.
    pub project: ProjectName,
}

/// What became of one claim about one image, signed with one key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The image's repository.
    pub image: String,
    /// Its digest.
    pub digest: String,
    /// `simple-signing` or a URI.
    pub predicate_type: String,
    /// The fingerprint of the signer's certificate.
    pub signer: String,
    /// Where it stands now.
    pub published: Vec<Publication>,
}

/// One place where an attestation stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Publication {
    /// In a Grafeas server.
    Occurrence {
        store: String,
        name: String,
        /// It stood there before.
        unchanged: bool,
    },
    /// In the image's registry.
    Referrer {
        digest: String,
        /// The fallback tag that lists it, where the registry does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
        /// It stood there before.
        unchanged: bool,
    },
}

/// Why nothing, or not all, was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// The key's certificate cannot be read back.
    #[error(transparent)]
    Certificate(#[from] KeyError),
    /// The key's certificate cannot stand for an authority.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A registry or store did not do its part.
    #[error(transparent)]
    Fetch(#[from] Arc<FetchError>),
    /// The signature just made would not count, so it was not published.
    #[error("the signature that was just made does not count: {} ({})", .0.detail, .0.code)]
    Useless(Box<Rejection>),
    /// The payload is not what verifiers read.
    #[error("the statement is not one that verifiers read; check the predicate")]
    Unreadable,
}

/// One signer at work: signs with one key, knows what that key has signed already.
pub struct Publisher<'a> {
    key: &'a SigningKey,
    destinations: &'a Destinations,
    trust: Arc<Trust>,
    evidence: Evidence,
}

impl<'a> Publisher<'a> {
    /// A publisher that signs with `key`.
    ///
    /// # Errors
    /// The key's own certificate is one that no gate would accept.
    pub fn new(
        key: &'a SigningKey,
        claims: &[Claim],
        destinations: &'a Destinations,
    ) -> Result<Self, PublishError> {
        let mut authority = Authority::new("signer", Key::openpgp(&key.certificate()?)?);
        authority.note = destinations.store.as_ref().map(|store| store.note.clone());
        authority.attests = claims.iter().map(Claim::attests).collect();
        let trust = Arc::new(Trust::new(vec![authority])?);
        let stores = destinations.store.iter().map(|store| Arc::clone(&store.store)).collect();
        let evidence = Evidence::new(EvidenceOptions {
            registries: Arc::clone(&destinations.registries),
            stores,
            trust: Arc::clone(&trust),
            shelf: Shelf { found: PATIENCE, none: PATIENCE },
            memory: 8 * 1024 * 1024,
            patience: PATIENCE,
            reads_settings: false,
        });
        Ok(Self { key, destinations, trust, evidence })
    }

    /// Signs `claim` about `image` and publishes it where it does not stand yet.
    ///
    /// # Errors
    /// A [`PublishError`]; `receipt` then tells what was published before.
    pub async fn publish(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Receipt, PublishError> {
        let standing = self.standing(image, claim, now).await?;
        let signed = self.sign(image, claim, now)?;
        let mut published = Vec::new();
        if self.destinations.attach {
            published.push(match find(&standing, "referrers") {
                Some(known) => Publication::Referrer {
                    digest: known.name().rsplit('@').next().unwrap_or_default().to_owned(),
                    tag: None,
                    unchanged: true,
                },
                None => self.attach(image, claim, &signed, now).await?,
            });
        }
        if let Some(destination) = &self.destinations.store {
            let standing = find(&standing, destination.store.name());
            published.push(self.file(image, destination, &signed, standing).await?);
        }
        Ok(Receipt {
            image: image.repository.to_string(),
            digest: image.digest.to_string(),
            predicate_type: claim.predicate_type().to_owned(),
            signer: self.key.fingerprint().to_string(),
            published,
        })
    }

    /// What this key says already about the image that means the same.
    async fn standing(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Vec<Verified>, PublishError> {
        let answers = self.evidence.named(image).await;
        let mut standing = Vec::new();
        for answered in answers {
            for opened in &answered.outcome?.opened {
                standing.extend(self.trust.judge(opened, &exactly(image), now).verified);
            }
        }
        standing.retain(|verified| claim.is_said_by(verified));
        Ok(standing)
    }

    /// Signs, and checks that a gate that trusts this key would be content (P14).
    fn sign(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Signed, PublishError> {
        let payload = claim.payload(image, now);
        let signed = match claim {
            Claim::SimpleSigning => {
                Signed::OpenPgpMessage(self.key.sign_message(&payload, now)?.into())
            }
            Claim::Statement { .. } => {
                let signature = self.key.sign_detached(&pae(IN_TOTO, &payload), now)?;
                let signature = EnvelopeSignature {
                    key_id: Some(self.key.fingerprint().to_string()),
                    signature: signature.into(),
                };
                Signed::Dsse(Envelope::new(IN_TOTO.into(), payload.into(), vec![signature]))
            }
        };
        let candidate = Candidate {
            source: "referrers".into(),
            name: image.to_string(),
            note: None,
            recorded_at: None,
            signed: signed.clone(),
        };
        let judged = self.trust.judge(&self.trust.open(&candidate, &[]), &exactly(image), now);
        match (judged.verified.first(), judged.rejected.into_iter().next()) {
            (Some(_), _) => Ok(signed),
            (None, Some(rejection)) => Err(PublishError::Useless(Box::new(rejection))),
            (None, None) => Err(PublishError::Unreadable),
        }
    }

    /// Files the attestation as an occurrence, unless one stands there already.
    async fn file(
        &self,
        image: &PinnedImage,
        destination: &StoreDestination,
        signed: &Signed,
        standing: Option<&Verified>,
    ) -> Result<Publication, PublishError> {
        let store = destination.store.name().to_owned();
        if let Some(known) = standing {
            let name = known.name().to_owned();
            return Ok(Publication::Occurrence { store, name, unchanged: true });
        }
        let body = occurrence::of(image, &destination.note, self.key, signed)?;
        let name = destination
            .store
            .create_occurrence(&destination.project, &body, Deadline::after(PATIENCE))
            .await
            .map_err(Arc::new)?
            .to_string();
        Ok(Publication::Occurrence { store, name, unchanged: false })
    }

    async fn attach(
        &self,
        image: &PinnedImage,
        claim: &Claim,
        signed: &Signed,
        now: Timestamp,
    ) -> Result<Publication, PublishError> {
        let (layer, layer_type) = match signed {
            Signed::OpenPgpMessage(message) => (message.to_vec(), SIMPLE_SIGNING_LAYER),
            Signed::Dsse(envelope) => (
                serde_json::to_vec(envelope).map_err(|_| PublishError::Unreadable)?,
                ENVELOPE_LAYER,
            ),
            _ => return Err(PublishError::Unreadable),
        };
        let (registries, repository) = (&self.destinations.registries, &image.repository);
        let deadline = Deadline::after(PATIENCE);
        let by_digest = Reference::Digest(image.digest);
        let fetched =
            registries.manifest(repository, by_digest, deadline).await.map_err(Arc::new)?;
        let artifact = Artifact::new(&fetched, layer, layer_type, claim.predicate_type(), now);
        let manifest =
            serde_json::to_vec(&artifact.manifest).map_err(|_| PublishError::Unreadable)?;
        let pushed = async {
            let empty = Bytes::from_static(EMPTY);
            registries.push_blob(repository, media_type::EMPTY, empty, deadline).await?;
            registries.push_blob(repository, layer_type, artifact.layer.into(), deadline).await?;
            registries
                .push_manifest(repository, media_type::OCI_MANIFEST, manifest.into(), deadline)
                .await
        }
        .await
        .map_err(Arc::new)?;
        Ok(Publication::Referrer {
            digest: pushed.digest.to_string(),
            tag: pushed.fallback_tag,
            unchanged: false,
        })
    }
}

fn find<'v>(standing: &'v [Verified], source: &str) -> Option<&'v Verified> {
    standing.iter().find(|verified| verified.source() == source)
}

fn exactly(image: &PinnedImage) -> Image<'_> {
    Image {
        repository: &image.repository,
        digest: image.digest,
        platform: None,
        config: None,
        equals: &[],
    }
}

/// Longest wait for a registry or store; a CI job has more time than a review.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
