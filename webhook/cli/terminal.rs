//! The person at the terminal, and what they are asked.

use std::io::{self, IsTerminal as _};

use zeroize::Zeroizing;

use super::Failure;
use crate::{sign::Passphrase, source::Secret};

/// Whether there is a person to be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to go on; only a yes is one.
///
/// # Errors
/// Nobody is there, or the terminal cannot be read.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    if !can_ask() {
        return Err(Failure::usage("nobody can be asked without a terminal; give --yes"));
    }
    let console = console::Term::stderr();
    let answer = console.write_str(question).and_then(|()| console.read_line());
    let answer = answer.map_err(|error| Failure::failed(UNREAD, error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Asks for a passphrase, which is not shown.
pub fn passphrase(prompt: &str) -> Result<Passphrase, Failure> {
    Ok(Passphrase::from(hidden_line(prompt)?.as_bytes()))
}

/// Asks for a password, which is not shown.
pub fn password(prompt: &str) -> Result<Secret, Failure> {
    Ok(Secret::new(hidden_line(prompt)?.to_string()))
}

fn hidden_line(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let console = console::Term::stderr();
    let line = console.write_str(prompt).and_then(|()| console.read_secure_line());
    line.map(Zeroizing::new).map_err(|error| Failure::failed(UNREAD, error))
}

const UNREAD: &str = "the terminal cannot be read";
