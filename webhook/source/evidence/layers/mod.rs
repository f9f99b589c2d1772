//! Whether the layers of a manifest are those that its configuration names.
//!
//! A signature over an image ID covers the configuration, and that covers the layers by what they
//! unpack to: each is read from its registry, proven to be the bytes that the manifest names,
//! unpacked and hashed, and nothing of it kept.
//!
//! What a layer unpacks to is a fact about its bytes, so it is kept by their digest alone, whatever
//! repository they were read from. That lets nobody have what they may not: manifest and
//! configuration are fetched from the repository that is asked about, with its own credential, and a
//! node that pulls a layer needs one for it. Those who ask at the same time share a read only within
//! a repository: another's registry may be slow, or refuse.

mod incoming;
mod plan;
mod unpack;
mod zstd;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use moka::future::Cache;
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout_at};

use crate::{
    attest::oci::Descriptor,
    name::{PinnedImage, Repository},
    source::{Deadline, FetchError, Peer, Reference, Registries, shares::Shares},
};

use super::{
    cache::{Lifetimes, Lookups, Perishable},
    lookup::LARGEST_CONFIG,
};
use incoming::Incoming;
use plan::{Archive, Part, Unplanned, plan};
use unpack::Unpacked;

/// What is known of a manifest's layers and the configuration that goes with them.
#[derive(Clone, Debug, Default)]
pub enum LayerCheck {
    /// Nobody has compared them.
    #[default]
    NotMade,
    /// They are the ones that the configuration names.
    Bound,
    /// They are not, or cannot be shown to be.
    Unbound(Arc<str>),
    /// They could not be read.
    Failed(Arc<FetchError>),
}

impl LayerCheck {
    /// Whether the two came to the same. What failed may come to something else each time.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NotMade, Self::NotMade) | (Self::Bound, Self::Bound) => true,
            (Self::Unbound(why), Self::Unbound(other)) => why == other,
            _ => false,
        }
    }
}

/// What layers unpack to, as far as they have been read. Clones share it; it may outlive the
/// configuration that it was read under.
#[derive(Clone)]
pub struct KnownLayers(Cache<Archive, Arc<Unpacked>>);

impl Default for KnownLayers {
    fn default() -> Self {
        Self(Cache::new(MOST_KNOWN))
    }
}

/// Compares layers, each manifest's once and each layer once, however many wait for it.
pub struct Comparer {
    registries: Arc<Registries>,
    known: KnownLayers,
    lanes: Shares,
    reads: Lookups<(Repository, Archive), Read, FetchError>,
    images: Lookups<PinnedImage, Compared, FetchError>,
}

impl Comparer {
    /// Compares what lies in `registries`.
    pub fn new(registries: Arc<Registries>, known: KnownLayers, lifetimes: Lifetimes) -> Self {
        Self {
            registries,
            known,
            lanes: Shares::new(MOST, OF_A_HOST),
            reads: Lookups::new(MEMORY, lifetimes),
            images: Lookups::new(MEMORY, lifetimes),
        }
    }

    /// Whether the layers of `manifest` are those that `config`, its own, names.
    ///
    /// The work goes on if the caller gives up: who asks again later finds it done.
    pub async fn check(self: &Arc<Self>, manifest: &PinnedImage, config: Descriptor) -> LayerCheck {
        let compare = || {
            let (own, wanted, config) = (Arc::clone(self), manifest.clone(), config.clone());
            async move { own.in_time(&wanted, &config).await }
        };
        match self.images.get(manifest.clone(), None, |_| true, compare).await {
            Err(error) => LayerCheck::Failed(error),
            Ok(compared) => match &compared.unbound {
                None => LayerCheck::Bound,
                Some(why) => LayerCheck::Unbound(Arc::clone(why)),
            },
        }
    }

    async fn in_time(
        self: &Arc<Self>,
        manifest: &PinnedImage,
        config: &Descriptor,
    ) -> Result<Compared, FetchError> {
        let (looked_up, deadline) = (Instant::now(), Deadline::after(PATIENCE));
        let compared = timeout_at(deadline.instant().into(), self.compare(manifest, config));
        let peer = peer(&manifest.repository);
        match compared.await.unwrap_or(Err(Unplanned::Failed(FetchError::Late(peer.clone())))) {
            Ok(()) => Ok(Compared { unbound: None, looked_up }),
            Err(Unplanned::Unbound(why)) => Ok(Compared { unbound: Some(why.into()), looked_up }),
            Err(Unplanned::TooMuch { limit, what }) => {
                Err(FetchError::TooMuch { peer, limit, what })
            }
            Err(Unplanned::Failed(error)) => Err(error),
        }
    }

