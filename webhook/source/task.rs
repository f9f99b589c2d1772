//! Tasks of ours that somebody waits for.

use std::{future::pending, panic::resume_unwind};

use tokio::task::JoinHandle;

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
