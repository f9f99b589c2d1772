//! From the document to what the layers take: everything wrong with the contents, all at once.

mod authorities;
mod exempt;
mod policies;
mod registries;
mod rules;
mod server;
mod stores;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use bytes::Bytes;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use url::Url;

use super::{At, ConfigError, Problem, files::Files};
use crate::name::escape;

pub(super) use authorities::authorities;
pub(super) use exempt::{break_glass, exceptions, revoked};
pub(super) use policies::policies;
pub(super) use registries::registries;
pub(super) use server::{deadline, lifetimes, platforms, positive, serve, unmatched};
pub(super) use stores::stores;

/// What reading the contents has come across so far.
pub(super) struct Reading<'f> {
    file: &'f Path,
    /// What the configuration and the files that it names hold, for trust and policy.
    files: Files,
    errors: Vec<ConfigError>,
}

impl<'f> Reading<'f> {
    /// Nothing yet, of `file`.
    pub(super) fn new(file: &'f Path, files: Files) -> Self {
        Self { file, files, errors: Vec::new() }
    }

    /// The files that were looked at, and what is wrong.
    pub(super) fn finish(self) -> (Files, Vec<ConfigError>) {
        (self.files, self.errors)
    }

    /// Takes a problem down.
    fn fail(&mut self, line: u64, problem: impl Into<Problem>) {
        self.errors.push(ConfigError::new(self.file, line, problem));
    }

    /// The outcome, or `None` with its error taken down.
    fn take<T, E: Into<Problem>>(&mut self, line: u64, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|error| self.fail(line, error)).ok()
    }

    /// What `text` names, if it does.
    fn parse<T: FromStr>(&mut self, text: &At<String>) -> Option<T>
    where
        T::Err: Into<Problem>,
    {
        self.take(text.line, text.parse())
    }

    /// All of `texts` that name something; the others are taken down.
    fn parse_all<T: FromStr>(&mut self, texts: &[At<String>]) -> Vec<T>
    where
        T::Err: Into<Problem>,
    {
        texts.iter().filter_map(|text| self.parse(text)).collect()
    }

    /// The same of a list that may be absent, but not empty: of nothing would be said nothing.
    fn parse_some<T: FromStr>(
        &mut self,
        key: &'static str,
        texts: Option<&At<Vec<At<String>>>>,
    ) -> Option<Vec<T>>
    where
        T::Err: Into<Problem>,
    {
        let texts = texts?;
        if texts.is_empty() {
            self.fail(texts.line, Problem::Senseless { key, why: EMPTY });
        }
        Some(self.parse_all(texts))
    }

    /// A time.
    fn time(&mut self, text: &At<String>) -> Option<Timestamp> {
        let time = text.parse().map_err(|_| Problem::Time(escape(text, SHOWN)));
        self.take(text.line, time)
    }

    /// A name that people give: nothing that a log line, a metric or a URL could trip over.
    fn name(&mut self, name: &At<String>) {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let good = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= 63
            && name.bytes().all(plain);
        if !good {
            self.fail(name.line, Problem::BadName(escape(name, SHOWN)));
        }
    }

    /// Names that must differ, `kind` of thing each.
    fn distinct<'n>(&mut self, kind: &'static str, names: impl Iterator<Item = &'n At<String>>) {
        let mut seen: Vec<&At<String>> = Vec::new();
        for name in names {
            self.name(name);
            match seen.iter().find(|known| known.value == name.value) {
                Some(first) => {
                    let first = first.line;
                    let text = escape(name, SHOWN);
                    self.fail(name.line, Problem::SameName { kind, name: text, first });
                }
                None => seen.push(name),
            }
        }
    }

    /// A URL with one of `schemes`, a host, and neither user nor query nor fragment.
    fn url(&mut self, text: &At<String>, schemes: &[&str], wanted: &'static str) -> Option<Url> {
        let good = |url: &Url| {
            schemes.contains(&url.scheme())
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let url = text.parse().ok().filter(good);
        let bad = || Problem::Url { url: escape(text, SHOWN), wanted };
        self.take(text.line, url.ok_or_else(bad))
    }

    /// Where a path of the configuration leads: relative ones start beside it.
    fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The contents of a file, which is part of policy and trust.
    fn read(&mut self, path: &At<String>) -> Option<Bytes> {
        let at = self.path(path);
        let contents = self.files.read(&at);
        let contents = contents.map_err(|source| Problem::Unreadable { path: at, source });
        self.take(path.line, contents).map(Bytes::from)
    }

    /// The path of a file that somebody else reads again and again, and that is there now.
    fn there(&mut self, path: &At<String>) -> PathBuf {
        let at = self.path(path);
        if let Err(source) = self.files.expect(&at) {
            self.fail(path.line, Problem::Unreadable { path: at.clone(), source });
        }
        at
    }

    /// Certificates in PEM, at least one.
    fn certificates(&mut self, path: &At<String>) -> Option<Bytes> {
        let pem = self.read(path)?;
        let mut found = CertificateDer::pem_slice_iter(&pem);
        let problem = match (found.next(), found.all(|next| next.is_ok())) {
            (Some(Ok(_)), true) => return Some(pem),
            (None, _) => "holds no certificate in PEM",
            _ => "holds something that is no certificate in PEM",
        };
        let at = self.path(path);
        self.fail(path.line, Problem::Pem { path: at, problem });
        None
    }

    /// A private key in PEM.
    fn private_key(&mut self, path: &At<String>) -> Option<Bytes> {
        let pem = self.read(path)?;
        if PrivateKeyDer::from_pem_slice(&pem).is_ok() {
            return Some(pem);
        }
        let (at, problem) = (self.path(path), "holds no private key in PEM without a passphrase");
        self.fail(path.line, Problem::Pem { path: at, problem });
        None
    }
}

/// Why a list must not be empty.
const EMPTY: &str = "is empty; leave it out to mean all, or name some";

/// How much of a wrong text an error quotes.
const SHOWN: usize = 100;
