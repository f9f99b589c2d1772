//! What was found, kept for a while: single flight, bounded in bytes, by digest and never by tag.
//!
//! A lookup that failed is never kept, so an outage cannot pass for absence. A shared lookup runs
//! in a task of its own with a deadline of its own: the caller who happened to come first may give
//! up without taking the others with it.

use std::{
    future::Future,
    hash::Hash,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache};

use crate::source::landed;

/// How long an entry may be believed, in its own words.
pub trait Perishable: Send + Sync + 'static {
    /// When it was looked up.
    fn looked_up(&self) -> Instant;

    /// How long it may be believed without looking again.
    fn believed_for(&self, times: &Shelf) -> Duration;

    /// Bytes that it holds, roughly.
    fn weight(&self) -> usize;
}

/// How long what was found, and that nothing was found, may be believed.
#[derive(Clone, Copy, Debug)]
pub struct Shelf {
    /// For what was found.
    pub found: Duration,
    /// For "there is none".
    pub none: Duration,
}

/// A cache of lookups with one flight for each key.
pub struct Lookups<K, V, E>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    entries: Cache<K, Arc<V>>,
    failure: PhantomData<fn() -> E>,
}

impl<K, V, E> Lookups<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Perishable,
    E: Send + Sync + 'static,
{
    /// A cache of at most `bytes` bytes.
    pub fn new(bytes: u64, shelf: Shelf) -> Self {
        let entries = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &K, value: &Arc<V>| {
                u32::try_from(value.weight() + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(ShelfLife(shelf))
            .build();
        Self { entries, failure: PhantomData }
    }

    /// The entry of `key`, if it was looked up no longer ago than `not_before`; else what `lookup`
    /// finds, asked once however many wait for it.
    ///
    /// # Errors
    /// What `lookup` failed with, shared by all who waited, and kept for nobody else.
    ///
    /// # Panics
    /// If `lookup` did: the caller answers for it.
    pub async fn get<F>(
        &self,
        key: K,
        not_before: Option<Instant>,
        lookup: impl FnOnce() -> F,
    ) -> Result<Arc<V>, Arc<E>>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        if let Some(entry) = self.entries.get(&key).await {
            if not_before.is_none_or(|earliest| entry.looked_up() >= earliest) {
                return Ok(entry);
            }
            self.entries.invalidate(&key).await;
        }
        let (entries, lookup) = (self.entries.clone(), lookup());
        let flight = tokio::spawn(async move {
            entries.try_get_with(key, async move { lookup.await.map(Arc::new) }).await
        });
        landed(flight).await
    }

    /// Takes an entry that was looked up in another way, unless there is one.
    pub async fn keep(&self, key: K, value: Arc<V>) {
        self.entries.entry(key).or_insert(value).await;
    }
}

/// Bytes set aside for the key and the bookkeeping of the cache itself, a guess on the safe side.
const ENTRY_OVERHEAD: usize = 256;

struct ShelfLife(Shelf);

impl<K, V: Perishable> Expiry<K, Arc<V>> for ShelfLife {
    fn expire_after_create(&self, _: &K, value: &Arc<V>, _: Instant) -> Option<Duration> {
        Some(value.believed_for(&self.0))
    }
}
