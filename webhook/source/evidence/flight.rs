//! What is asked for right now, shared with whoever asks for the same meanwhile, and forgotten the
//! moment it is answered.
//!
//! This is how tags are resolved: a thousand Pods of one tag ask the registry once, and yet nothing
//! is kept by tag. What a tag names is no older than [`FRESH`] and the time of one request when it
//! is used, however slow its registry.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

use crate::source::landed;

/// Questions under way.
pub struct Flights<K, T>(Arc<Mutex<HashMap<K, Flight<T>>>>);

/// One question, in a task of its own: the caller who happened to come first may give up without
/// taking the others with it.
struct Flight<T> {
    begun: Instant,
    landing: Landing<T>,
}

type Landing<T> = Shared<BoxFuture<'static, T>>;

impl<K, T> Flights<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Nothing is under way.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// What `ask` answers, or what an earlier one answers that began less than [`FRESH`] ago and
    /// is still under way.
    ///
    /// # Panics
    /// If the one who was asked did: the callers answer for it.
    pub async fn join<F>(&self, key: K, ask: impl FnOnce() -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.landing(key, ask).await
    }

    fn landing<F>(&self, key: K, ask: impl FnOnce() -> F) -> Landing<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = lock(&self.0);
        if let Some(flight) = under_way.get(&key)
            && flight.begun.elapsed() < FRESH
        {
            return flight.landing.clone();
        }
        let begun = Instant::now();
        let entry = Entry { flights: Arc::clone(&self.0), key: key.clone(), begun };
        let asked = ask();
        let task = tokio::spawn(async move {
            // Forgotten before anybody hears the answer, even if there is none.
            let _entry = entry;
            asked.await
        });
        let landing = landed(task).boxed().shared();
        under_way.insert(key, Flight { begun, landing: landing.clone() });
        landing
    }
}

/// The place of a question among those under way, until it is answered.
struct Entry<K: Hash + Eq, T> {
    flights: Arc<Mutex<HashMap<K, Flight<T>>>>,
    key: K,
    begun: Instant,
}

impl<K: Hash + Eq, T> Drop for Entry<K, T> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.flights);
        // A later one may have taken its place.
        if under_way.get(&self.key).is_some_and(|flight| flight.begun == self.begun) {
            under_way.remove(&self.key);
        }
    }
}

fn lock<M>(mutex: &Mutex<M>) -> MutexGuard<'_, M> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long after its beginning others may join: whoever pushes and then deploys should get what
/// they pushed, even while somebody else waits for a slow registry.
const FRESH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        task::yield_now,
        time::{sleep, timeout},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Asked(Arc<AtomicUsize>);

    impl Asked {
        async fn after(self, time: Duration) -> usize {
            let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(time).await;
            number
        }
    }

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn p6_an_answer_is_shared_by_those_who_wait_and_kept_for_nobody() {
        let (flights, asked) = (Flights::new(), Asked::default());
        let join = || flights.join("tag", || asked.clone().after(SOON));
        assert_eq!(tokio::join!(join(), join(), join()), (1, 1, 1));
        assert_eq!(join().await, 2, "after it was answered");
        assert!(lock(&flights.0).is_empty());
    }

    #[tokio::test]
    async fn who_comes_first_may_give_up() {
        let (flights, asked) = (Flights::new(), Asked::default());
        let join = || flights.join("tag", || asked.clone().after(SOON));
        let first = timeout(SOON / 4, join());
        let (first, second) = tokio::join!(first, async {
            yield_now().await;
            join().await
        });
        assert!(first.is_err());
        assert_eq!(second, 1);
    }

    #[tokio::test]
    async fn a_question_that_takes_long_is_asked_anew() {
        let (flights, asked) = (Flights::new(), Asked::default());
        let join = |time| {
            let asked = asked.clone();
            flights.join("tag", move || asked.after(time))
        };
        let late = async {
            sleep(FRESH + SOON).await;
            join(Duration::ZERO).await
        };
        assert_eq!(tokio::join!(join(FRESH + 4 * SOON), late), (1, 2));
        assert!(lock(&flights.0).is_empty());
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_leaves_nothing_behind() {
        let flights: Arc<Flights<&str, ()>> = Arc::new(Flights::new());
        let own = Arc::clone(&flights);
        let failing = tokio::spawn(async move {
            own.join("tag", || async { panic!("as asked") }).await;
        });
        assert!(failing.await.is_err());
        assert!(lock(&flights.0).is_empty());
    }
}
