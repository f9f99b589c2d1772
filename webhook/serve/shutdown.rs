//! How serving ends.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// How to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// As Kubernetes asks it to: go on answering until nobody sends any more.
    Gently,
    /// As a person at a terminal does: finish what is being answered.
    AtOnce,
}

impl Stop {
    /// Comes with SIGTERM (gently) or SIGINT (at once), which from now on end nothing themselves.
    ///
    /// # Errors
    /// The signals cannot be listened for.
    pub fn signal() -> io::Result<impl Future<Output = Self>> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => Self::Gently,
                _ = interrupt.recv() => Self::AtOnce,
            }
        })
    }
}
