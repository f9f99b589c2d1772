//! Requests and responses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::AsHeaderName};
use url::Url;

use super::stream::Download;
use crate::source::{
    bounds::Stage,
    error::{FetchError, Peer, ProtocolError},
};

/// One request, and how much may come back.
#[derive(Clone)]
pub struct Request {
    /// Whom people should read about in an error.
    pub peer: Peer,
    pub method: Method,
    pub url: Url,
    /// Without `Authorization`.
    pub headers: HeaderMap,
    /// The value of `Authorization`; it does not follow a redirect to another host.
    pub secret: Option<HeaderValue>,
    pub body: Bytes,
    pub cap: Cap,
    /// Whose bounds it keeps to.
    pub stage: Stage,
    pub redirects: Redirects,
    /// Whether it does no harm to send it twice.
    pub repeatable: bool,
    /// Whether a body of a 2xx answer comes as a stream, and the longest wait for a piece of it.
    pub streams: Option<Duration>,
}

/// How many bytes of what may come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cap {
    pub bytes: u64,
    /// Reads on after "more than 4194304", such as "bytes of a manifest".
    pub what: &'static str,
}

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// Five in a row, to any host that is not internal, without the secret.
    Follow,
    /// Only on the same host and port.
    SameHost,
}

/// An answer whose body has been read.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Where it came from, after redirects.
    pub url: Url,
    /// Whole if the status is 2xx; of others the first 16 KiB at most, for codes in it. It is never
    /// shown to anybody.
    pub body: Bytes,
    /// Instead of the body, where the request asked for it.
    pub stream: Option<Download>,
}

impl Request {
    /// A GET that may bring 64 KiB.
    pub fn get(peer: Peer, url: Url) -> Self {
        Self {
            peer,
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            secret: None,
            body: Bytes::new(),
            cap: Cap { bytes: 64 << 10, what: "bytes of an answer" },
            stage: Stage::Content,
            redirects: Redirects::Follow,
            repeatable: true,
            streams: None,
        }
    }

    /// Something that is sent once.
    pub fn send(peer: Peer, method: Method, url: Url, body: Bytes) -> Self {
        Self { method, body, repeatable: false, ..Self::get(peer, url) }
    }

    /// An answer to this that is not the protocol.
    pub fn invalid(&self, what: ProtocolError) -> FetchError {
        FetchError::Invalid { peer: self.peer.clone(), what }
    }
}

impl Response {
    /// A header as text, if it is there and is text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let text = self.header(http::header::CONTENT_TYPE)?;
        Some(text.split(';').next()?.trim().to_ascii_lowercase())
    }
}
