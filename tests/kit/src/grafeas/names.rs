//! The paths of the API, without the version in front.

use crate::peer::Kind;

/// What a path names.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Route<'a> {
    Projects,
    Project(&'a str),
    Notes(&'a str),
    Note(&'a str),
    NoteOccurrences(&'a str),
    Occurrences(&'a str),
    BatchOccurrences(&'a str),
    Occurrence(&'a str),
    OccurrenceNotes(&'a str),
    Unknown,
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        let Some(name) = path.strip_prefix("/v1beta1/").or(path.strip_prefix("/v1/")) else {
            return Self::Unknown;
        };
        let parts: Vec<&str> = name.split('/').collect();
        let upto = |n: usize| {
            let length: usize = parts.iter().take(n).map(|part| part.len() + 1).sum();
            &name[..length - 1]
        };
        match parts.as_slice() {
            ["projects"] => Self::Projects,
            ["projects", _] => Self::Project(name),
            ["projects", _, "notes"] => Self::Notes(upto(2)),
            ["projects", _, "occurrences"] => Self::Occurrences(upto(2)),
            ["projects", _, "occurrences:batchCreate"] => Self::BatchOccurrences(upto(2)),
            ["projects", _, "notes", _] => Self::Note(name),
            ["projects", _, "occurrences", _] => Self::Occurrence(name),
            ["projects", _, "notes", _, "occurrences"] => Self::NoteOccurrences(upto(4)),
            ["projects", _, "occurrences", _, "notes"] => Self::OccurrenceNotes(upto(4)),
            _ => Self::Unknown,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Projects | Self::Project(_) => Kind::Project,
            Self::Notes(_) | Self::Note(_) | Self::OccurrenceNotes(_) => Kind::Note,
            Self::NoteOccurrences(_)
            | Self::Occurrences(_)
            | Self::BatchOccurrences(_)
            | Self::Occurrence(_) => Kind::Occurrence,
            Self::Unknown => Kind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        let cases = [
            ("/v1beta1/projects", Route::Projects),
            ("/v1beta1/projects/p", Route::Project("projects/p")),
            ("/v1/projects/p/notes/n", Route::Note("projects/p/notes/n")),
            ("/v1beta1/projects/p/occurrences", Route::Occurrences("projects/p")),
            ("/v1beta1/projects/p/occurrences:batchCreate", Route::BatchOccurrences("projects/p")),
            ("/v1/projects/p/notes/n/occurrences", Route::NoteOccurrences("projects/p/notes/n")),
            ("/v1/projects/p/occurrences/o", Route::Occurrence("projects/p/occurrences/o")),
            ("/v2/projects/p", Route::Unknown),
        ];
        for (path, want) in cases {
            assert_eq!(Route::of(path), want, "{path}");
        }
    }
}
