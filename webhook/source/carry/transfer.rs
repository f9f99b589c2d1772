//! A copy: what is not there, blobs first, what is visible last.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use super::{
    AT_A_TIME, CarryError, Destination, Fit, Graph, Origin,
    destination::Way,
    graph::{Item, waves},
};
use crate::{attest::oci::Descriptor, name::Digest, source::transport::scattered};

/// What of an image is carried, and how patiently.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Evidence of this type alone, to where the image is already.
    pub only: Option<String>,
    /// How long a blob may stand still.
    pub idle: Duration,
}

/// Something that happened on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// So many bytes of blobs are to be seen to.
    Planned(u64),
    /// So many of them are done with.
    Passed(u64),
    /// So many came for nothing, and come again.
    Undone(u64),
}

/// Who is told of each step.
pub type Observer = Arc<dyn Fn(Step) + Send + Sync>;

/// What a copy came to.
#[derive(Clone, Debug, Serialize)]
pub struct Copied {
    /// The repository or the folder.
    pub place: String,
    /// Of the image.
    pub digest: Digest,
    /// What the image is called there.
    pub name: Option<String>,
    /// Whether a name was given that was not there, or meant something else.
    pub named: bool,
    /// The image's and the evidence's, in the order in which they were found.
    pub manifests: Vec<CopiedManifest>,
    /// What became of their blobs.
    pub blobs: Tally,
}

/// What became of one manifest.
#[derive(Clone, Debug, Serialize)]
pub struct CopiedManifest {
    pub digest: Digest,
    /// What it is evidence of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Digest>,
    /// Of which type, as it is labeled.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it was there already, listed and all.
    pub unchanged: bool,
}

/// How many blobs took which way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Tally {
    pub sent: u64,
    pub mounted: u64,
    pub present: u64,
    /// Bytes of those sent.
    pub bytes: u64,
}

/// Carries an image, or evidence alone, to another place; digests stay as they are.
///
/// Blobs go first, then manifests after what they name, then lists and tags, the image's tag last:
/// a copy that ends early leaves nothing that looks whole and is not. Run again, it goes on from
/// there.
///
/// # Errors
/// Something could not be had, or is not taken. What went before is there.
pub async fn copy(
    origin: &Origin,
    graph: &Graph,
    destination: &Destination,
    options: &CopyOptions,
    observer: &Observer,
) -> Result<Copied, CarryError> {
    let root = graph.get(graph.digest());
    let chosen: Vec<&Item> = match &options.only {
        None => graph.items().iter().collect(),
        Some(wanted) => {
            if let Some(root) = root
                && !destination.has(root).await?
            {
                let (place, digest) = (destination.shown(), root.digest);
                return Err(CarryError::NoImage { place, digest });
            }
            evidence_of(graph, wanted)
        }
    };
    let there = there(destination, &chosen).await?;
    let missing: Vec<&Item> =
        chosen.iter().filter(|item| !there.contains(&item.digest)).copied().collect();
    let transfer = Transfer { origin, destination, options, observer };
    let blobs = transfer.blobs(&chosen, &missing).await?;
    destination.manifests(&waves(missing.iter().copied())).await?;
    let root = root.filter(|_| options.only.is_none());
    let named = destination.name_all(&chosen, root).await?;
    let manifests = chosen.iter().map(|item| CopiedManifest {
        digest: item.digest,
        about: item.about.filter(|_| item.is_evidence()),
        kind: item.kind().filter(|_| item.is_evidence()).map(str::to_owned),
        unchanged: there.contains(&item.digest),
    });
    Ok(Copied {
        place: destination.shown(),
        digest: graph.digest(),
        name: destination.name().filter(|_| root.is_some()).map(str::to_owned),
        named,
        manifests: manifests.collect(),
        blobs,
    })
}

