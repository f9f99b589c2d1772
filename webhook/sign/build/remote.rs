//! The name of a repository, without what gives access to it.

use url::Url;

/// A repository as a URL for a record, from how git or a CI names it: without user, password, query
/// and fragment, in which tokens stand. `None` for what is no repository on a host.
///
/// ```
/// use countersign::sign::build::source_uri;
///
/// assert_eq!(source_uri("https://ci:t0ken@git.example/a/b.git").unwrap(), "https://git.example/a/b.git");
/// assert_eq!(source_uri("git@git.example:a/b.git").unwrap(), "ssh://git.example/a/b.git");
/// assert!(source_uri("/srv/git/b.git").is_none());
/// ```
pub fn source_uri(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("git+").unwrap_or(text);
    let written = if text.contains("://") { text.to_owned() } else { from_scp(text)? };
    let mut url = Url::parse(&written).ok()?;
    if !matches!(url.scheme(), "https" | "http" | "ssh" | "git") || !url.has_host() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// scp's way to write it, user@host:path. A path on this machine has a slash before any colon.
fn from_scp(text: &str) -> Option<String> {
    let (host, path) = text.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    // `user:password@host:path` would keep the password, `ext::…` is a program of git's.
    if path.starts_with(':') || (path.contains('@') && !host.contains('@')) {
        return None;
    }
    let host = host.rsplit('@').next().unwrap_or(host);
    Some(format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// Whether two URLs of [`source_uri`] name one repository: scheme and `.git` say nothing of it.
pub(super) fn same_source(one: &str, other: &str) -> bool {
    let plain = |uri: &str| {
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        rest.trim_end_matches(".git").to_ascii_lowercase()
    };
    plain(one) == plain(other)
}
