//! Requests to a Grafeas server, and its answers told apart.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tracing::debug;
use url::Url;

use super::{StoreOptions, StoreOptionsError, token::Tokens};
use crate::{
    name::escape,
    source::{
        Bounds, Cap, Deadline, FetchError, HostSettings, Peer, Presented, ProtocolError, Redirects,
        Request, Response, Transport,
    },
};

/// Sends requests to one store.
pub(super) struct Caller {
    peer: Peer,
    /// With the version, and no slash at its end.
    base: Url,
    transport: Transport,
    tokens: Tokens,
}

/// An answer.
#[derive(Debug)]
pub(super) enum Reply {
    Message(Bytes),
    /// 404: the note, project or occurrence does not exist.
    Unknown,
    /// 409: it exists already.
    Conflict(StatusCode),
    /// Another status.
    Refused(StatusCode),
}

impl Caller {
    pub(super) fn new(options: &StoreOptions) -> Result<Self, StoreOptionsError> {
        options.check()?;
        let url = || StoreOptionsError::Url(options.url.clone());
        let mut base = options.url.clone();
        base.path_segments_mut().map_err(|()| url())?.pop_if_empty().push(options.api.as_str());
        let host = base.host_str().ok_or_else(url)?;
        let port = base.port_or_known_default().ok_or_else(url)?;
        let transport = Transport::new(vec![HostSettings {
            authority: format!("{host}:{port}"),
            plain_http: base.scheme() == "http",
            ca: options.ca.clone(),
            identity: options.identity.clone(),
        }])?;
        let peer = Peer::Store(options.name.clone());
        let tokens = Tokens::new(options.token.as_ref(), peer.clone())?;
        Ok(Self { peer, base, transport, tokens })
    }

    pub(super) fn within(self, bounds: Bounds) -> Self {
        Self { transport: self.transport.within(bounds), ..self }
    }

    /// `GET` of a path after the version.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        cap: Cap,
        deadline: Deadline,
    ) -> Result<Reply, FetchError> {
        let mut request = Request::get(self.peer.clone(), self.url(path, query));
        request.cap = cap;
        self.send(request, deadline).await
    }

    /// `POST` of a message to a path after the version.
    pub(super) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        message: &Value,
        deadline: Deadline,
    ) -> Result<Reply, FetchError> {
        let body = message.to_string().into();
        let mut request =
            Request::send(self.peer.clone(), Method::POST, self.url(path, query), body);
        request.cap = MESSAGE;
        let json = HeaderValue::from_static("application/json");
        request.headers.insert(header::CONTENT_TYPE, json);
        self.send(request, deadline).await
    }

    pub(super) fn invalid(&self, what: ProtocolError) -> FetchError {
        FetchError::Invalid { peer: self.peer.clone(), what }
    }

    pub(super) fn too_much(&self, limit: impl TryInto<u64>, what: &'static str) -> FetchError {
        let limit = limit.try_into().unwrap_or(u64::MAX);
        FetchError::TooMuch { peer: self.peer.clone(), limit, what }
    }

    async fn send(&self, mut request: Request, deadline: Deadline) -> Result<Reply, FetchError> {
        let json = HeaderValue::from_static("application/json");
        request.headers.insert(header::ACCEPT, json);
        request.redirects = Redirects::SameHost;
        request.secret = self.tokens.current(deadline).await?;
        let presented =
            if request.secret.is_some() { Presented::Credential } else { Presented::Nothing };
        let response = self.transport.send(request, deadline).await?;
        let status = response.status;
        match status {
            _ if status.is_success() => Ok(Reply::Message(response.body)),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.tokens.refused().await;
                Err(FetchError::Unauthorized { peer: self.peer.clone(), status, presented })
            }
            StatusCode::NOT_FOUND if is_from_a_store(&response) => Ok(Reply::Unknown),
            StatusCode::CONFLICT => Ok(Reply::Conflict(status)),
            _ => {
                // For who looks into the log: a store may echo what it was sent, the token too.
                let said = message(&response.body);
                debug!(store = %self.peer, %status, said, "refused");
                Ok(Reply::Refused(status))
            }
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// The `message` of an error, for people: escaped, and not too long.
fn message(body: &[u8]) -> Option<String> {
    let error: Value = serde_json::from_slice(body).ok()?;
    error.get("message")?.as_str().map(|text| escape(text, LONGEST_MESSAGE))
}

/// Another server's page that says 404 tells nothing about notes.
fn is_from_a_store(response: &Response) -> bool {
    let body = response.body.trim_ascii();
    body.is_empty() || body.starts_with(b"{")
}

/// Characters of an error's text.
const LONGEST_MESSAGE: usize = 200;

/// Of a single message.
pub(super) const MESSAGE: Cap = Cap { bytes: 4 << 20, what: "bytes of an occurrence" };
