//! The signals that end a server.

use tokio::signal::unix::{SignalKind, signal};

/// Done when the process is asked to end: SIGTERM by Kubernetes, SIGINT by a person.
pub async fn shutdown() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process at once, which is no worse.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _interrupted = tokio::signal::ctrl_c() => {}
    }
}
