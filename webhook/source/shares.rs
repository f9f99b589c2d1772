//! Shares of something scarce: so much in all, and less for any one taker, so that a slow or
//! greedy one leaves the others theirs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is to be shared.
pub struct Shares {
    all: Arc<Semaphore>,
    of_one: u32,
    takers: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

/// A part of it; it is given back by dropping it.
pub struct Share([Option<OwnedSemaphorePermit>; 2]);

impl Shares {
    /// So many in all, and so many for one taker.
    pub fn new(all: u32, of_one: u32) -> Self {
        let all = Arc::new(Semaphore::new(all as usize));
        Self { all, of_one, takers: Mutex::default() }
    }

    /// Waits until `taker` can have so many at once. Nobody gets more than all that one may have.
    pub async fn take(&self, taker: &str, many: u32) -> Share {
        let many = many.min(self.of_one);
        // Neither is ever closed.
        let of_one = self.of(taker).acquire_many_owned(many).await.ok();
        Share([of_one, Arc::clone(&self.all).acquire_many_owned(many).await.ok()])
    }

    fn of(&self, taker: &str) -> Arc<Semaphore> {
        let mut takers = self.takers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = takers.get(taker) {
            return Arc::clone(known);
        }
        // Whoever has nothing and waits for nothing needs no entry.
        takers.retain(|_, own| Arc::strong_count(own) > 1);
        let own = Arc::new(Semaphore::new(self.of_one as usize));
        takers.insert(taker.into(), Arc::clone(&own));
        own
    }
}

impl Share {
    /// Gives back all but `many`.
    pub fn keep(&mut self, many: u32) {
        for permit in self.0.iter_mut().flatten() {
            drop(permit.split(permit.num_permits().saturating_sub(many as usize)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, future::join_all};

    use super::*;

    #[tokio::test]
    async fn p8_one_taker_does_not_take_all() {
        let shares = Shares::new(8, 4);
        let mut held = join_all((0..4).map(|_| shares.take("slow", 1))).await;
        assert!(shares.take("slow", 1).now_or_never().is_none(), "no fifth for one");
        let others = join_all((0..4).map(|at| {
            let shares = &shares;
            async move { shares.take(&format!("other{at}"), 1).await }
        }));
        let others = others.await;
        assert!(shares.take("third", 1).now_or_never().is_none(), "no ninth in all");
        held.pop();
        assert!(shares.take("slow", 1).now_or_never().is_some());
        drop((held, others));
        drop(shares.take("new", 1).await);
        assert_eq!(shares.takers.lock().unwrap().len(), 1, "the others are forgotten");
    }

    #[tokio::test]
    async fn p8_what_is_not_needed_is_given_back() {
        let shares = Shares::new(8, 8);
        let mut share = shares.take("one", 100).await;
        assert!(shares.take("other", 1).now_or_never().is_none(), "all that one may have");
        share.keep(6);
        assert!(shares.take("other", 3).now_or_never().is_none());
        assert!(shares.take("other", 2).now_or_never().is_some());
    }
}
