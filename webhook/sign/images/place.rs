//! Where something was named, for the person who has to correct it.

use std::{fmt, sync::Arc};

use crate::name::escape;

/// A file and, where it helps, the position in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    file: Arc<str>,
    at: At,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum At {
    Whole,
    Position { line: usize, column: usize },
    Member(String),
}

impl Place {
    /// The whole of a file, or of what the command line says.
    pub fn of(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), at: At::Whole }
    }

    /// A line and a column of it, from 1.
    pub fn position(file: &Arc<str>, line: usize, column: usize) -> Self {
        Self { file: Arc::clone(file), at: At::Position { line, column } }
    }

    /// A named part of it.
    pub fn member(file: &Arc<str>, name: &str) -> Self {
        Self { file: Arc::clone(file), at: At::Member(name.to_owned()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = escape(&self.file, SHOWN);
        match &self.at {
            At::Whole => out.write_str(&file),
            At::Position { line, column } => write!(out, "{file}:{line}:{column}"),
            At::Member(name) => write!(out, "{file}, \"{}\"", escape(name, SHOWN)),
        }
    }
}

/// How much of a name a message shows.
const SHOWN: usize = 300;
