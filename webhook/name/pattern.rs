//! Patterns over repositories.

use std::{fmt, str::FromStr, sync::Arc};

use super::{
    Repository, escape,
    reference::{is_component, is_host, looks_like_host},
    repository::{DOCKER_HUB, canonical_host},
    serial::as_text,
};

/// Which repositories are meant: a host, a slash, and the parts of a path.
///
/// `*` is one part of a path, or some of its characters (`prod-*`); `**` is one or more whole
/// parts. In a host, `*` is one label or some of its characters, and a host of only `*` is any
/// host. `**` alone is every repository. Host and path are matched apart, so that no wildcard of
/// one reaches into the other, and both are normalized as those of a [`Repository`] are.
///
/// ```
/// use countersign::name::Pattern;
///
/// let pattern: Pattern = "registry.example/acme/**".parse().unwrap();
/// assert!(pattern.matches(&"registry.example/acme/shop".parse().unwrap()));
/// assert!(!pattern.matches(&"registry.example/acme-evil/shop".parse().unwrap()));
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pattern {
    host: Arc<str>,
    path: Arc<str>,
}

impl Pattern {
    /// Whether `repository` is one of those meant.
    pub fn matches(&self, repository: &Repository) -> bool {
        self.matches_host(repository.host()) && path_matches(&self.path, repository.path())
    }

    /// The host's half: a name, or one with `*` in it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path's half.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether some repository of this host, in a [`Repository`]'s spelling, could be meant.
    pub fn matches_host(&self, host: &str) -> bool {
        &*self.host == "*" || &*self.host == host || host_matches(&self.host, host)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.host, &*self.path) {
            ("*", "**") => formatter.write_str("**"),
            (host, path) => write!(formatter, "{host}/{path}"),
        }
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        if text == "**" {
            return Ok(Self { host: "*".into(), path: "**".into() });
        }
        let quoted = || escape(text, SHOWN);
        let Some((host, path)) = text.split_once('/') else {
            return Err(BadPattern::Host(quoted()));
        };
        if host != "*" && !looks_like_host(host) {
            return Err(BadPattern::Host(quoted()));
        }
        if !is_host(&host.replace('*', "0")) || host.contains("**") {
            return Err(BadPattern::Shape(quoted()));
        }
        if path.contains(['@', ':']) {
            return Err(BadPattern::Image(quoted()));
        }
        let is_part = |part: &str| match part {
            "*" | "**" => true,
            _ => !part.contains("**") && is_component(&part.replace('*', "0")),
        };
        if !path.split('/').all(is_part) {
            return Err(BadPattern::Shape(quoted()));
        }
        let host = canonical_host(host);
        let bare = host == DOCKER_HUB && !path.contains('/') && path != "**";
        let path = if bare { format!("library/{path}").into() } else { path.into() };
        Ok(Self { host: host.into(), path })
    }
}

as_text!(Pattern);

/// Why a text is no pattern over repositories.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPattern {
    /// Nothing that can be a host before the first slash.
    #[error("pattern \"{0}\" names no registry; write it as host/path, docker.io for Docker Hub")]
    Host(String),
    /// It has a tag or a digest.
    #[error("pattern \"{0}\" has a tag or a digest; patterns are over repositories alone")]
    Image(String),
    /// Some part could never match a repository.
    #[error(
        "pattern \"{0}\" can match no repository; \
         `*` is one part of a path, `**` any number of whole parts"
    )]
    Shape(String),
}

/// Label by label, so that `*.example` is not `a.b.example`; the port counts as a label.
fn host_matches(pattern: &str, host: &str) -> bool {
    let labels = |text| str::split(text, ['.', ':']);
    let between = |text| str::matches(text, ['.', ':']);
    between(pattern).eq(between(host))
        && labels(pattern).zip(labels(host)).all(|(wanted, given)| glob(wanted, given))
}

/// Part by part; `**` takes one part or more.
fn path_matches(pattern: &str, path: &str) -> bool {
    // Whether the parts of the pattern so far can end before each part of the path, and at its end:
    // one pass for each part, however many `**` there are.
    let mut ends = vec![true];
    ends.extend(path.split('/').map(|_| false));
    for part in pattern.split('/') {
        let mut within = false;
        let next = path.split('/').zip(&ends).map(|(text, begins)| {
            within = if part == "**" { within || *begins } else { *begins && glob(part, text) };
            within
        });
        ends = std::iter::once(false).chain(next).collect();
    }
    ends.last() == Some(&true)
}

/// Whether `text` is `pattern` with something, or nothing, for each `*`. Linear but for the last
/// `*`, to which alone it ever needs to come back.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

/// How much of a wrong text an error quotes.
const SHOWN: usize = 256;
