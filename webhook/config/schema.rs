//! The JSON Schema that `countersign config schema` prints.

use schemars::{Schema, schema_for};

use super::document::Document;

/// The schema of the configuration file, for editors that complete and check YAML.
///
/// It knows the shape only: names, files, keys and rules are looked at by `config check`.
pub fn schema() -> Schema {
    schema_for!(Document)
}
