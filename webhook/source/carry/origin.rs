//! Where an image is carried from.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, try_join_all};

use super::{
    CarryError, PATIENCE,
    flow::{self, Pieces},
    layout::LayoutOrigin,
    walk::{Found, Lead},
};
use crate::{
    attest::oci::Descriptor,
    name::{Digest, ImageRef, Repository},
    source::{Deadline, FetchError, Fetched, Reference, Registries, landed, layout::LayoutPlace},
};

/// An image, and where it is.
#[derive(Clone)]
pub enum Origin {
    /// In a registry.
    Registry { registries: Arc<Registries>, image: ImageRef },
    /// On disk.
    Layout(Arc<LayoutOrigin>),
}

impl Origin {
    /// An image on disk; its layout is opened and looked through.
    ///
    /// # Errors
    /// The layout is none, or has no such image.
    pub async fn on_disk(place: &LayoutPlace) -> Result<Self, CarryError> {
        let place = place.clone();
        let layout =
            landed(tokio::task::spawn_blocking(move || LayoutOrigin::open(&place))).await?;
        Ok(Self::Layout(Arc::new(layout)))
    }

    pub(super) async fn root(&self) -> Result<Found, CarryError> {
        match self {
            Self::Registry { registries, image } => {
                let at = match (image.digest(), image.tag()) {
                    (Some(digest), _) => Reference::Digest(digest),
                    (None, tag) => Reference::Tag(tag.unwrap_or("latest")),
                };
                let fetched = registries.manifest(image.repository(), at, soon()).await?;
                Ok(found(fetched)?)
            }
            Self::Layout(layout) => self.manifest(layout.root()).await,
        }
    }

    pub(super) async fn manifest(&self, descriptor: &Descriptor) -> Result<Found, CarryError> {
        match self {
            Self::Registry { registries, image } => {
                let at = Reference::Digest(descriptor.digest);
                let fetched = registries.manifest(image.repository(), at, soon()).await?;
                Ok(found(fetched)?)
            }
            Self::Layout(layout) => {
                let (layout, descriptor) = (Arc::clone(layout), descriptor.clone());
                let read = move || layout.read(&descriptor);
                Ok(landed(tokio::task::spawn_blocking(read)).await?)
            }
        }
    }

    /// All that is said to hang on a manifest.
    pub(super) async fn evidence(&self, about: Digest) -> Result<Vec<Lead>, CarryError> {
        match self {
            Self::Registry { registries, image } => {
                let repository = image.repository();
                let lists = join(
                    registries.referrers(repository, about, soon()),
                    registries.tagged_referrers(repository, about, soon()),
                );
                let tags = try_join_all(cosign_tags(about).map(|tag| async move {
                    let at = Reference::Tag(&tag);
                    match registries.manifest(repository, at, soon()).await {
                        Ok(fetched) => {
                            let found = found(fetched)?;
                            Ok(Some(Lead::Tagged { found, tag, about }))
                        }
                        Err(error) if error.is_absence() => Ok(None),
                        Err(error) => Err(error),
                    }
                }));
                let ((listed, tagged), tags) = join(lists, tags).await;
                let mut listed = listed?;
                // A registry that has learned to list referrers may not know of those from before.
                for other in tagged? {
                    if listed.iter().all(|known| known.digest != other.digest) {
                        listed.push(other);
                    }
                }
                let referrers = listed.into_iter().map(|listed| Lead::Referrer { listed, about });
                Ok(referrers.chain(tags?.into_iter().flatten()).collect())
            }
            Self::Layout(layout) => {
                let layout = Arc::clone(layout);
                let tags: Vec<String> = cosign_tags(about).collect();
                let read = move || layout.evidence(about, tags);
                Ok(landed(tokio::task::spawn_blocking(read)).await?)
            }
        }
    }

    /// The bytes of a blob as they come; proven by the time that the last piece does.
    pub(super) async fn blob(
        &self,
        descriptor: &Descriptor,
        idle: Duration,
    ) -> Result<Pieces, CarryError> {
        if let Ok(Some(bytes)) = descriptor.embedded() {
            return Ok(flow::of_bytes(bytes));
        }
        match self {
            Self::Registry { registries, image } => {
                let repository = image.repository();
                let blob = registries.open_blob(repository, descriptor, idle, soon()).await?;
                Ok(flow::of_registry(blob))
            }
            Self::Layout(layout) => Ok(flow::of_layout(Arc::clone(layout), descriptor.clone())),
        }
    }

    /// The repository, where it is one of this host.
    pub(super) fn neighbor_of(&self, repository: &Repository) -> Option<&Repository> {
        match self {
            Self::Registry { image, .. } => Some(image.repository()).filter(|other| {
                other.host() == repository.host() && other.path() != repository.path()
            }),
            Self::Layout(_) => None,
        }
    }
}

/// The tags under which cosign keeps what it says about a digest.
fn cosign_tags(about: Digest) -> impl Iterator<Item = String> {
    let hex = match about {
        Digest::Sha256(_) => Some(about.hex()),
        // Cosign makes no tag of a longer digest, since a tag ends after 128 characters.
        Digest::Sha512(_) => None,
    };
    hex.into_iter().flat_map(|hex| COSIGN.map(|end| format!("sha256-{hex}.{end}")))
}

fn found(fetched: Fetched) -> Result<Found, FetchError> {
    let document = fetched.document()?;
    let Fetched { digest, media_type, bytes, .. } = fetched;
    Ok(Found { digest, media_type, bytes, document })
}

fn soon() -> Deadline {
    Deadline::after(PATIENCE)
}

/// Signatures, attestations, bills of materials.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];
