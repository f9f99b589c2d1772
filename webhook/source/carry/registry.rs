//! A repository as the place that an image is carried to.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    AT_A_TIME, CarryError, Observer, Origin, PATIENCE, Step, destination::Way, graph::Item,
    transfer::CopyOptions,
};
use crate::{
    attest::oci::Descriptor,
    name::{Digest, Repository},
    source::{Deadline, FetchError, Reference, Registries, Slot, Stored, Upload},
};

pub(super) struct Registry {
    pub(super) registries: Arc<Registries>,
    pub(super) repository: Repository,
    pub(super) tag: Option<String>,
}

impl Registry {
    pub(super) async fn has(&self, digest: Digest) -> Result<bool, CarryError> {
        let at = Reference::Digest(digest);
        match self.registries.manifest(&self.repository, at, soon()).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_absence() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn unlisted(&self, items: &[&Item]) -> Result<Vec<Digest>, CarryError> {
        let mut by_subject: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for item in items {
            if let Some(subject) = item.document.subject() {
                by_subject.entry(subject.digest).or_default().push(item.digest);
            }
        }
        let asked = stream::iter(by_subject).map(async |(subject, mut items)| {
            let listed = self.registries.referrers(&self.repository, subject, soon()).await?;
            items.retain(|digest| listed.iter().all(|known| known.digest != *digest));
            Ok::<_, CarryError>(items)
        });
        asked.buffer_unordered(AT_A_TIME).try_concat().await
    }

    /// Sends a blob where it is not there and cannot be mounted.
    pub(super) async fn blob(
        &self,
        origin: &Origin,
        descriptor: &Descriptor,
        options: &CopyOptions,
        observer: &Observer,
    ) -> Result<Way, CarryError> {
        let Self { registries, repository, .. } = self;
        let digest = descriptor.digest;
        if registries.has_blob(repository, digest, soon()).await? {
            return Ok(Way::Present);
        }
        let neighbor = origin.neighbor_of(repository);
        let slot = match registries.reserve_blob(repository, digest, neighbor, soon()).await? {
            Slot::Mounted => return Ok(Way::Mounted),
            Slot::Open(slot) => slot,
        };
        let pieces = origin.blob(descriptor, options.idle).await?;
        // The registry only sees that the body ends; why is the origin's to say.
        let stopped = Arc::new(Mutex::new(None));
        let (slate, observer) = (Arc::clone(&stopped), Arc::clone(observer));
        let pieces = pieces.map(move |piece| match piece {
            Ok(bytes) => {
                observer(Step::Passed(bytes.len() as u64));
                Ok(bytes)
            }
            Err(error) => {
                *slate.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(io::Error::other("what is to be uploaded ends in an error"))
            }
        });
        // An origin that stands still says so before this does.
        let (length, pieces, idle) = (descriptor.size, pieces.boxed(), options.idle * 2);
        let body = Upload { length, pieces, idle };
        let outcome = registries.fill(repository, slot, body, soon()).await;
        match stopped.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(outcome.map(|()| Way::Sent)?),
        }
    }

    /// Each under its digest. Where the registry does not list what refers to something, the lists
    /// are kept for it once all are there.
    pub(super) async fn manifests(&self, waves: &[Vec<&Item>]) -> Result<(), CarryError> {
        let Self { registries, repository, .. } = self;
        let mut lists: HashMap<Digest, Vec<Descriptor>> = HashMap::new();
        let mut listed: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for wave in waves {
            let storing = stream::iter(wave).map(async |item| {
                let Item { digest, media_type, bytes, .. } = item;
                let bytes = bytes.clone();
                let storing =
                    registries.store_manifest(repository, *digest, media_type, bytes, soon());
                Ok::<_, FetchError>((*digest, storing.await?))
            });
            let stored: Vec<(Digest, Stored)> =
                storing.buffer_unordered(AT_A_TIME).try_collect().await?;
            for (digest, stored) in stored {
                match stored {
                    Stored::Alone => {}
                    Stored::Listed { subject } => listed.entry(subject).or_default().push(digest),
                    Stored::Unlisted { subject, entry } => {
                        lists.entry(subject).or_default().push(*entry);
                    }
                }
            }
        }
        stream::iter(listed)
            .map(async |(subject, digests)| {
                registries.are_listed(repository, subject, &digests, soon()).await
            })
            .buffer_unordered(AT_A_TIME)
            .try_for_each(async |()| Ok(()))
            .await?;
        stream::iter(lists)
            .map(async |(subject, entries)| {
                registries.list_referrers(repository, subject, &entries, soon()).await
            })
            .buffer_unordered(AT_A_TIME)
            .try_for_each(async |_tag| Ok(()))
            .await?;
        Ok(())
    }

    /// Cosign's tags, then the image's own; whether any changed.
    pub(super) async fn tag_all(
        &self,
        items: &[&Item],
        root: Option<&Item>,
    ) -> Result<bool, CarryError> {
        let mut changed = false;
        for (item, tag) in
            items.iter().flat_map(|item| item.tags.iter().map(move |tag| (item, tag)))
        {
            changed |= self.tag(item, tag).await?;
        }
        if let (Some(root), Some(tag)) = (root, &self.tag) {
            changed |= self.tag(root, tag).await?;
        }
        Ok(changed)
    }

    async fn tag(&self, item: &Item, tag: &str) -> Result<bool, CarryError> {
        let (media_type, bytes) = (&item.media_type, item.bytes.clone());
        let tagging =
            self.registries.tag_manifest(&self.repository, tag, media_type, bytes, soon());
        Ok(tagging.await?)
    }
}

fn soon() -> Deadline {
    Deadline::after(PATIENCE)
}
