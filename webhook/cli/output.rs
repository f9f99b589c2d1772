//! How commands speak: data on stdout, failures on stderr, one exit code for each kind.

use std::{
    error::Error,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use serde::Serialize;

use crate::name::{escape, escape_json};

/// Exit code of wrong usage or configuration.
const USAGE: u8 = 2;

/// Longest cause that is told, in characters.
const CAUSE: usize = 1024;

/// How what a command found or did is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Why a command stopped, with its cause, and the exit code that follows.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// Something outside went wrong: exit 1.
    pub fn failed(what: impl Into<String>, cause: impl Error + 'static) -> Self {
        Self { code: 1, text: with_causes(what.into(), Some(&cause)) }
    }

    /// Something outside went wrong and the error says all there is to say: exit 1.
    pub fn of(error: impl Error + 'static) -> Self {
        Self { code: 1, text: with_causes(error.to_string(), error.source()) }
    }

    /// A fault of our own: exit 1.
    pub fn fault(what: impl Into<String>) -> Self {
        Self { code: 1, text: what.into() }
    }

    /// The command line or the configuration is wrong: exit 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { code: USAGE, text: what.into() }
    }

    /// What was given as input is wrong and the error says all there is to say: exit 2.
    pub fn of_input(error: impl Error + 'static) -> Self {
        Self { code: USAGE, ..Self::of(error) }
    }

    /// What was given as input cannot be read: exit 2.
    pub fn unreadable(what: impl Into<String>, cause: impl Error + 'static) -> Self {
        Self { code: USAGE, ..Self::failed(what, cause) }
    }

    /// What it says, with its causes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Prints the failure for a person and gives its exit code.
    pub fn report(self) -> ExitCode {
        say(&format!("error: {}", self.text));
        ExitCode::from(self.code)
    }
}

/// Prints one line of data. A reader that went away ends the output, not the command.
pub fn data(line: &str) {
    let _closed = writeln!(io::stdout(), "{line}");
}

/// Prints one value as indented JSON, with nothing in it that a terminal would act on.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::failed("the answer does not fit into JSON", error))?;
    data(&escape_json(&text));
    Ok(())
}

/// Prints bytes as they are; to a terminal, which acts on some of them, as the text that they are
/// with those spelled out.
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    if stdout.is_terminal() {
        return writeln!(stdout, "{}", to_look_at(bytes));
    }
    stdout.write_all(bytes)
}

/// The lines of a text, each without what a terminal acts on.
fn to_look_at(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split('\n').map(|line| escape(line.trim_end_matches('\r'), usize::MAX / 8));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// Prints a text for the person at the terminal, with nothing in it that a terminal acts on (P13).
pub fn say(text: &str) {
    let _closed = writeln!(io::stderr(), "{}", to_look_at(text.as_bytes()));
}

/// A text with the causes of an error below it, a line each: they quote what others wrote.
pub fn with_causes(mut text: String, mut cause: Option<&(dyn Error + 'static)>) -> String {
    while let Some(error) = cause {
        let cause_text = escape(&error.to_string(), CAUSE);
        let _infallible = write!(text, "\n  because: {cause_text}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_a_terminal_is_shown_what_it_would_act_on() {
        for (name, bytes, want) in [
            ("lines", &b"{\n  \"a\": 1\n}\n"[..], "{\n  \"a\": 1\n}"),
            ("other ends of lines", b"a\r\nb", "a\nb"),
            ("a command to the terminal", b"\x1b]0;title\x07", r"\u{1b}]0;title\u{7}"),
            ("the same in one sign", "\u{9b}2J".as_bytes(), r"\u{9b}2J"),
            ("another direction", "a\u{202e}b".as_bytes(), r"a\u{202e}b"),
            ("no text", b"\xff\x00", "\u{fffd}\\u{0}"),
        ] {
            assert_eq!(to_look_at(bytes), want, "{name}");
        }
    }
}
