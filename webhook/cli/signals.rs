//! The signals that end a server.

use std::future::{Future, pending};

use crate::serve::Stop;

/// Done when the process is asked to end, from now on: SIGTERM by Kubernetes, SIGINT by a person.
pub fn shutdown() -> impl Future<Output = ()> {
    let stop = Stop::signal();
    async {
        match stop {
            Ok(stop) => drop(stop.await),
            // Without a handler a signal ends the process at once, which is no worse.
            Err(_) => pending().await,
        }
    }
}
