//! What the rules make of it: Rego bundles, the input document, decisions.

mod archive;
mod bundle;
mod compile;
mod edit;
mod error;
mod fault;
mod guard;
mod hoist;
mod image;
mod input;
mod library;
mod metadata;
mod parameters;
mod program;
mod reads;
mod refuse;
mod request;
mod rule;
mod safety;
mod value;
mod verdict;
mod visit;

pub use bundle::Bundle;
pub use error::{Place, RuleError};
pub use fault::RuleFault;
pub use image::{Container, ImageEntry, Lookup, Platform, Records};
pub use input::{ImagePart, Input, InputError, RequestPart};
pub use library::{LIBRARY, LibraryRule};
pub use metadata::{Custom, Metadata, Needs};
pub use parameters::Schema;
pub use program::Limits;
pub use reads::Reads;
pub use request::{Kind, Request, Resource, User};
pub use rule::Rule;
pub use value::NoValue;
pub use verdict::{Verdict, Violation};
