//! From text to the document: the first thing wrong with the file's shape.

use std::path::Path;

use serde_saphyr::Error;

use super::{ConfigError, Problem, document::Document};
use crate::name::escape;

/// Reads the shape of `text`, which came from `file`.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(file: &Path, text: &str) -> Result<Document, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        ConfigError::new(file, line, problem(error))
    })
}

/// The parser's error in our words.
fn problem(error: Error) -> Problem {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => match nearest(&field, &expected) {
            Some(&nearest) => Problem::UnknownKey { key: escape(&field, SHOWN), nearest },
            None => Problem::Shape(format!("unknown key `{}`", escape(&field, SHOWN))),
        },
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            Problem::UnknownValue { value: escape(&variant, SHOWN), known: expected.join(", ") }
        }
        Error::SerdeMissingField { field, .. } => Problem::Missing(field),
        Error::DuplicateMappingKey { key: Some(key), .. } => Problem::Twice(escape(&key, SHOWN)),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            Problem::Shape(escape(&format!("found {unexpected}, expected {expected}"), 2 * SHOWN))
        }
        Error::Message { msg, .. } => Problem::Shape(escape(&msg, 2 * SHOWN)),
        Error::Unexpected { expected, .. } => {
            Problem::Shape(format!("expected {}", kind(expected)))
        }
        Error::InvalidScalar { ty, .. } => Problem::Shape(format!("expected {}", kind(ty))),
        Error::MultipleDocuments { .. } => {
            Problem::Shape("a second document begins here; a configuration is one".to_owned())
        }
        other => {
            let text = other.to_string();
            // The line is told already.
            let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
            Problem::Shape(escape(text, 2 * SHOWN))
        }
    }
}

/// What YAML calls a kind of value, in words for people.
fn kind(name: &str) -> &str {
    match name {
        "sequence start" => "a list",
        "mapping start" => "keys and values",
        "boolean" => "true or false",
        "u32" | "u64" => "a whole number",
        other => other,
    }
}

/// The known word that is most like a wrong one, whatever its case.
pub(super) fn nearest<'k, K: AsRef<str>>(wrong: &str, known: &'k [K]) -> Option<&'k K> {
    let wrong = wrong.to_lowercase();
    let likeness = |known: &K| strsim::jaro_winkler(&wrong, &known.as_ref().to_lowercase());
    known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}

/// How much of a wrong text an error quotes.
const SHOWN: usize = 100;
