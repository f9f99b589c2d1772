//! A layout on disk as the place that an image is carried to.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    CarryError, Observer, Origin, Step, destination::Way, graph::Item, transfer::CopyOptions,
};
use crate::{
    attest::oci::Descriptor,
    name::Digest,
    source::{
        landed,
        layout::{LayoutError, LayoutWriter, Packing},
    },
};

pub(super) struct Folder {
    pub(super) writer: Arc<LayoutWriter>,
    pub(super) name: Option<String>,
    /// What people call it.
    pub(super) shown: String,
    /// The archive that is made of it, if it is to be one.
    pub(super) packing: Option<Arc<Packing>>,
}

impl Folder {
    /// Whether a manifest is there. Its blobs, which nobody guards in a folder, are looked at by
    /// themselves.
    pub(super) async fn has(&self, item: &Item) -> Result<bool, CarryError> {
        self.holds(&item.descriptor()).await
    }

    pub(super) async fn blob(
        &self,
        origin: &Origin,
        descriptor: &Descriptor,
        options: &CopyOptions,
        observer: &Observer,
    ) -> Result<Way, CarryError> {
        if self.holds(descriptor).await? {
            return Ok(Way::Present);
        }
        let mut pieces = origin.blob(descriptor, options.idle).await?;
        let (writer, descriptor) = (Arc::clone(&self.writer), descriptor.clone());
        let (sender, mut receiver) = mpsc::channel::<Bytes>(2);
        let writing = spawn_blocking(move || -> Result<(), LayoutError> {
            let mut file = writer.begin(&descriptor)?;
            while let Some(bytes) = receiver.blocking_recv() {
                file.write(&bytes)?;
            }
            file.end()
        });
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            observer(Step::Passed(piece.len() as u64));
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
        landed(writing).await?;
        Ok(Way::Sent)
    }

    pub(super) async fn manifests(&self, waves: &[Vec<&Item>]) -> Result<(), CarryError> {
        let manifests: Vec<(Descriptor, Bytes)> =
            waves.iter().flatten().map(|item| (item.descriptor(), item.bytes.clone())).collect();
        let writer = Arc::clone(&self.writer);
        let writing = move || -> Result<(), LayoutError> {
            for (descriptor, bytes) in manifests {
                let mut file = writer.begin(&descriptor)?;
                file.write(&bytes)?;
                file.end()?;
            }
            Ok(())
        };
        Ok(landed(spawn_blocking(writing)).await?)
    }

    /// Enters the image under its name, its evidence without one, and cosign's under its tags, all
    /// at once.
    pub(super) async fn enter(
        &self,
        items: &[&Item],
        root: Option<&Item>,
    ) -> Result<bool, CarryError> {
        let mut entries = Vec::new();
        for item in items.iter().filter(|item| item.is_evidence()) {
            if item.document.subject().is_some() {
                entries.push(item.descriptor());
            }
            entries.extend(item.tags.iter().map(|tag| named(item, tag)));
        }
        entries.extend(root.map(|root| match &self.name {
            Some(name) => named(root, name),
            None => root.descriptor(),
        }));
        let blobs = items.iter().flat_map(|item| item.blobs()).map(|blob| blob.digest);
        let all: Vec<Digest> = items.iter().map(|item| item.digest).chain(blobs).collect();
        let (writer, packing) = (Arc::clone(&self.writer), self.packing.clone());
        let entering = move || -> Result<bool, LayoutError> {
            let changed = writer.enter(&entries)?;
            packing.map_or(Ok(()), |packing| packing.end(&all))?;
            Ok(changed)
        };
        Ok(landed(spawn_blocking(entering)).await?)
    }

    async fn holds(&self, descriptor: &Descriptor) -> Result<bool, CarryError> {
        let (writer, descriptor) = (Arc::clone(&self.writer), descriptor.clone());
        Ok(landed(spawn_blocking(move || writer.has(&descriptor))).await?)
    }
}

fn named(item: &Item, name: &str) -> Descriptor {
    let mut descriptor = item.descriptor();
    descriptor.annotations.insert("org.opencontainers.image.ref.name".into(), name.into());
    descriptor
}
