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
    At { at: Location, detail: String },
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
pub struct Location {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl RuleError {
    /// Reads the place out of a message of the engine, which writes `--> file:line:column`, the
    /// line itself, and the message on the last line.
    pub(super) fn from_engine(rule: &str, text: &str) -> Self {
        let detail = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text);
        let mut detail = detail.trim().trim_start_matches("error: ").to_owned();
        if detail.contains("used before definition") {
            detail += "; a variable and a rule or import of one name are too many, rename one";
        }
        match text.lines().find_map(|line| Location::parse(line.trim().strip_prefix("--> ")?)) {
            Some(at) => Self::At { at: at.without_tab_stops(text), detail },
            None => Self::Engine { rule: rule.to_owned(), detail },
        }
    }
}

impl Location {
    pub(super) fn of(span: &regorus::unstable::Span) -> Self {
        let before = span.source.contents().get(..span.start as usize).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        Self { file: span.source.get_path().clone(), line: span.line, column }
    }

    /// The engine counts a tab as four columns; we count it as one, as OPA does. `message` shows
    /// the line as `7  | text`.
    fn without_tab_stops(self, message: &str) -> Self {
        let number = self.line.to_string();
        let shown = message.lines().find_map(|line| {
            line.trim_start().strip_prefix(&number)?.trim_start().strip_prefix("| ")
        });
        let mut left = self.column.saturating_sub(1);
        let mut column = 1;
        for char in shown.unwrap_or_default().chars() {
            let width = if char == '\t' { 4 } else { 1 };
            if left < width {
                break;
            }
            left -= width;
            column += 1;
        }
        Self { column: column + left, ..self }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        Some(Self { file: parts.next()?.to_owned(), line, column })
    }
}
