//! Leaves a host, or a part of one, alone for a moment after it failed.
//!
//! Clients of the API server retry a review within a second; without this each try would wait for
//! a dead host again, and hold a review open while it does.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use url::Url;

/// When which host, or part of one, failed last.
#[derive(Default)]
pub(super) struct Breaker(Mutex<HashMap<String, Instant>>);

impl Breaker {
    /// Whether the host, or what of it the URL is in, failed within the last second.
    pub(super) fn rests(&self, host: &str, url: &Url) -> bool {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |key: &str| failed.get(key).is_some_and(|at| at.elapsed() < REST);
        !failed.is_empty() && (rests(host) || rests(&place(host, url)))
    }

    /// Notes that the host failed now.
    pub(super) fn host_failed(&self, host: &str) {
        self.note(host.to_owned());
    }

    /// Notes that what the URL is in failed now.
    pub(super) fn place_failed(&self, host: &str, url: &Url) {
        self.note(place(host, url));
    }

    fn note(&self, key: String) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, at| at.elapsed() < REST);
        failed.insert(key, Instant::now());
    }
}

/// The repository of a manifest, or the project of an occurrence: all but the last two parts of the
/// path.
fn place(host: &str, url: &Url) -> String {
    let path = url.path();
    let within = path.rsplitn(3, '/').nth(2).unwrap_or_default();
    format!("{host}/{within}")
}

/// Below the `retryAfterSeconds: 1` that a denial tells the client.
const REST: Duration = Duration::from_millis(900);