    async fn compare(
        self: &Arc<Self>,
        PinnedImage { repository, digest }: &PinnedImage,
        config: &Descriptor,
    ) -> Result<(), Unplanned> {
        let (at, soon) = (Reference::Digest(*digest), Deadline::after(ANSWER));
        // One after the other: who holds a blob must not wait for a manifest.
        let manifest = self.registries.manifest(repository, at, soon).await?;
        let config = self.registries.blob(repository, config, LARGEST_CONFIG, soon).await?;
        let parts = plan(manifest.document()?, &config)?;
        // Reading the layers may take minutes.
        drop((manifest, config));
        let mut unpacked = stream::iter(parts)
            .map(|part| async move { (self.unpacked(repository, &part).await, part) })
            .buffered(AT_A_TIME);
        let mut total = 0;
        while let Some((outcome, part)) = unpacked.next().await {
            total += part.compare(&*outcome?)?;
            if total > plan::MOST_UNPACKED {
                let what = "bytes of the layers of one image, unpacked";
                return Err(Unplanned::TooMuch { limit: plan::MOST_UNPACKED, what });
            }
        }
        Ok(())
    }

    /// What one layer unpacks to, read at most once.
    async fn unpacked(
        self: &Arc<Self>,
        repository: &Repository,
        part: &Part,
    ) -> Result<Arc<Unpacked>, FetchError> {
        if let Some(known) = part.without_reading() {
            return Ok(Arc::new(known));
        }
        if let Some(known) = self.known.0.get(&part.archive).await {
            return Ok(known);
        }
        let read = || {
            let (own, wanted, asked) = (Arc::clone(self), part.clone(), repository.clone());
            async move {
                let (looked_up, deadline) = (Instant::now(), Deadline::after(PATIENCE));
                let unpacked = timeout_at(deadline.instant().into(), own.read(&asked, &wanted));
                let late = || Err(FetchError::Late(peer(&asked)));
                Ok(Read { unpacked: unpacked.await.unwrap_or_else(|_| late())?, looked_up })
            }
        };
        match self.reads.get((repository.clone(), part.archive), None, |_| true, read).await {
            Ok(read) => Ok(Arc::clone(&read.unpacked)),
            Err(error) => Err((*error).clone()),
        }
    }

    /// Reads a layer to its end and unpacks it on a thread of its own, in constant memory.
    async fn read(
        &self,
        repository: &Repository,
        part: &Part,
    ) -> Result<Arc<Unpacked>, FetchError> {
        let lane = self.lanes.take(repository.host(), 1).await;
        let soon = Deadline::after(ANSWER);
        let mut blob = self.registries.open_blob(repository, &part.layer, IDLE, soon).await?;
        let (pieces, incoming) = mpsc::channel(AHEAD);
        let (archive, diff_id, most) = (part.archive, part.diff_id, part.most());
        let unpacking = spawn_blocking(move || {
            let _lane = lane;
            archive.packing.unpack(Incoming::new(incoming), &diff_id, most)
        });
        let mut wanted = true;
        // What a decoder says is kept for these bytes, so they are read to the end, and proven to be
        // the right ones, even when it has heard enough.
        while let Some(piece) = blob.next().await? {
            wanted = wanted && pieces.send(piece).await.is_ok();
        }
        drop(pieces);
        let unpacked = unpacking.await.unwrap_or_else(|_| Unpacked::Unreadable(CRASHED.into()));
        let unpacked = Arc::new(unpacked);
        self.known.0.insert(part.archive, Arc::clone(&unpacked)).await;
        Ok(unpacked)
    }
}

fn peer(repository: &Repository) -> Peer {
    Peer::Registry(repository.host().into())
}

/// What came of one manifest.
struct Compared {
    unbound: Option<Arc<str>>,
    looked_up: Instant,
}

impl Perishable for Compared {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Lifetimes) -> Duration {
        times.found
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.unbound.as_ref().map_or(0, |why| why.len())
    }
}

/// One layer that was read.
struct Read {
    unpacked: Arc<Unpacked>,
    looked_up: Instant,
}

impl Perishable for Read {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Lifetimes) -> Duration {
        times.found
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + size_of::<Unpacked>()
    }
}

const CRASHED: &str = "it crashes its decoder, which is a bug; please report it";

/// Bytes that what is kept of manifests, and of layers under way, may take.
const MEMORY: u64 = 1 << 20;

/// Layers whose digests are remembered, at some 200 bytes each.
const MOST_KNOWN: u64 = 16 * 1024;

/// The longest time for one image, and for one layer that several wait for.
const PATIENCE: Duration = Duration::from_mins(10);

/// The longest wait for a manifest and a configuration, and for a layer to begin.
const ANSWER: Duration = Duration::from_secs(30);

/// The longest wait for the next piece of a layer.
const IDLE: Duration = Duration::from_secs(10);

/// Pieces that wait for the decoder.
const AHEAD: usize = 4;

/// How many layers are read at a time: each holds a window of its decoder, and a thread.
const MOST: u32 = 8;

/// How many of one registry.
const OF_A_HOST: u32 = 4;

/// How many layers of one image are asked for at a time.
const AT_A_TIME: usize = 4;
