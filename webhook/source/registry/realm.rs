//! Token services: which of them may be shown a registry's credential.
//!
//! The realm in a challenge is the registry's word, and following it blindly hands the credential to
//! whoever can write that word.

use url::Url;

use super::host::HUB;
use crate::source::transport::is_plain;

/// Whether tokens for the registry at `origin` may be had at `realm`: on its own host, or on the one
/// that is configured or known for it; never over a weaker connection than the registry's own.
pub(super) fn permitted(realm: &Url, origin: &Url, configured: Option<&Url>) -> bool {
    let known = realm.origin() == origin.origin()
        || configured.is_some_and(|configured| configured.origin() == realm.origin());
    known && may_carry(realm, origin)
}

/// Whether secrets may go to `realm` that otherwise go to `origin`.
pub(super) fn may_carry(realm: &Url, origin: &Url) -> bool {
    is_plain(realm) && (realm.scheme() == "https" || origin.scheme() == "http")
}

/// Token services of public registries that are on another host.
pub(super) fn known(name: &str) -> Option<Url> {
    let realm = match name {
        HUB => "https://auth.docker.io/token",
        "registry.gitlab.com" => "https://gitlab.com/jwt/auth",
        _ => return None,
    };
    realm.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{host::Host, options::HostOptions};

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
}
