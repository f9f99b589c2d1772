//! One registry host: where it is, what is configured for it, which realms may have its secrets.

use std::sync::Arc;

use url::Url;

use super::credential::{Credential, CredentialRule};
use super::options::HostOptions;
use crate::name::Repository;
use crate::source::error::{FetchError, Peer};
use crate::source::transport::is_plain;

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
        let host = options.host.to_ascii_lowercase();
        let name = if HUB_ALIASES.contains(&host.as_str()) { HUB } else { &host };
        let scheme = if options.plain_http { "http" } else { "https" };
        let api = if name == HUB { HUB_API } else { name };
        let origin: Url = format!("{scheme}://{api}/")
            .parse()
            .ok()
            .filter(|url: &Url| is_plain(url) && url.path() == "/" && url.query().is_none())
            .ok_or_else(|| HostError::Host(options.host.clone()))?;
        let realm = options.token_realm.or_else(|| known_realm(name));
        if realm.as_ref().is_some_and(|realm| !may_carry(realm, &origin)) {
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

    /// Which of the configured credentials is for a repository, counted from 1; 0 if none is.
    pub(super) fn scope(&self, repository: &Repository) -> u64 {
        let at = self.credentials.iter().position(|rule| rule.covers(repository));
        at.map_or(0, |at| at as u64 + 1)
    }

    /// The credential for a repository, if there is one.
    ///
    /// # Errors
    /// If its file cannot be read: going on without would be answered by a wrong reason.
    pub(super) async fn credential(
        &self,
        repository: &Repository,
    ) -> Result<Option<Credential>, FetchError> {
        let rule = self.credentials.iter().find(|rule| rule.covers(repository));
        let Some(rule) = rule else { return Ok(None) };
        rule.read(repository)
            .await
            .map_err(|source| FetchError::Credentials { peer: self.peer(), source })
    }

    /// Whether tokens for this host may be had at `realm`: on its own host, or on the one that is
    /// configured or known for it; never over a weaker connection than the host's own.
    ///
    /// # Errors
    /// If not.
    pub(super) fn permit_realm(&self, realm: &Url) -> Result<(), FetchError> {
        let known = realm.origin() == self.origin.origin()
            || self.realm.as_ref().is_some_and(|known| known.origin() == realm.origin());
        if known && may_carry(realm, &self.origin) {
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

/// The repository `path` under a mirror; `None` if the mirror's first part is no host.
pub(super) fn under(mirror: &str, path: &str) -> Option<Repository> {
    let mirror = mirror.trim_end_matches('/');
    let repository: Repository = format!("{mirror}/{path}").parse().ok()?;
    let host = mirror.split('/').next()?;
    repository.host().eq_ignore_ascii_case(host).then_some(repository)
}

/// Whether secrets may go to `realm` that otherwise go to `origin`.
fn may_carry(realm: &Url, origin: &Url) -> bool {
    is_plain(realm) && (realm.scheme() == "https" || origin.scheme() == "http")
}

/// Token services of public registries that are on another host.
fn known_realm(name: &str) -> Option<Url> {
    let realm = match name {
        HUB => "https://auth.docker.io/token",
        "registry.gitlab.com" => "https://gitlab.com/jwt/auth",
        _ => return None,
    };
    realm.parse().ok()
}

const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
const HUB_ALIASES: [&str; 2] = ["index.docker.io", HUB_API];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_tokens_come_from_known_realms_only() {
        for (name, host, plain_http, configured, realm, permitted) in [
            ("own host", "r.example", false, None, "https://r.example/token", true),
            (
                "own host, default port",
                "r.example",
                false,
                None,
                "https://r.example:443/token",
                true,
            ),
            ("other port", "r.example", false, None, "https://r.example:444/token", false),
            ("subdomain", "r.example", false, None, "https://auth.r.example/token", false),
            ("look-alike", "r.example", false, None, "https://r.example.evil.example/token", false),
            ("user in the URL", "r.example", false, None, "https://r.example@evil.example/", false),
            ("user at the own host", "r.example", false, None, "https://u:p@r.example/", false),
            (
                "configured",
                "r.example",
                false,
                Some("https://auth.example/t"),
                "https://auth.example/token?a=b",
                true,
            ),
            (
                "not the configured",
                "r.example",
                false,
                Some("https://auth.example/t"),
                "https://auth.evil.example/",
                false,
            ),
            ("downgrade", "r.example", false, None, "http://r.example/token", false),
            (
                "downgrade of the configured",
                "r.example",
                false,
                Some("https://auth.example/t"),
                "http://auth.example/t",
                false,
            ),
            ("plain host", "127.0.0.1:5000", true, None, "http://127.0.0.1:5000/token", true),
            (
                "plain host, other host",
                "127.0.0.1:5000",
                true,
                None,
                "http://127.0.0.1:5001/token",
                false,
            ),
            (
                "plain host, configured",
                "127.0.0.1:5000",
                true,
                Some("http://127.0.0.1:5001/t"),
                "http://127.0.0.1:5001/t",
                true,
            ),
            ("metadata", "r.example", false, None, "https://169.254.169.254/latest", false),
            ("hub", "docker.io", false, None, "https://auth.docker.io/token", true),
            (
                "hub by its old name",
                "index.docker.io",
                false,
                None,
                "https://auth.docker.io/token",
                true,
            ),
            ("hub's for another", "r.example", false, None, "https://auth.docker.io/token", false),
            ("gitlab", "registry.gitlab.com", false, None, "https://gitlab.com/jwt/auth", true),
        ] {
            let host = Host::new(HostOptions {
                host: host.into(),
                plain_http,
                token_realm: configured.map(|url| url.parse().unwrap()),
                ..HostOptions::default()
            });
            let got = host.unwrap().permit_realm(&realm.parse().unwrap());
            assert_eq!(got.is_ok(), permitted, "{name}");
            if let Err(error) = got {
                assert_eq!(error.code().to_string(), "registry.realm-refused", "{name}");
            }
        }
    }

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
}
