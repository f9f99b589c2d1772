//! Why a rule cannot be loaded, told to the person who wrote it.

use std::{fmt, io, path::PathBuf};

/// Why a rule was refused at load. Trying again changes nothing; the rule or the configuration must.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file or folder could not be read.
    #[error("{}: cannot be read; check the path and its permissions", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The path holds nothing that could be a rule, or too much.
    #[error("{path}: {detail}")]
    Bundle { path: String, detail: String },
    /// Something in the Rego text, with the place.
    #[error("{at}: {detail}")]
    At { at: Place, detail: String },
    /// The files do not declare the package that the configuration names.
    #[error("no file declares package {package}; these packages were found: {}", found.join(", "))]
    NoPackage { package: String, found: Vec<String> },
    /// The package has neither of the two entries.
    #[error(
        "package {package} has neither `deny` nor `warn`; a rule is a partial set of that name"
    )]
    NoEntry { package: String },
    /// There is no library rule of that name.
    #[error("the library has no rule {name}; it has {}", known.join(", "))]
    Unknown { name: String, known: Vec<&'static str> },
    /// The parameters given are not those that the rule's METADATA describes.
    #[error("parameters of rule {rule}: {}", problems.join("; "))]
    Parameters { rule: String, problems: Vec<String> },
    /// The engine refuses the rule for a reason that it gives no place for.
    #[error("rule {rule}: {detail}")]
    Engine { rule: String, detail: String },
}

/// A place in a Rego file; line and column start at 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl RuleError {
    /// Reads the place out of a message of the engine, which writes `--> file:line:column`, the
    /// line itself, and the message on the last line.
    pub(super) fn from_engine(rule: &str, text: &str) -> Self {
        let detail = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text);
        let detail = detail.trim().trim_start_matches("error: ").to_owned();
        match text.lines().find_map(|line| Place::parse(line.trim().strip_prefix("--> ")?)) {
            Some(at) => Self::At { at, detail },
            None => Self::Engine { rule: rule.to_owned(), detail },
        }
    }
}

impl Place {
    pub(super) fn of(span: &regorus::unstable::Span) -> Self {
        Self { file: span.source.get_path().clone(), line: span.line, column: span.col }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        Some(Self { file: parts.next()?.to_owned(), line, column })
    }
}
