//! Where an image is carried to.

use std::sync::Arc;

use super::{
    CarryError, Observer, Origin, folder::Folder, graph::Item, registry::Registry,
    transfer::CopyOptions,
};
use crate::{
    attest::oci::Descriptor,
    name::{Digest, Repository},
    source::{
        Registries, landed,
        layout::{LayoutPlace, LayoutWriter, Packing},
    },
};

/// A repository or a layout, and what the image is to be called there.
pub struct Destination(Place);

enum Place {
    Registry(Registry),
    Folder(Folder),
}

/// What became of a blob.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Sent,
    Mounted,
    Present,
}

impl Destination {
    /// A repository; without a tag the image is there by its digest alone.
    pub fn repository(
        registries: Arc<Registries>,
        repository: Repository,
        tag: Option<String>,
    ) -> Self {
        Self(Place::Registry(Registry { registries, repository, tag }))
    }

    /// A layout in a folder, which is begun if it is not there.
    ///
    /// # Errors
    /// It cannot be written, or is something else.
    pub async fn folder(place: &LayoutPlace, name: Option<String>) -> Result<Self, CarryError> {
        let path = place.path().to_owned();
        let open = move || LayoutWriter::open(&path);
        let writer = Arc::new(landed(tokio::task::spawn_blocking(open)).await?);
        let shown = place.path().display().to_string();
        Ok(Self(Place::Folder(Folder { writer, name, shown, packing: None })))
    }

    /// A layout in a tar of its own, which is there once the copy is whole.
    ///
    /// # Errors
    /// Something is there already, or it cannot be written there.
    pub async fn archive(place: &LayoutPlace, name: Option<String>) -> Result<Self, CarryError> {
        let path = place.path().to_owned();
        let begin = move || Packing::begin(&path);
        let (packing, writer) = landed(tokio::task::spawn_blocking(begin)).await?;
        let (writer, packing) = (Arc::new(writer), Some(Arc::new(packing)));
        let shown = place.path().display().to_string();
        Ok(Self(Place::Folder(Folder { writer, name, shown, packing })))
    }

    /// What people call it.
    pub(super) fn shown(&self) -> String {
        match &self.0 {
            Place::Registry(registry) => registry.repository.to_string(),
            Place::Folder(folder) => folder.shown.clone(),
        }
    }

    /// What the image is called there.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.0 {
            Place::Registry(registry) => registry.tag.as_deref(),
            Place::Folder(folder) => folder.name.as_deref(),
        }
    }

    /// Whether a manifest is there, whole.
    pub(super) async fn has(&self, item: &Item) -> Result<bool, CarryError> {
        match &self.0 {
            Place::Registry(registry) => registry.has(item.digest).await,
            Place::Folder(folder) => folder.has(item).await,
        }
    }

    /// Whether what it says it has, it has with all its blobs.
    pub(super) fn keeps_blobs(&self) -> bool {
        matches!(self.0, Place::Registry(_))
    }

    /// Of manifests that are there, those that nobody who asks for referrers would find.
    pub(super) async fn unlisted(&self, items: &[&Item]) -> Result<Vec<Digest>, CarryError> {
        match &self.0 {
            Place::Registry(registry) => registry.unlisted(items).await,
            Place::Folder(_) => Ok(Vec::new()),
        }
    }

    pub(super) async fn blob(
        &self,
        origin: &Origin,
        descriptor: &Descriptor,
        options: &CopyOptions,
        observer: &Observer,
    ) -> Result<Way, CarryError> {
        match &self.0 {
            Place::Registry(registry) => registry.blob(origin, descriptor, options, observer).await,
            Place::Folder(folder) => folder.blob(origin, descriptor, options, observer).await,
        }
    }

    /// Stores manifests that are not there: each wave after the one before it.
    pub(super) async fn manifests(&self, waves: &[Vec<&Item>]) -> Result<(), CarryError> {
        match &self.0 {
            Place::Registry(registry) => registry.manifests(waves).await,
            Place::Folder(folder) => folder.manifests(waves).await,
        }
    }

    /// Makes everything visible: lists and tags, the image's own last. Whether a name changed.
    pub(super) async fn name_all(
        &self,
        items: &[&Item],
        root: Option<&Item>,
    ) -> Result<bool, CarryError> {
        match &self.0 {
            Place::Registry(registry) => registry.tag_all(items, root).await,
            Place::Folder(folder) => folder.enter(items, root).await,
        }
    }
}
