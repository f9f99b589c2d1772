//! Names of resources in a Grafeas server.

use std::{fmt, str::FromStr, sync::Arc};

use super::{escape, serial::as_text};

/// `projects/P`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProjectName(Arc<str>);

/// `projects/P/notes/N`.
///
/// ```
/// use countersign::name::NoteName;
///
/// let note: NoteName = "projects/image-build/notes/built".parse().unwrap();
/// assert_eq!(note.project().to_string(), "projects/image-build");
/// assert_eq!(note.id(), "built");
/// assert!("projects/image-build/notes/".parse::<NoteName>().is_err());
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NoteName(Arc<str>);

/// `projects/P/occurrences/O`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OccurrenceName(Arc<str>);

/// `projects/P/notes/N`, where the `N` may have `*` for any characters.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NotePattern(Arc<str>);

impl ProjectName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes after `projects/`.
    pub fn id(&self) -> &str {
        last(&self.0)
    }

    /// The note of this project that has this ID.
    ///
    /// # Errors
    /// Where `id` has characters that no ID has.
    pub fn note(&self, id: &str) -> Result<NoteName, BadName> {
        format!("{self}/notes/{id}").parse()
    }
}

impl NoteName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The project that the note belongs to.
    pub fn project(&self) -> ProjectName {
        project(&self.0)
    }

    /// What comes after `notes/`.
    pub fn id(&self) -> &str {
        last(&self.0)
    }
}

impl OccurrenceName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The project that the occurrence belongs to.
    pub fn project(&self) -> ProjectName {
        project(&self.0)
    }

    /// What comes after `occurrences/`.
    pub fn id(&self) -> &str {
        last(&self.0)
    }
}

impl NotePattern {
    /// The project whose notes it means.
    pub fn project(&self) -> ProjectName {
        project(&self.0)
    }

    /// Whether it means this note.
    pub fn matches(&self, note: &NoteName) -> bool {
        self.project() == note.project() && super::pattern::glob(last(&self.0), note.id())
    }
}

impl FromStr for ProjectName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            ["projects", id] if is_id(id) => Ok(Self(text.into())),
            _ => Err(BadName::Project(escape(text, SHOWN))),
        }
    }
}

impl FromStr for NoteName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            ["projects", project, "notes", id] if is_id(project) && is_id(id) => {
                Ok(Self(text.into()))
            }
            _ => Err(BadName::Note(escape(text, SHOWN))),
        }
    }
}

impl FromStr for OccurrenceName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            ["projects", project, "occurrences", id] if is_id(project) && is_id(id) => {
                Ok(Self(text.into()))
            }
            _ => Err(BadName::Occurrence(escape(text, SHOWN))),
        }
    }
}

impl FromStr for NotePattern {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            ["projects", project, "notes", id]
                if is_id(project) && (*id == "*" || is_id(&id.replace('*', "x"))) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(BadName::NotePattern(escape(text, SHOWN))),
        }
    }
}

/// Implements `Display` of the newtypes above.
macro_rules! shown {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

shown!(ProjectName, NoteName, OccurrenceName, NotePattern);
as_text!(ProjectName, NoteName, OccurrenceName, NotePattern);

/// Why a text names nothing in a Grafeas server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadName {
    /// Not `projects/P`.
    #[error("\"{0}\" is not a project; write it as projects/<project>")]
    Project(String),
    /// Not `projects/P/notes/N`.
    #[error("\"{0}\" is not a note; write it as projects/<project>/notes/<note>")]
    Note(String),
    /// Not `projects/P/occurrences/O`.
    #[error("\"{0}\" is not an occurrence; its form is projects/<project>/occurrences/<id>")]
    Occurrence(String),
    /// Not `projects/P/notes/N*`.
    #[error("\"{0}\" means no notes; write it as projects/<project>/notes/*")]
    NotePattern(String),
}

/// The project of a name whose form has been checked.
fn project(name: &str) -> ProjectName {
    let end = name.match_indices('/').nth(1).map_or(name.len(), |(end, _)| end);
    ProjectName(name.get(..end).unwrap_or(name).into())
}

/// What comes after the last slash.
fn last(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

/// IDs as servers make them: nothing in them that a URL, a filter or a log line could trip over.
fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    !id.is_empty() && id.len() <= 256 && id.bytes().all(allowed) && !matches!(id, "." | "..")
}

/// How much of a wrong text an error quotes.
const SHOWN: usize = 200;
