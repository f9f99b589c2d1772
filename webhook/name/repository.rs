//! Where images of one name live: host and path.

use std::{fmt, str::FromStr, sync::Arc};

use super::{
    reference::{BadReference, ImageRef},
    serial::as_text,
};

/// A repository, in the one spelling that rules and signatures compare.
///
/// Docker Hub's short names are written out (`nginx` is `docker.io/library/nginx`,
/// `index.docker.io` is `docker.io`) and the host is in lower case, save for a host that has
/// neither a dot nor a port and is not `localhost`: there, only capitals tell a host from a path on
/// Docker Hub, so all its letters are capitals.
///
/// ```
/// use countersign::name::Repository;
///
/// let nginx: Repository = "nginx".parse().unwrap();
/// assert_eq!((nginx.host(), nginx.path()), ("docker.io", "library/nginx"));
/// assert!("nginx:1.27".parse::<Repository>().is_err());
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository {
    name: Arc<str>,
    /// Where the slash after the host stands in `name`.
    slash: usize,
}

impl Repository {
    /// The registry: a name or an address, with its port where one is given.
    pub fn host(&self) -> &str {
        self.name.get(..self.slash).unwrap_or_default()
    }

    /// What comes after the host: at most 255 characters, no slash at either end.
    pub fn path(&self) -> &str {
        self.name.get(self.slash + 1..).unwrap_or_default()
    }

    /// `host/path`.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Puts together what the reference grammar has accepted.
    pub(super) fn from_parts(host: &str, path: &str) -> Self {
        let host = canonical_host(host);
        let bare = host == DOCKER_HUB && !path.contains('/');
        let library = if bare { "library/" } else { "" };
        Self { name: format!("{host}/{library}{path}").into(), slash: host.len() }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl FromStr for Repository {
    type Err = BadRepository;

    fn from_str(text: &str) -> Result<Self, BadRepository> {
        let reference: ImageRef = text.parse()?;
        if reference.is_bare() {
            Ok(reference.repository().clone())
        } else {
            Err(BadRepository::More(reference.as_str().to_owned()))
        }
    }
}

as_text!(Repository);

/// Why a text names no repository.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadRepository {
    /// It names one image of the repository.
    #[error("\"{0}\" names an image; write the repository alone, without tag or digest")]
    More(String),
    /// It is no reference at all.
    #[error(transparent)]
    Reference(#[from] BadReference),
}

/// The one spelling of a host that the grammar has accepted.
pub(super) fn canonical_host(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    match lower.as_str() {
        "index.docker.io" => DOCKER_HUB.to_owned(),
        "localhost" => lower,
        _ if lower.contains(['.', ':', '[']) => lower,
        _ => host.to_ascii_uppercase(),
    }
}

/// Where short names live.
pub(super) const DOCKER_HUB: &str = "docker.io";
