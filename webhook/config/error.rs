//! What is wrong with a configuration, and where.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use super::Problem;

/// One thing that is wrong, with file and line.
///
/// Trying again changes nothing; the file must change, or the files that it names.
#[derive(Debug)]
pub struct ConfigError {
    /// The configuration file.
    pub file: PathBuf,
    /// The line in it, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

impl ConfigError {
    /// A problem of `file` at `line`.
    pub(super) fn new(file: &Path, line: u64, problem: impl Into<Problem>) -> Self {
        Self { file: file.to_owned(), line, problem: problem.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(formatter, "{}:", self.line)?;
        }
        write!(formatter, " {}", self.problem)
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// Everything that is wrong with a configuration: the first error of its shape, or all errors of
/// its contents, by line. Never empty.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    /// One line for each, with its causes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
            let mut cause = error.source();
            while let Some(source) = cause {
                write!(formatter, ": {source}")?;
                cause = source.source();
            }
        }
        Ok(())
    }
}

impl Error for ConfigErrors {}
