//! One registry host: where it is, what is configured for it, which realms may have its secrets.

use std::sync::Arc;

use url::Url;

use super::{
    credential::{Credential, CredentialRule},
    options::HostOptions,
    realm,
};
use crate::{
    name::Repository,
    source::{
        error::{FetchError, Peer},
        transport::is_plain,
    },
};

/// A registry and how to talk to it.
pub(super) struct Host {
    /// As image references write it.
    pub(super) name: Arc<str>,
    /// Where its API is.
    pub(super) origin: Url,
    /// `host` or `host/prefix`.
    pub(super) mirrors: Vec<String>,
    pub(super) lookaside: Option<Url>,
    credentials: Vec<CredentialRule>,
    realm: Option<Url>,
}

/// Why the configuration of registries cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("{0:?} is not the host of a registry")]
    Host(String),
    #[error("there are two entries for the registry {0}")]
    Twice(String),
    #[error("the token realm of {0} must be a URL with https")]
    Realm(String),
    #[error("the lookaside of {0} must be a URL with https or http")]
    Lookaside(String),
    #[error("the mirror {mirror:?} of {host} is not a host, nor a host and a path")]
    Mirror { host: String, mirror: String },
}

impl Host {
    /// A host that nothing is configured for.
    pub(super) fn plainly(name: &str) -> Option<Self> {
        Self::new(HostOptions { host: name.to_owned(), ..HostOptions::default() }).ok()
    }

    /// # Errors
    /// If a name or a URL in the options is none.
    pub(super) fn new(options: HostOptions) -> Result<Self, HostError> {
        let origin = origin(&options)?;
        let name = canonical(&options.host);
        let name = name.as_str();
        let realm = options.token_realm.or_else(|| realm::known(name));
        if realm.as_ref().is_some_and(|at| !realm::may_carry(at, &origin)) {
            return Err(HostError::Realm(options.host));
        }
        if options.lookaside.as_ref().is_some_and(|url| !is_plain(url) || url.query().is_some()) {
            return Err(HostError::Lookaside(options.host));
        }
        if let Some(mirror) = options.mirrors.iter().find(|mirror| under(mirror, "probe").is_none())
        {
            let (host, mirror) = (name.to_owned(), mirror.clone());
            return Err(HostError::Mirror { host, mirror });
        }
        Ok(Self {
            name: name.into(),
            origin,
            mirrors: options.mirrors,
            lookaside: options.lookaside,
            credentials: options.credentials.into_iter().map(CredentialRule::new).collect(),
            realm,
        })
    }

    /// Whom errors are about.
    pub(super) fn peer(&self) -> Peer {
        Peer::Registry(Arc::clone(&self.name))
    }

    /// Tells apart the credentials that are configured for repositories; 0 for none.
    pub(super) fn scope(&self, repository: &Repository) -> u64 {
        self.credentials
            .iter()
            .find(|rule| rule.covers(repository))
            .map_or(0, CredentialRule::scope)
    }

    /// The credential for a repository: of the first rule that covers it and has one.
    ///
    /// # Errors
    /// If its file cannot be read: going on without would be answered by a wrong reason.
    pub(super) async fn credential(
        &self,
        repository: &Repository,
    ) -> Result<Option<Credential>, FetchError> {
        for rule in self.credentials.iter().filter(|rule| rule.covers(repository)) {
            let found = rule.read(repository).await;
            let found =
                found.map_err(|source| FetchError::Credentials { peer: self.peer(), source })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether tokens for this host may be had at `realm`.
    ///
    /// # Errors
    /// If not.
    pub(super) fn permit_realm(&self, realm: &Url) -> Result<(), FetchError> {
        if realm::permitted(realm, &self.origin, self.realm.as_ref()) {
            return Ok(());
        }
        let realm = realm.origin().ascii_serialization();
        Err(FetchError::Realm { peer: self.peer(), realm })
    }

    /// The URL of `rest` under a repository's path.
    pub(super) fn url(&self, repository: &Repository, rest: &[&str]) -> Url {
        let mut url = self.origin.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v2").extend(repository.path().split('/')).extend(rest);
        }
        url
    }
}

/// Where the API of the host of `options` is.
///
/// # Errors
/// If it is no host.
pub(super) fn origin(options: &HostOptions) -> Result<Url, HostError> {
    let name = canonical(&options.host);
    let scheme = if options.plain_http { "http" } else { "https" };
    let api = if name == HUB { HUB_API } else { &name };
    format!("{scheme}://{api}/")
        .parse()
        .ok()
        .filter(|url: &Url| is_plain(url) && url.path() == "/" && url.query().is_none())
        .ok_or_else(|| HostError::Host(options.host.clone()))
}

/// The host as repositories write it.
fn canonical(host: &str) -> String {
    registry_of(&host.to_ascii_lowercase()).to_owned()
}

/// The registry that a host, in lower case, belongs to: Docker Hub's has more than one.
pub fn registry_of(host: &str) -> &str {
    if HUB_ALIASES.contains(&host) { HUB } else { host }
}

/// The repository `path` under a mirror; `None` if the mirror's first part is no host.
pub(super) fn under(mirror: &str, path: &str) -> Option<Repository> {
    let mirror = mirror.trim_end_matches('/');
    let repository: Repository = format!("{mirror}/{path}").parse().ok()?;
    let host = mirror.split('/').next()?;
    repository.host().eq_ignore_ascii_case(host).then_some(repository)
}

pub(super) const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
const HUB_ALIASES: [&str; 2] = ["index.docker.io", HUB_API];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_be_meant_are_refused() {
        let base = || HostOptions { host: "r.example".into(), ..HostOptions::default() };
        let url = |text: &str| Some(text.parse().unwrap());
        for (name, options, want) in [
            (
                "path in the host",
                HostOptions { host: "r.example/a".into(), ..base() },
                "not the host",
            ),
            (
                "scheme in the host",
                HostOptions { host: "https://r.example".into(), ..base() },
                "not the host",
            ),
            ("empty host", HostOptions { host: String::new(), ..base() }, "not the host"),
            (
                "plain realm",
                HostOptions { token_realm: url("http://a.example/t"), ..base() },
                "with https",
            ),
            (
                "file lookaside",
                HostOptions { lookaside: url("file:///x"), ..base() },
                "https or http",
            ),
            (
                "mirror with a tag",
                HostOptions { mirrors: vec!["m.example/a:b".into()], ..base() },
                "nor a host and a path",
            ),
            (
                "mirror without a host",
                HostOptions { mirrors: vec!["cache/x".into()], ..base() },
                "nor a host and a path",
            ),
        ] {
            let error = Host::new(options).err().unwrap().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
    }

    #[test]
    fn docker_hub_has_one_name_and_another_host() {
        for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            let host = Host::plainly(name).unwrap();
            assert_eq!(&*host.name, "docker.io");
            let nginx = "nginx".parse().unwrap();
            let url = host.url(&nginx, &["manifests", "latest"]);
            let want = "https://registry-1.docker.io/v2/library/nginx/manifests/latest";
            assert_eq!(url.as_str(), want);
        }
    }
}
