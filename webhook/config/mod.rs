//! The YAML of `countersign serve` and what it turns into.
//!
//! A file is read in two steps. Its *shape* (YAML, keys, types) is what [`document`] describes, and
//! the first thing wrong with it ends the reading. Its *contents* (names, addresses, the files it
//! names, keys, rules) are then checked all at once, so that a person sees every mistake in one
//! run, each with file and line.

mod at;
pub mod document;
mod error;
mod parse;
mod problem;
mod schema;
mod units;

pub use at::At;
pub use error::ConfigError;
pub use error::ConfigErrors;
pub use problem::Problem;
pub use schema::schema;
pub use units::Size;
pub use units::Span;

use std::path::Path;

/// The document that `text` of `file` is.
pub fn read(file: &Path, text: &str) -> Result<document::Document, ConfigError> {
    parse::parse(file, text)
}