/// The evidence of a type, with the parts that it is made of.
fn evidence_of<'a>(graph: &'a Graph, wanted: &str) -> Vec<&'a Item> {
    let mut taken: HashSet<Digest> = HashSet::new();
    let fits = |item: &&Item| item.is_evidence() && item.fit(wanted) != Fit::None;
    let mut left: Vec<&Item> = graph.items().iter().filter(fits).collect();
    while let Some(item) = left.pop() {
        if taken.insert(item.digest) {
            left.extend(item.parts().iter().filter_map(|part| graph.get(part.digest)));
        }
    }
    graph.items().iter().filter(|item| taken.contains(&item.digest)).collect()
}

/// What need not be stored again.
async fn there(destination: &Destination, items: &[&Item]) -> Result<HashSet<Digest>, CarryError> {
    let asked = stream::iter(items)
        .map(async |item| Ok::<_, CarryError>((destination.has(item).await?, *item)))
        .buffered(AT_A_TIME);
    let asked: Vec<(bool, &Item)> = asked.try_collect().await?;
    let held: Vec<&Item> =
        asked.into_iter().filter(|(there, _)| *there).map(|(_, item)| item).collect();
    let unlisted = destination.unlisted(&held).await?;
    Ok(held.iter().map(|item| item.digest).filter(|one| !unlisted.contains(one)).collect())
}

struct Transfer<'a> {
    origin: &'a Origin,
    destination: &'a Destination,
    options: &'a CopyOptions,
    observer: &'a Observer,
}

impl Transfer<'_> {
    /// Sees to the blobs of manifests: a registry keeps those of what it has, a folder promises
    /// nothing.
    async fn blobs(&self, chosen: &[&Item], missing: &[&Item]) -> Result<Tally, CarryError> {
        let items = if self.destination.keeps_blobs() { missing } else { chosen };
        let mut seen = HashSet::new();
        let blobs: Vec<&Descriptor> = items
            .iter()
            .flat_map(|item| item.blobs())
            .filter(|blob| seen.insert((blob.digest, blob.size)))
            .collect();
        let bytes = blobs.iter().fold(0_u64, |sum, blob| sum.saturating_add(blob.size));
        (self.observer)(Step::Planned(bytes));
        let mut sending =
            stream::iter(blobs).map(|blob| self.blob(blob)).buffer_unordered(BLOBS_AT_A_TIME);
        let mut tally = Tally::default();
        while let Some(outcome) = sending.next().await {
            let (sent, size) = outcome?;
            match sent {
                Way::Sent => {
                    tally.sent += 1;
                    tally.bytes += size;
                }
                Way::Mounted => tally.mounted += 1,
                Way::Present => tally.present += 1,
            }
        }
        Ok(tally)
    }

    /// Sees to one blob, and begins it anew where that can help.
    async fn blob(&self, descriptor: &Descriptor) -> Result<(Way, u64), CarryError> {
        let mut tried = 0;
        loop {
            let passed = Arc::new(AtomicU64::new(0));
            let counted = self.counting(&passed);
            let outcome =
                self.destination.blob(self.origin, descriptor, self.options, &counted).await;
            let passed = passed.load(Ordering::Relaxed);
            match outcome {
                Ok(sent) => {
                    // All of it is done with, however little of it had to move.
                    (self.observer)(Step::Passed(descriptor.size.saturating_sub(passed)));
                    return Ok((sent, descriptor.size));
                }
                Err(error) if error.retryable() && tried < RETRIES => {
                    (self.observer)(Step::Undone(passed));
                    tried += 1;
                    tokio::time::sleep(scattered(PAUSE * tried)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The observer, with a count of what it is told.
    fn counting(&self, passed: &Arc<AtomicU64>) -> Observer {
        let (observer, passed) = (Arc::clone(self.observer), Arc::clone(passed));
        Arc::new(move |step| {
            if let Step::Passed(bytes) = step {
                passed.fetch_add(bytes, Ordering::Relaxed);
            }
            observer(step);
        })
    }
}

/// Blobs that are under way at a time; each is a stream, so they cost little memory.
const BLOBS_AT_A_TIME: usize = 4;

/// How often a blob is begun anew, and after which pause: long enough for a host to be asked again.
const RETRIES: u32 = 2;
const PAUSE: Duration = Duration::from_secs(2);
