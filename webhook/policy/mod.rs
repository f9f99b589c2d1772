//! What the rules make of it: Rego bundles, the input document, decisions.
//!
//! ```text
//! Bundle ─▶ parse ─▶ refuse, safety ─▶ silence, settle, hoist, single, guard ─▶ Program ─▶ try once ─▶ Rule
//!                    what may not be    what the engine takes otherwise
//!                    used here          than OPA
//! ```
//!
//! Rules are OPA's Rego. The engine's machine differs from OPA in places, some of them silent and
//! towards allowing; each is rewritten or refused when a rule is loaded, and
//! `tests/it/policy_opa.rs` holds the result to what OPA says.

mod archive;
mod bundle;
mod compile;
mod depth;
mod edit;
mod error;
mod fault;
mod guard;
mod held;
mod hoist;
mod image;
mod input;
mod library;
mod metadata;
mod parameters;
mod parsed;
mod program;
mod reads;
mod refuse;
mod request;
mod rule;
mod safety;
mod single;
mod suite;
mod value;
mod verdict;
mod visit;

pub use bundle::Bundle;
pub use error::{Location, RuleError};
pub use fault::RuleFault;
pub use image::{Container, ImageEntry, Lookup, Platform, Records, StatementEntry};
pub use input::{INPUT_SCHEMA, ImagePart, Input, InputError, RequestPart};
pub use library::{LIBRARY, LibraryRule};
pub use metadata::{Custom, Metadata, Needs};
pub use parameters::Schema;
pub use program::Limits;
pub use reads::Reads;
pub use request::{Kind, Request, Resource, User};
pub use rule::Rule;
pub use suite::{TestOutcome, TestReport, Uncovered, run_tests};
pub use value::NoValue;
pub use verdict::{Verdict, Violation};
