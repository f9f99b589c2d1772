//! How many layers are read at a time: few of one registry, so that a slow one leaves the others
//! theirs, and not many in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for those who read.
pub struct Lanes {
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

/// A place; it is given up by dropping it.
pub struct Lane(#[expect(dead_code, reason = "held")] [Option<OwnedSemaphorePermit>; 2]);

impl Lanes {
    /// All are free.
    pub fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), hosts: Mutex::default() }
    }

    /// Waits for a place to read from `host`.
    pub async fn enter(&self, host: &str) -> Lane {
        // Neither is ever closed.
        let of_host = self.of_host(host).acquire_owned().await.ok();
        Lane([of_host, Arc::clone(&self.all).acquire_owned().await.ok()])
    }

    fn of_host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever is not read from and not waited for needs no entry.
        hosts.retain(|_, lanes| Arc::strong_count(lanes) > 1);
        let lanes = hosts.entry(host.into()).or_insert_with(|| Arc::new(Semaphore::new(OF_A_HOST)));
        Arc::clone(lanes)
    }
}

/// Each holds a window of its decoder, and a thread.
const MOST: usize = 8;

/// What one registry is asked for at a time.
const OF_A_HOST: usize = 4;

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, future::join_all};

    use super::*;

    #[tokio::test]
    async fn p8_one_registry_does_not_take_all_places() {
        let lanes = Lanes::new();
        let mut held = join_all((0..OF_A_HOST).map(|_| lanes.enter("slow"))).await;
        assert!(lanes.enter("slow").now_or_never().is_none(), "no fifth of one host");
        let others = join_all((0..MOST - OF_A_HOST).map(|at| {
            let lanes = &lanes;
            async move { lanes.enter(&format!("other{at}")).await }
        }));
        let others = others.await;
        assert!(lanes.enter("third").now_or_never().is_none(), "no ninth in all");
        held.pop();
        assert!(lanes.enter("slow").now_or_never().is_some());
        drop((held, others));
        drop(lanes.enter("slow").await);
        assert_eq!(lanes.hosts.lock().unwrap().len(), 1, "the others are forgotten");
    }
}
