//! What the configuration says about registries.

use std::path::PathBuf;

use bytes::Bytes;
use url::Url;

use super::credential::Credential;
use crate::name::Pattern;

/// Which repositories may be asked, and how their hosts are talked to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RegistriesOptions {
    /// Repositories that may be asked; `None` for all, which only commands that a person types use.
    pub allow: Option<Vec<Pattern>>,
    /// Hosts that are special in some way. Those named here, mirrors, realms and lookasides
    /// included, may have internal addresses.
    pub hosts: Vec<HostOptions>,
}

/// One registry, as `registries.hosts[]` describes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostOptions {
    /// As image references write it: `registry.example`, `127.0.0.1:5000`, `docker.io`.
    pub host: String,
    /// Without TLS. Holds for this host only.
    pub plain_http: bool,
    /// Certificates in PEM to trust beside the system's, also for this entry's realm, mirrors and
    /// lookaside where those have no entry of their own.
    pub ca: Option<Bytes>,
    /// The first that covers a repository is used for it.
    pub credentials: Vec<CredentialOptions>,
    /// The token service, where it is on another host.
    pub token_realm: Option<Url>,
    /// `host/prefix` of mirrors, asked for manifests and blobs by digest, with their own
    /// credentials only.
    pub mirrors: Vec<String>,
    /// Base URL of simple signatures.
    pub lookaside: Option<Url>,
}

/// One credential and what it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialOptions {
    /// Repositories with their host, such as `registry.example/acme/**`; none means all of the host.
    pub repositories: Vec<Pattern>,
    /// Where it is.
    pub source: CredentialSource,
}

/// Where a credential is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CredentialSource {
    /// In the file that `docker login` or `podman login` writes, or a pull secret; read again when
    /// it changes. Helpers are not run.
    DockerConfig(PathBuf),
    /// The same of the person who runs a command, with the helpers that it names, which inherit
    /// all variables but those `hidden`.
    Login { file: PathBuf, hidden: Vec<String> },
    /// A user name and a file with the password, read again when it changes.
    PasswordFile { username: String, file: PathBuf },
    /// Here.
    Given(Credential),
}

impl HostOptions {
    /// A host that a person names on the command line: a loopback one is spoken to without TLS
    /// unless a CA is given for it.
    pub fn typed(host: &str, plain_http: bool, ca: Option<Bytes>) -> Self {
        let plain_http = plain_http || (ca.is_none() && is_loopback(host));
        Self { host: host.to_owned(), plain_http, ca, ..Self::default() }
    }
}

/// Whether a host is `localhost` or a loopback address.
fn is_loopback(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_need_no_flag() {
        for (host, flag, ca, want) in [
            ("127.0.0.1:5000", false, None, true),
            ("localhost:5000", false, None, true),
            ("[::1]:5000", false, None, true),
            ("127.0.0.1:5000", false, Some(Bytes::new()), false),
            ("10.0.0.1:5000", false, None, false),
            ("localhost.evil.example", false, None, false),
            ("registry.example", true, None, true),
        ] {
            assert_eq!(HostOptions::typed(host, flag, ca).plain_http, want, "{host} {flag}");
        }
    }
}
