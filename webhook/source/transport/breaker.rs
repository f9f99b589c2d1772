//! Leaves a host alone for a moment after it failed.
//!
//! Clients of the API server retry a review within a second; without this each try would wait for
//! a dead host again, and hold a review open while it does.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// When which host failed last.
#[derive(Default)]
pub(super) struct Breaker(Mutex<HashMap<String, Instant>>);

impl Breaker {
    /// Whether the host failed within the last second.
    pub(super) fn rests(&self, host: &str) -> bool {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(host).is_some_and(|at| at.elapsed() < REST)
    }

    /// Notes that the host failed now.
    pub(super) fn failed(&self, host: &str) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, at| at.elapsed() < REST);
        failed.insert(host.to_owned(), Instant::now());
    }
}

/// Below the `retryAfterSeconds: 1` that a denial tells the client.
const REST: Duration = Duration::from_millis(900);
