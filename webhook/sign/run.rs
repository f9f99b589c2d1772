//! Many images in one run: side by side, in the order given, and to be stopped between two.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::{Stream, StreamExt as _, stream};

use super::{Entry, Publisher, Receipt};

/// Tells a run to begin nothing new.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on nothing new is begun; what is under way is finished.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody said so.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Publisher {
    /// Publishes the entries, some at a time; what became of each comes in their order. `None` is
    /// an entry that was not begun, since the run was stopped.
    pub fn run<'a>(
        &'a self,
        entries: &'a [Entry],
        stop: &'a Stop,
    ) -> impl Stream<Item = Option<Vec<Receipt>>> + 'a {
        stream::iter(entries)
            .map(
                async |entry| {
                    if stop.is_stopped() { None } else { Some(self.publish(entry).await) }
                },
            )
            .buffered(AT_ONCE)
    }
}

/// Images that are worked on at a time: enough to hide the way to a registry, few enough not to be
/// taken for an attack.
const AT_ONCE: usize = 16;
