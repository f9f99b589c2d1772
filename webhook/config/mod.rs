//! The YAML of `countersign serve` and what it turns into.
//!
//! A file is read in two steps. Its *shape* (YAML, keys, types) is what [`document`] describes, and
//! the first thing wrong with it ends the reading. Its *contents* (names, addresses, the files it
//! names, keys, rules) are then checked all at once, so that a person sees every mistake in one
//! run, each with file and line.

mod at;
mod clients;
mod contents;
pub mod document;
mod error;
mod files;
pub mod from;
mod loaded;
mod parse;
mod parts;
mod problem;
mod report;
mod schema;
mod units;
mod watch;

pub use at::At;
pub use error::{ConfigError, ConfigErrors};
pub use files::LARGEST_FILE;
pub use loaded::{Config, Purpose};
pub use parse::parse;
pub use problem::Problem;
pub use report::{AuthorityReport, PolicyReport, Report, RuleReport, Warning};
pub use schema::schema;
pub use units::{Size, Span};
pub use watch::Watch;

use parse::nearest;
