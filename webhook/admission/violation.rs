//! What stands against an image, in one line that a person can act on.

use std::fmt;

use crate::name::{Code, escape};

/// One reason against letting a request in.
///
/// Displayed, it is one line: `policy: path "given" → reference: what is wrong (code); what to do`,
/// outside text escaped and cut (P13). Parts that are empty fall away.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// The policy that objects; empty where the review itself is at fault.
    pub policy: String,
    /// Where in the object: `spec.containers[0].image`; empty where it is about no image.
    pub path: String,
    /// The reference as it is written in the object.
    pub given: String,
    /// What it resolved to, if it did.
    pub reference: Option<String>,
    /// What is wrong.
    pub what: String,
    /// The reason code: one of [`Code`], or a rule's own.
    pub code: String,
    /// What to do about it.
    pub todo: Option<String>,
    /// The same request may pass a moment later (503).
    pub retryable: bool,
}

impl Violation {
    /// A violation by the review itself, not by one of its images.
    pub fn of_review(code: Code, what: impl Into<String>, todo: Option<&str>) -> Self {
        Self {
            policy: String::new(),
            path: String::new(),
            given: String::new(),
            reference: None,
            what: what.into(),
            code: code.as_str().to_owned(),
            todo: todo.map(str::to_owned),
            retryable: code.retryable(),
        }
    }

    /// The short form for a warning, `policy: path: what is wrong (code)`, of at most `max_chars`
    /// characters. What is wrong gives way first: the code is what can be looked up.
    pub fn brief(&self, max_chars: usize) -> String {
        let mut head = String::new();
        for part in [&self.policy, &self.path] {
            if !part.is_empty() {
                head.push_str(&escape(part, 64));
                head.push_str(": ");
            }
        }
        let tail = format!(" ({})", escape(&self.code, 64));
        let room = max_chars.saturating_sub(head.chars().count() + tail.chars().count());
        escape(&format!("{head}{}{tail}", escape(&self.what, room)), max_chars)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.policy.is_empty() {
            write!(formatter, "{}: ", escape(&self.policy, NAME))?;
        }
        if !self.path.is_empty() {
            write!(formatter, "{} {}", escape(&self.path, NAME), quoted(&self.given))?;
            if let Some(reference) = &self.reference {
                write!(formatter, " → {}", escape(reference, REFERENCE))?;
            }
            formatter.write_str(": ")?;
        }
        write!(formatter, "{} ({})", escape(&self.what, TEXT), escape(&self.code, NAME))?;
        match self.todo.as_deref() {
            Some(todo) if !todo.is_empty() => write!(formatter, "; {}", escape(todo, TEXT)),
            _ => Ok(()),
        }
    }
}

/// In quotes that the text cannot close.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escape(text, REFERENCE).replace('"', "\\\""))
}

/// Longest name of a policy, a path or a code in a line, in characters.
const NAME: usize = 128;

/// Longest reference in a line: a repository of 255 characters, a tag of 128, a SHA-512 digest.
const REFERENCE: usize = 520;

/// Longest explanation in a line.
const TEXT: usize = 1024;
