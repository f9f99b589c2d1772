//! How much is asked for, and held of what comes, at a time (P8).
//!
//! Anybody who may create a Pod may make a server read from registries of their choice; without
//! these bounds that would be as many connections and as much memory as they like. A response up to
//! [`FREE`] needs no memory of them, so that what is usual does not wait for what is large.
//!
//! Nobody waits in a circle: who lists may wait for a manifest, and who has a manifest for what it
//! names, never the other way round; that is what the stages are for. Bytes are reserved at once,
//! and count until the last of them is dropped.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::timeout_at;

use super::{
    Deadline,
    shares::{Share, Shares},
};

/// What may be under way at a time, in all and with one host. Clones share it.
#[derive(Clone, Default)]
pub struct Bounds(Option<Arc<Stages>>);

/// Which answer a request is for. What is asked for while another answer is held is later here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// A list of what refers to an image.
    List,
    /// A manifest or an index.
    Manifest,
    /// Anything that leads to nothing more.
    Content,
}

struct Stages {
    list: Bound,
    manifest: Bound,
    content: Bound,
}

struct Bound {
    requests: Shares,
    bytes: Shares,
}

/// There was no room until the deadline.
#[derive(Debug)]
pub struct Crowded;

impl Bounds {
    /// For a command: a person waits for it, and nobody else.
    pub fn none() -> Self {
        Self(None)
    }

    /// For a server: all its clients share these.
    pub fn of_a_server() -> Self {
        Self(Some(Arc::new(Stages {
            list: Bound::new(64, 12 << 20),
            manifest: Bound::new(128, 16 << 20),
            content: Bound::new(128, 32 << 20),
        })))
    }

    /// Waits until a request may be sent to `host`.
    ///
    /// # Errors
    /// Others were in the way until the deadline.
    pub async fn request(
        &self,
        stage: Stage,
        host: &str,
        deadline: Deadline,
    ) -> Result<Option<Share>, Crowded> {
        let Some(stages) = &self.0 else { return Ok(None) };
        within(deadline, stages.of(stage).requests.take(host, 1)).await.map(Some)
    }

    /// Waits until `size` bytes of an answer of `host` may be held.
    ///
    /// # Errors
    /// Others were in the way until the deadline.
    pub async fn room(
        &self,
        stage: Stage,
        host: &str,
        size: u64,
        deadline: Deadline,
    ) -> Result<Option<Share>, Crowded> {
        let (Some(stages), Some(counted)) = (&self.0, counted(size)) else { return Ok(None) };
        within(deadline, stages.of(stage).bytes.take(host, counted)).await.map(Some)
    }
}

impl Stages {
    fn of(&self, stage: Stage) -> &Bound {
        match stage {
            Stage::List => &self.list,
            Stage::Manifest => &self.manifest,
            Stage::Content => &self.content,
        }
    }
}

impl Bound {
    /// One host has half of it.
    fn new(requests: u32, bytes: u32) -> Self {
        let half = |all| Shares::new(all, all / 2);
        Self { requests: half(requests), bytes: half(bytes) }
    }
}

/// Bytes whose share of the memory is given back with the last of them.
pub fn held(bytes: Bytes, share: Option<Share>) -> Bytes {
    match share {
        None => bytes,
        Some(mut share) => {
            share.keep(counted(bytes.len() as u64).unwrap_or_default());
            Bytes::from_owner(Held { bytes, _share: share })
        }
    }
}

struct Held {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How many of `size` bytes are counted, if any.
fn counted(size: u64) -> Option<u32> {
    let counted = size.saturating_sub(FREE);
    (counted > 0).then(|| u32::try_from(counted).unwrap_or(u32::MAX))
}

async fn within(deadline: Deadline, share: impl Future<Output = Share>) -> Result<Share, Crowded> {
    timeout_at(deadline.instant().into(), share).await.map_err(|_| Crowded)
}

/// The beginning of each answer, which counts for nothing.
pub const FREE: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(20))
    }

    #[tokio::test]
    async fn p8_bytes_count_until_the_last_is_dropped() {
        let bounds = Bounds::of_a_server();
        let host = "r.example";
        let most = (8 << 20) + FREE;
        let take = || bounds.room(Stage::Manifest, host, most, soon());
        let share = take().await.unwrap();
        assert!(take().await.is_err(), "half is all that one host has");
        let bytes = held(Bytes::from(vec![0; usize::try_from(most).unwrap()]), share);
        let slice = bytes.slice(..1);
        drop(bytes);
        assert!(take().await.is_err(), "a slice holds all of it");
        assert!(bounds.room(Stage::Manifest, host, FREE, soon()).await.unwrap().is_none());
        assert!(bounds.room(Stage::Content, host, most, soon()).await.is_ok(), "a later stage");
        assert!(bounds.room(Stage::Manifest, "other", most, soon()).await.is_ok());
        drop(slice);
        assert!(take().await.is_ok());
    }

    #[tokio::test]
    async fn p8_what_was_reserved_in_vain_is_given_back() {
        let bounds = Bounds::of_a_server();
        let share = bounds.room(Stage::Manifest, "r.example", 16 << 20, soon()).await.unwrap();
        let little = held(Bytes::from_static(b"little"), share);
        assert!(bounds.room(Stage::Manifest, "r.example", 8 << 20, soon()).await.is_ok());
        drop(little);
    }

    #[tokio::test]
    async fn p8_requests_of_one_host_leave_room_for_others() {
        let bounds = Bounds::of_a_server();
        let ask = |host: &'static str| bounds.request(Stage::Content, host, soon());
        let mut turns = Vec::new();
        while let Some(Ok(turn)) = ask("slow").now_or_never() {
            turns.push(turn);
        }
        assert_eq!(turns.len(), 64);
        assert!(ask("slow").await.is_err());
        assert!(ask("other").await.is_ok());
        assert!(Bounds::none().request(Stage::Content, "slow", soon()).await.unwrap().is_none());
    }
}
