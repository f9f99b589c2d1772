//! Peers in process.
