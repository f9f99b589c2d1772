//! What a CI system tells its jobs, read by the system's table.

use std::collections::BTreeMap;

use super::{Origin, is_revision, source_uri, systems::SYSTEMS};

/// The environment variables of this process.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A CI system that this process runs under, and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ci {
    /// What people call it.
    pub name: &'static str,
    /// Where the build began.
    pub origin: Origin,
    /// Who built.
    pub builder_id: Option<String>,
    /// This run of it.
    pub invocation_id: Option<String>,
    /// When it began, RFC 3339.
    pub started: Option<String>,
}

/// A CI system.
pub(super) struct System {
    pub(super) name: &'static str,
    /// Variables that are all set under this system and not all under any other.
    pub(super) marks: &'static [&'static str],
    pub(super) rows: &'static [Row],
}

/// One way to know one fact; the first row that can be filled in counts.
pub(super) struct Row {
    pub(super) fact: Fact,
    /// Text with `{NAME}` for a variable, `{NAME#prefix}` for one less a prefix that it must have.
    /// A variable that is unset or empty makes the row useless.
    pub(super) template: &'static str,
    /// Not if this variable is set, to anything but `false`.
    pub(super) unless: &'static str,
}

/// What a row tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fact {
    Source,
    Revision,
    Reference,
    Path,
    Builder,
    Invocation,
    Started,
}

pub(super) const fn row(fact: Fact, template: &'static str) -> Row {
    Row { fact, template, unless: "" }
}

pub(super) const fn unless(unless: &'static str, fact: Fact, template: &'static str) -> Row {
    Row { fact, template, unless }
}

impl Ci {
    /// The system whose marks are in `environment`, if it is one that we know.
    pub fn detect(environment: &Environment) -> Option<Self> {
        let is_set = |mark: &&str| environment.get(mark).is_some();
        let system = SYSTEMS.iter().find(|system| system.marks.iter().all(is_set))?;
        let fact = |fact| {
            let rows = system.rows.iter().filter(|row| row.fact == fact);
            rows.filter(|row| environment.get(row.unless).is_none_or(|set| set == "false"))
                .find_map(|row| environment.filled(row.template))
        };
        Some(Self {
            name: system.name,
            origin: Origin {
                source: fact(Fact::Source).and_then(|text| source_uri(&text)),
                revision: fact(Fact::Revision).filter(|text| is_revision(text)),
                reference: fact(Fact::Reference),
                path: fact(Fact::Path),
            },
            builder_id: fact(Fact::Builder),
            invocation_id: fact(Fact::Invocation),
            started: fact(Fact::Started),
        })
    }
}

impl Environment {
    /// The environment that this process was started in.
    pub fn of_this_process() -> Self {
        let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(texts).collect())
    }

    /// A variable that has a value which fits on one line.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str();
        let fits = value.len() <= LONGEST && !value.chars().any(char::is_control);
        (fits && !value.is_empty()).then_some(value)
    }

    fn filled(&self, template: &str) -> Option<String> {
        let mut filled = String::new();
        let mut pieces = template.split('{');
        filled.push_str(pieces.next()?);
        for piece in pieces {
            let (variable, text) = piece.split_once('}')?;
            filled.push_str(match variable.split_once('#') {
                Some((name, prefix)) => self.get(name)?.strip_prefix(prefix)?,
                None => self.get(variable)?,
            });
            filled.push_str(text);
        }
        Some(filled)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// The longest value that is taken for a name or a URL.
const LONGEST: usize = 2048;
