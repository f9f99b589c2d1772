//! Where a redirect may lead, and what goes along.

use http::{Method, StatusCode, header::LOCATION};
use url::Url;

use super::{Redirects, Request, Response};
use crate::source::error::{BadRedirect, FetchError, ProtocolError};

/// The request that `response` redirects `request` to; `None` if it does not.
///
/// The secret goes along only to the very same scheme, host and port, and never comes back once it
/// was dropped.
///
/// # Errors
/// If the way is one that is not gone.
pub(super) fn next(request: &Request, response: &Response) -> Result<Option<Request>, FetchError> {
    if !REDIRECTS.contains(&response.status) {
        return Ok(None);
    }
    let refused = |why| FetchError::Redirect { peer: request.peer.clone(), why };
    if request.method != Method::GET && request.method != Method::HEAD {
        return Err(refused(BadRedirect::Upload));
    }
    let location = response.header(LOCATION).ok_or_else(|| FetchError::Invalid {
        peer: request.peer.clone(),
        what: ProtocolError::Header("Location"),
    })?;
    let mut url = request.url.join(location).map_err(|_| refused(BadRedirect::Url))?;
    if !is_plain(&url) {
        return Err(refused(BadRedirect::Url));
    }
    if request.url.scheme() == "https" && url.scheme() != "https" {
        return Err(refused(BadRedirect::PlainHttp));
    }
    let stays = url.origin() == request.url.origin();
    if request.redirects == Redirects::SameHost && !stays {
        return Err(refused(BadRedirect::OtherHost));
    }
    url.set_fragment(None);
    let secret = if stays { request.secret.clone() } else { None };
    Ok(Some(Request { url, secret, ..request.clone() }))
}

/// Whether a URL is one of HTTP without user name and password.
pub(in crate::source) fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
}

/// How many redirects in a row are followed.
pub(super) const HOPS: usize = 5;

const REDIRECTS: [StatusCode; 5] = [
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::FOUND,
    StatusCode::SEE_OTHER,
    StatusCode::TEMPORARY_REDIRECT,
    StatusCode::PERMANENT_REDIRECT,
];

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::source::error::Peer;

    #[test]
    fn p9_secrets_stay_where_they_are_for() {
        use Redirects::{Follow, SameHost};
        for (name, from, redirects, location, want) in [
            (
                "same host",
                "https://r.example/v2/a",
                Follow,
                "/blob?x=1",
                "https://r.example/blob?x=1 secret",
            ),
            (
                "same host written out",
                "https://r.example/v2/a",
                Follow,
                "https://R.example:443/b",
                "https://r.example/b secret",
            ),
            (
                "other port",
                "https://r.example/v2/a",
                Follow,
                "https://r.example:444/b",
                "https://r.example:444/b",
            ),
            (
                "other host",
                "https://r.example/v2/a",
                Follow,
                "//cdn.example/b#frag",
                "https://cdn.example/b",
            ),
            (
                "up to https",
                "http://r.example/v2/a",
                Follow,
                "https://r.example/b",
                "https://r.example/b",
            ),
            (
                "down to http",
                "https://r.example/v2/a",
                Follow,
                "http://r.example/b",
                "from HTTPS to plain HTTP",
            ),
            (
                "user in the URL",
                "https://r.example/v2/a",
                Follow,
                "https://u:p@r.example/b",
                "no plain URL",
            ),
            (
                "another scheme",
                "https://r.example/v2/a",
                Follow,
                "file:///etc/passwd",
                "no plain URL",
            ),
            ("no URL", "https://r.example/v2/a", Follow, "https://[", "no plain URL"),
            (
                "own host only",
                "https://r.example/v2/a",
                SameHost,
                "https://ui.example/",
                "only its own will do",
            ),
            (
                "own host only, kept",
                "https://r.example/v2/a",
                SameHost,
                "/b",
                "https://r.example/b secret",
            ),
        ] {
            let mut request =
                Request::get(Peer::Registry("r.example".into()), from.parse().unwrap());
            request.secret = Some(HeaderValue::from_static("Basic x"));
            request.redirects = redirects;
            let response = Response {
                status: StatusCode::TEMPORARY_REDIRECT,
                headers: HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]),
                url: request.url.clone(),
                body: Bytes::new(),
                stream: None,
            };
            let got = match next(&request, &response) {
                Ok(Some(next)) if next.secret.is_some() => format!("{} secret", next.url),
                Ok(next) => next.unwrap().url.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(
                got.contains(want) && (got.contains("secret") == want.contains("secret")),
                "{name}: {got}"
            );
        }
    }
}
