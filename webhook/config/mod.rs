//! The YAML of `countersign serve` and what it turns into.
