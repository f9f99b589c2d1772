//! Request bodies, within bounds of size, time and memory (P8).

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::source::Deadline;

/// The memory for bodies that are larger than the usual, shared by all requests.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
    limit: usize,
}

/// A body that was read whole; its memory counts until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read whole, with its beginning, in which a uid may stand.
#[derive(Debug)]
pub(super) enum Unread {
    /// Larger than the limit.
    TooLarge(Bytes),
    /// Not there in time.
    Late(Bytes),
    /// Other large bodies were in the way all the time.
    Busy(Bytes),
    /// The connection broke.
    Broken,
}

impl Budget {
    /// Bodies of up to `limit` bytes, four of the largest at a time.
    pub fn new(limit: usize) -> Self {
        let bytes = limit.saturating_mul(4).min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(bytes)), limit }
    }

    /// Largest body, in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Reads a body whose length was announced as `announced`, or not.
    pub async fn read(
        &self,
        body: Body,
        announced: Option<u64>,
        deadline: Deadline,
    ) -> Result<Held, Unread> {
        let mut stream = body.into_data_stream();
        let mut read = Vec::new();
        let end = Instant::from_std(deadline.instant());
        let filled = timeout_at(end, self.fill(&mut stream, &mut read, announced, end)).await;
        match filled.unwrap_or(Err(Stopped::Late)) {
            Ok(memory) => Ok(Held { bytes: join(read, usize::MAX), _memory: memory }),
            Err(Stopped::TooLarge) => {
                let beginning = join(read, UNBUDGETED);
                // A client that is still sending would not see the answer.
                let _ = timeout_at(end, discard(stream)).await;
                Err(Unread::TooLarge(beginning))
            }
            Err(Stopped::Busy) => Err(Unread::Busy(join(read, UNBUDGETED))),
            Err(Stopped::Late) => Err(Unread::Late(join(read, UNBUDGETED))),
            Err(Stopped::Broken) => Err(Unread::Broken),
        }
    }

    async fn fill(
        &self,
        stream: &mut BodyDataStream,
        read: &mut Vec<Bytes>,
        announced: Option<u64>,
        end: Instant,
    ) -> Result<Option<OwnedSemaphorePermit>, Stopped> {
        let too_large = announced.is_some_and(|length| length > self.limit as u64);
        let mut memory: Option<OwnedSemaphorePermit> = None;
        let mut length = 0usize;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Stopped::Broken)?;
            let before = length;
            length = length.saturating_add(chunk.len());
            let counted = length.saturating_sub(before.max(UNBUDGETED));
            if counted > 0 {
                if too_large {
                    return Err(Stopped::TooLarge);
                }
                let counted = u32::try_from(counted).map_err(|_| Stopped::TooLarge)?;
                let permit = Arc::clone(&self.bytes).acquire_many_owned(counted);
                match (timeout_at(end, permit).await, &mut memory) {
                    (Ok(Ok(permit)), Some(memory)) => memory.merge(permit),
                    (Ok(Ok(permit)), none) => *none = Some(permit),
                    _ => return Err(Stopped::Busy),
                }
            }
            read.push(chunk);
            if length > self.limit {
                return Err(Stopped::TooLarge);
            }
        }
        Ok(memory)
    }
}

enum Stopped {
    TooLarge,
    Late,
    Busy,
    Broken,
}

/// One piece of memory, of at most `most` bytes; the usual body came as one and is not copied.
fn join(mut chunks: Vec<Bytes>, most: usize) -> Bytes {
    if chunks.len() == 1 {
        let mut only = chunks.pop().unwrap_or_default();
        only.truncate(most);
        return only;
    }
    let mut joined =
        BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum::<usize>().min(most));
    for chunk in chunks {
        let room = most - joined.len();
        joined.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
    }
    joined.freeze()
}

async fn discard(mut stream: BodyDataStream) {
    let mut left = MOST_DISCARDED;
    while let Some(Ok(chunk)) = stream.next().await {
        left = left.saturating_sub(chunk.len());
        if left == 0 {
            return;
        }
    }
}

/// The beginning of each body that needs no part of the budget: the usual review is far smaller,
/// so that a few who send large ones slowly do not keep the others waiting.
const UNBUDGETED: usize = 64 * 1024;

/// How much of a body that is too large is read to its end before it is answered.
const MOST_DISCARDED: usize = 64 * 1024 * 1024;
