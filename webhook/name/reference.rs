//! Image references, as container runtimes read them.

use std::{fmt, str::FromStr, sync::Arc};

use super::{
    Digest, PinnedImage, Repository, digest::BadDigest, escape, repository::DOCKER_HUB,
    serial::as_text,
};

/// An image as somebody wrote it: `nginx`, `registry.example/acme/shop:1.4`, `…@sha256:…`.
///
/// The grammar is that of `ParseDockerRef` in distribution/reference, which containerd and CRI-O
/// use: a digest wins over a tag, neither means `latest`, and what the runtimes would take for a
/// host is taken for a host here. The range of a port is not checked; that is for whoever builds a
/// URL.
///
/// ```
/// use countersign::name::ImageRef;
///
/// let image: ImageRef = "registry.example:5000/acme/shop".parse().unwrap();
/// assert_eq!(image.repository().host(), "registry.example:5000");
/// assert_eq!(image.tag(), Some("latest"));
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ImageRef {
    written: Arc<str>,
    repository: Repository,
    tag: Option<Arc<str>>,
    digest: Option<Digest>,
}

impl ImageRef {
    /// The reference as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The normalized repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag that a runtime would resolve: the written one, `latest` where neither tag nor
    /// digest is given, `None` where a digest decides.
    pub fn tag(&self) -> Option<&str> {
        match self.digest {
            Some(_) => None,
            None => Some(self.tag.as_deref().unwrap_or("latest")),
        }
    }

    /// The tag that is written, even one that a digest overrides.
    pub fn written_tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is given.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The repository and the digest, where one is given.
    pub fn pinned(&self) -> Option<PinnedImage> {
        let digest = self.digest?;
        Some(PinnedImage { repository: self.repository.clone(), digest })
    }

    /// The reference as written, and `@digest` after it; a digest that it has already is replaced.
    pub fn with_digest(&self, digest: Digest) -> String {
        let name = self.written.split_once('@').map_or(&*self.written, |(name, _)| name);
        format!("{name}@{digest}")
    }

    /// Whether neither tag nor digest is written.
    pub(super) fn is_bare(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl FromStr for ImageRef {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        if is_identifier(text) {
            return Err(BadReference::Identifier(escape(text, SHOWN)));
        }
        let (host, rest) = split_host(text);
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest, None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(BadReference::Case(escape(path, SHOWN)));
        }
        let shape = || BadReference::Shape(escape(text, SHOWN));
        if !is_host(host) || !path.split('/').all(is_component) || !tag.is_none_or(is_tag) {
            return Err(shape());
        }
        let repository = Repository::from_parts(host, path);
        if repository.path().len() > LONGEST_PATH {
            return Err(BadReference::Long(repository.path().len()));
        }
        let digest = match digest {
            Some(digest) if !digest.contains(':') => return Err(shape()),
            Some(digest) => Some(digest.parse()?),
            None => None,
        };
        Ok(Self { written: text.into(), repository, tag: tag.map(Arc::from), digest })
    }
}

as_text!(ImageRef);

/// Why a text is no image reference (`image.reference`).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadReference {
    /// Some part is empty, or has characters that it may not have.
    #[error("\"{0}\" is not an image reference; write it as host/path:tag or host/path@digest")]
    Shape(String),
    /// The path has capitals.
    #[error("repository \"{0}\" has capitals; write it in lower case")]
    Case(String),
    /// Runtimes take it for an image's ID.
    #[error("\"{0}\" is an image ID of 64 hex digits, not a name; put its repository before it")]
    Identifier(String),
    /// Longer than registries allow.
    #[error("the repository's path has {0} characters; it must not have more than 255")]
    Long(usize),
    /// After the `@`.
    #[error(transparent)]
    Digest(#[from] BadDigest),
}

/// Tells the host from the path as the runtimes do. `splitDockerDomain` in normalize.go.
fn split_host(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (first, rest),
        _ => (DOCKER_HUB, text),
    }
}

/// Whether what stands before the first slash is a host, rather than a part of a path on Docker
/// Hub.
pub(super) fn looks_like_host(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// `domain` in regexp.go: dotted labels or a bracketed IPv6 address, and a port.
pub(super) fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            let hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            if address.is_empty() || !address.bytes().all(hex) {
                return false;
            }
            return port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    name.split('.').all(is_label) && port.is_none_or(is_number)
}

/// One label of a host's name: letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Digits, at least one.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `pathComponent` in regexp.go: runs of lowercase letters and digits, between them one dot, one or
/// two underscores, or any number of hyphens.
pub(super) fn is_component(component: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| word(*byte));
    let bytes = component.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.split(|byte| word(*byte)).all(|separator| match separator {
            [] | b"." | b"_" | b"__" => true,
            hyphens => hyphens.iter().all(|byte| *byte == b'-'),
        })
}

/// `tag` in regexp.go: a letter, digit or underscore, then up to 127 of these, dots and hyphens.
fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// What runtimes take for the ID of an image that they have.
fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `RepositoryNameTotalLengthMax`.
const LONGEST_PATH: usize = 255;

/// How much of a wrong text an error quotes.
const SHOWN: usize = 256;
