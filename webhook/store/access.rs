//! Who may do what in the store.
//!
//! ```yaml
//! - {token: 4Ge5Xb0qjL1y…, may: read}
//! - {sha256: 5f2b…, may: write, notes: [projects/image-build/notes/built]}
//! - {token: pZ81nGq9WcT0…, may: administer}
//! ```

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, Method, header};
use serde::Deserialize;

use super::{answer::Refusal, origin};
use crate::{
    name::{Digest, NoteName},
    source::read_file,
};

/// Decides about every request.
#[derive(Debug)]
pub enum Access {
    /// Whoever can connect to loopback administers, but for web pages.
    Local,
    /// Whoever can connect by TLS administers: holders of a client certificate.
    Connected,
    /// Bearer tokens from a file.
    Tokens(Box<TokenFile>),
}

/// What a caller may do; each includes the one before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Right {
    Read,
    /// Post occurrences of these notes, into the projects of the notes.
    Write(Vec<NoteName>),
    Administer,
}

/// A file of tokens, read again when it changes.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    loaded: ArcSwap<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    /// Of the file as it was last looked at, whether or not it could be used; none if it was gone.
    stamp: Option<Stamp>,
    tokens: Vec<(Digest, Right)>,
}

type Stamp = (Option<SystemTime>, u64);

/// Why a file of tokens cannot be used. No token is ever quoted.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("{path}: cannot be read; see that it is there, and that it may be read")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "{path}: is no list of {{token or sha256, may, notes}}; write one entry for each token"
    )]
    Shape { path: PathBuf },
    #[error("{path}: entry {entry}: {problem}")]
    Entry { path: PathBuf, entry: usize, problem: &'static str },
}

impl Access {
    /// Refuses what a web page could have sent, where nothing else tells callers apart.
    pub(super) fn refuse_pages(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Self::Tokens(_) => Ok(()),
            Self::Connected => origin::must_be_json(method, headers),
            Self::Local => {
                origin::must_name_this_machine(headers)?;
                origin::must_be_json(method, headers)
            }
        }
    }

    /// What the caller of a request may do.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] where a token is needed and is absent or unknown.
    pub async fn right(&self, headers: &HeaderMap) -> Result<Right, Refusal> {
        match self {
            Self::Local | Self::Connected => Ok(Right::Administer),
            Self::Tokens(file) => {
                file.refresh().await;
                let token =
                    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
                let token = token.and_then(|value| value.split_once(' '));
                match token {
                    Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                        file.right(token.trim()).ok_or(Refusal::Unauthenticated)
                    }
                    _ => Err(Refusal::Unauthenticated),
                }
            }
        }
    }
}

impl Right {
    /// # Errors
    /// [`Refusal::Denied`] unless occurrences of this note may be posted.
    pub fn may_write(&self, note: &NoteName) -> Result<(), Refusal> {
        match self {
            Self::Administer => Ok(()),
            Self::Write(notes) if notes.contains(note) => Ok(()),
            _ => Err(Refusal::Denied(format!("this token may not write occurrences of {note}"))),
        }
    }

