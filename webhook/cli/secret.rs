//! Where a secret comes from: never from the command line itself, which other users can see.

use std::{
    env,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{sign::Passphrase, source::Secret};

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
use rustix::process::{Resource, Rlimit, setrlimit};
use zeroize::Zeroizing;

use super::{Failure, input};

/// A file, an environment variable, or stdin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// `env:NAME`: the text in an environment variable.
    Variable(String),
    /// `-`: stdin, to its end.
    Stdin,
}

impl FromStr for Source {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<Self, BadSource> {
        match text.split_once(':') {
            Some(("env", "")) => Err(BadSource::NoVariable),
            Some(("env", name)) => Ok(Self::Variable(name.to_owned())),
            _ if text == "-" => Ok(Self::Stdin),
            _ => Ok(Self::File(text.into())),
        }
    }
}

/// What names no place for a secret.
#[derive(Debug, thiserror::Error)]
pub enum BadSource {
    #[error("`env:` must be followed by the name of a variable")]
    NoVariable,
}

impl Source {
    /// Reads a passphrase; one line's end at its end is no part of it.
    pub fn passphrase(&self) -> Result<Passphrase, Failure> {
        let bytes = self.bytes("passphrase")?;
        Ok(Passphrase::from(bytes.strip_suffix(b"\n").unwrap_or(&bytes)))
    }

    /// Reads a token or the like; one line's end at its end is no part of it.
    pub fn text(&self, what: &str) -> Result<Secret, Failure> {
        let bytes = self.bytes(what)?;
        let text = str::from_utf8(bytes.strip_suffix(b"\n").unwrap_or(&bytes))
            .map_err(|_| Failure::usage(format!("the {what} from {self} is not UTF-8")))?;
        Ok(Secret::new(text.to_owned()))
    }

    /// Reads the bytes as they are.
    pub fn bytes(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable =
            |error| Failure::failed(format!("cannot read the {what} from {self}"), error);
        match self {
            Self::File(path) => input::read(path, MOST).map(Zeroizing::new).map_err(unreadable),
            Self::Variable(name) => match env::var(name) {
                Ok(text) => Ok(Zeroizing::new(text.into_bytes())),
                Err(error) => {
                    Err(Failure::failed(format!("cannot read the {what} from {self}"), error))
                }
            },
            Self::Stdin => {
                input::read(Path::new("-"), MOST).map(Zeroizing::new).map_err(unreadable)
            }
        }
    }
}

/// The variables that hold secrets of this command, for programs that it starts not to inherit: the
/// registry's password, those that arguments name, and any with a secret key in it.
pub fn variables() -> Vec<String> {
    let arguments = env::args_os().filter_map(|argument| named_by(argument.to_str()?));
    let keys = env::vars_os().filter_map(|(name, value)| {
        let holds = value.as_encoded_bytes().windows(KEY.len()).any(|text| text == KEY);
        holds.then(|| name.into_string().ok())?
    });
    arguments.chain(keys).chain(["REGISTRY_PASSWORD".to_owned()]).collect()
}

/// The variable that an argument says to read a secret from: `env:NAME`, `--key=env:NAME`.
fn named_by(argument: &str) -> Option<String> {
    let text = match argument.strip_prefix("--") {
        Some(flag) => flag.split_once('=')?.1,
        None => argument,
    };
    text.strip_prefix("env:").map(str::to_owned)
}

/// Within the armor of secret keys, OpenPGP's and PEM's.
const KEY: &[u8] = b"PRIVATE KEY";

/// Sees to it that no memory of this process, and so no secret in it, ends in a core file.
pub fn guard() -> Result<(), Failure> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .map_err(|error| Failure::failed("core files cannot be turned off", error))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::failed("core files cannot be turned off", error))?;
    Ok(())
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(out, "{}", path.display()),
            Self::Variable(name) => write!(out, "the variable {name}"),
            Self::Stdin => out.write_str("stdin"),
        }
    }
}

/// Most bytes of a secret on stdin.
const MOST: u64 = 1024 * 1024;
