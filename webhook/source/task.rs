//! Tasks of ours that somebody waits for.

use std::{future::pending, panic::resume_unwind};

use tokio::task::{JoinHandle, spawn_blocking};

/// What reading something of `size` bytes comes to, on a thread of its own if that takes longer than
/// others can wait.
///
/// # Panics
/// If the reading did.
pub async fn apart<T: Send + 'static>(size: usize, read: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= SMALL { read() } else { landed(spawn_blocking(read)).await }
}

/// A document is read in less than a millisecond up to this size.
pub const SMALL: usize = 128 * 1024;

/// What `task` came to. Its panic is the waiter's, who answers for it.
///
/// # Panics
/// If the task did.
pub async fn landed<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(crash) => match crash.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is going down, and the waiter with it.
            Err(_cancelled) => pending().await,
        },
    }
}
