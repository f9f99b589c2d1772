//! How serving ends.

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
    /// Waits for SIGTERM (gently) or SIGINT (at once).
    ///
    /// # Errors
    /// The signals cannot be listened for.
    pub async fn signal() -> std::io::Result<Self> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            _ = terminate.recv() => Ok(Self::Gently),
            _ = interrupt.recv() => Ok(Self::AtOnce),
        }
    }
}