    /// # Errors
    /// [`Refusal::Denied`] unless everything is allowed.
    pub fn may_administer(&self) -> Result<(), Refusal> {
        match self {
            Self::Administer => Ok(()),
            _ => Err(Refusal::Denied("this token may not administer the store".to_owned())),
        }
    }
}

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`TokenFileError`].
    pub fn open(path: &Path) -> Result<Self, TokenFileError> {
        let loaded = load(path)?;
        Ok(Self { path: path.to_owned(), loaded: ArcSwap::from_pointee(loaded) })
    }

    /// Reads the file again if it changed. What cannot be read leaves the last tokens in force.
    async fn refresh(&self) {
        let stamp = tokio::fs::metadata(&self.path).await.ok().map(|metadata| stamp(&metadata));
        let last = self.loaded.load_full();
        if stamp == last.stamp {
            return;
        }
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || load(&path)).await {
            Ok(Ok(loaded)) => self.loaded.store(loaded.into()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "tokens of the store; the last ones stay");
                self.loaded.store(Loaded { stamp, tokens: last.tokens.clone() }.into());
            }
            Err(_) => {}
        }
    }

    fn right(&self, token: &str) -> Option<Right> {
        // Digests are compared, so that the time it takes tells nothing about a token.
        let digest = Digest::sha256(token.as_bytes());
        let loaded = self.loaded.load();
        let found = loaded.tokens.iter().find(|(known, _)| *known == digest);
        found.map(|(_, right)| right.clone())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    token: Option<String>,
    sha256: Option<String>,
    may: May,
    #[serde(default)]
    notes: Vec<NoteName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum May {
    Read,
    Write,
    Administer,
}

fn load(path: &Path) -> Result<Loaded, TokenFileError> {
    let read = |source| TokenFileError::Read { path: path.to_owned(), source };
    let stamp = Some(stamp(&std::fs::metadata(path).map_err(read)?));
    let bytes = read_file(path, LARGEST).map_err(read)?;
    let entries: Vec<Entry> = serde_saphyr::from_slice(&bytes)
        .map_err(|_| TokenFileError::Shape { path: path.to_owned() })?;
    let tokens = entries
        .into_iter()
        .enumerate()
        .map(|(at, entry)| {
            entry.read().map_err(|problem| TokenFileError::Entry {
                path: path.to_owned(),
                entry: at + 1,
                problem,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Loaded { stamp, tokens })
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    (metadata.modified().ok(), metadata.len())
}

impl Entry {
    fn read(self) -> Result<(Digest, Right), &'static str> {
        let digest = match (self.token, self.sha256) {
            (Some(token), None) if token.len() >= SHORTEST => Digest::sha256(token.as_bytes()),
            (Some(_), None) => {
                return Err("the token is shorter than 16 characters; make a longer");
            }
            (None, Some(hex)) => format!("sha256:{hex}").parse().map_err(
                |_| "sha256 is not 64 lowercase hexadecimal digits; write the token's SHA-256 so",
            )?,
            _ => return Err("needs token or sha256, not both; give one of them"),
        };
        let right = match (self.may, self.notes.is_empty()) {
            (May::Read, true) => Right::Read,
            (May::Administer, true) => Right::Administer,
            (May::Write, false) => Right::Write(self.notes),
            (May::Write, true) => return Err("may: write needs notes; list those it may write"),
            (_, false) => return Err("notes are for may: write only; leave them out"),
        };
        Ok((digest, right))
    }
}

const SHORTEST: usize = 16;

/// Most bytes of a file of tokens.
const LARGEST: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<TokenFile, TokenFileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.yaml");
        std::fs::write(&path, text).unwrap();
        TokenFile::open(&path)
    }

    #[test]
    fn p18_tokens_grant_what_the_file_says() {
        let hash = Digest::sha256(b"writer-token-0001").hex();
        let file = open(&format!(
            "- {{token: reader-token-0001, may: read}}\n\
             - {{sha256: {hash}, may: write, notes: [projects/p/notes/n]}}\n\
             - {{token: admins-token-0001, may: administer}}\n"
        ))
        .unwrap();
        let note: NoteName = "projects/p/notes/n".parse().unwrap();
        let other: NoteName = "projects/p/notes/n2".parse().unwrap();
        let cases = [
            ("reader-token-0001", false, false, false),
            ("writer-token-0001", true, false, false),
            ("admins-token-0001", true, true, true),
        ];
        for (token, writes, writes_other, administers) in cases {
            let right = file.right(token).unwrap();
            assert_eq!(right.may_write(&note).is_ok(), writes, "{token}");
            assert_eq!(right.may_write(&other).is_ok(), writes_other, "{token}");
            assert_eq!(right.may_administer().is_ok(), administers, "{token}");
        }
        assert_eq!(file.right("stranger-token-01"), None);
        assert_eq!(file.right(&hash), None);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_read_once_and_leaves_the_last_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.yaml");
        std::fs::write(&path, "- {token: reader-token-0001, may: read}").unwrap();
        let file = TokenFile::open(&path).unwrap();
        for (name, text) in [("no list", Some("token: reader-token-0001")), ("gone", None)] {
            match text {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            file.refresh().await;
            let seen = file.loaded.load_full();
            let there = std::fs::metadata(&path).ok().map(|metadata| stamp(&metadata));
            assert_eq!(seen.stamp, there, "{name}: it is not remembered");
            file.refresh().await;
            assert!(std::sync::Arc::ptr_eq(&seen, &file.loaded.load_full()), "{name}: read again");
            assert_eq!(file.right("reader-token-0001"), Some(Right::Read), "{name}");
        }
        std::fs::write(&path, "- {token: reader-token-0002, may: read}").unwrap();
        file.refresh().await;
        assert_eq!(file.right("reader-token-0001"), None);
        assert_eq!(file.right("reader-token-0002"), Some(Right::Read));
    }

    #[test]
    fn wrong_files_are_refused_without_quoting_tokens() {
        let cases = [
            ("- {token: short-secret, may: read}", "entry 1: the token is shorter"),
            ("- {may: read}", "needs token or sha256"),
            ("- {token: secret-secret-secret, may: write}", "needs notes"),
            (
                "- {token: secret-secret-secret, may: read, notes: [projects/p/notes/n]}",
                "write only",
            ),
            ("- {token: secret-secret-secret, may: anything}", "is no list of"),
            ("- {token: secret-secret-secret, may: read, x: y}", "is no list of"),
            ("- {sha256: secret, may: read}", "64 lowercase"),
        ];
        for (text, want) in cases {
            let error = open(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
