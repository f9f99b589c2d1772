//! Where evidence lies: registries, Grafeas servers, the evidence cache.

mod deadline;

pub use deadline::Deadline;
