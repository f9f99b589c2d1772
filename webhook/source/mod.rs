//! Where evidence lies: registries, Grafeas servers, the evidence cache.
