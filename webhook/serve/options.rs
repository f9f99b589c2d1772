//! What the listeners are told.

use std::{net::SocketAddr, time::Duration};

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
    pub deadline: Duration,
    /// Largest review, in bytes.
    pub body: usize,
    /// Most connections at a time; more are closed at once.
    pub connections: usize,
    /// How long new requests are still answered after a gentle stop: until the last proxy has
    /// heard that this replica is not ready.
    pub drain: Duration,
}

/// The usual [`ServeOptions::drain`].
pub const DRAIN: Duration = Duration::from_secs(10);
