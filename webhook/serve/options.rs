//! What the listeners are told.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::tls::TlsFiles;

/// The part of the configuration that is about listening.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where reviews are answered, over TLS.
    pub admission: SocketAddr,
    /// Where probes and metrics are, over plain HTTP.
    pub probes: SocketAddr,
    /// The certificate, its key and who may call.
    pub tls: TlsFiles,
    /// Longest time for one review; the caller's own `?timeout=` wins where it is shorter.
    pub deadline: Longest,
    /// Largest review, in bytes.
    pub body: usize,
    /// Most connections at a time. A new one takes the place of one that is idle; where each waits
    /// for its answer, it is closed at once.
    pub connections: usize,
    /// How long new requests are still answered after a gentle stop: until the last proxy has
    /// heard that this replica is not ready.
    pub drain: Duration,
}

/// A time that may change while reviews are answered, in milliseconds. Clones share it.
#[derive(Clone, Debug)]
pub struct Longest(Arc<AtomicU64>);

impl Longest {
    /// That long, for now.
    pub fn new(time: Duration) -> Self {
        let longest = Self(Arc::default());
        longest.set(time);
        longest
    }

    /// How long it is now.
    pub fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// From now on, that long.
    pub fn set(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.store(time, Ordering::Relaxed);
    }
}

/// The usual [`ServeOptions::drain`].
pub const DRAIN: Duration = Duration::from_secs(10);
