//! Nothing runs in the cluster that the pipeline did not countersign.
//!
//! The modules stand bottom first: each may use only those above it in this list, and a test
//! (`tests/it/layers.rs`) refuses an upward reference.

/// What things are called: digests, image references, Grafeas names, fingerprints, reason codes.
pub mod name;

/// What evidence says, whatever carried it: payloads and the codecs of their carriers.
pub mod attest;

/// Who said it: authorities, keyrings, signatures.
pub mod verify;

/// Where evidence lies: registries, Grafeas servers, the evidence cache.
pub mod source;

/// What the rules make of it: Rego bundles, the input document, decisions.
pub mod policy;

/// Reviews in, answers out: images of every kind, the gate, patches, denial texts.
pub mod admission;

/// What CI publishes: statements, signatures, uploads.
pub mod sign;

/// The webhook's listeners: TLS, routes, probes, metrics, shutdown.
pub mod serve;

/// The embedded Grafeas server.
pub mod store;

/// The YAML of `countersign serve` and what it turns into.
pub mod config;

/// One file per command.
pub mod cli;
