//! Tokens of a Google service account, from the machine's metadata server.
//!
//! The only place where a link-local address is gone to, by a client of its own that knows no other
//! host. What it answers is shown to `googleapis.com` alone, which the options see to.

use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::StoreOptionsError;
use crate::source::{
    Deadline, FetchError, HostSettings, Peer, Presented, ProtocolError, Redirects, Request, Secret,
    Transport,
};

/// The metadata server, and the token that it gave last.
pub(super) struct MetadataServer {
    peer: Peer,
    url: Url,
    transport: Transport,
    last: Mutex<Option<(HeaderValue, Instant)>>,
}

impl MetadataServer {
    /// At its usual address, or where `GCE_METADATA_HOST` says.
    pub(super) fn new(peer: Peer) -> Result<Self, StoreOptionsError> {
        let host = std::env::var("GCE_METADATA_HOST").unwrap_or_default();
        Self::at(if host.is_empty() { USUAL } else { &host }, peer)
    }

    fn at(authority: &str, peer: Peer) -> Result<Self, StoreOptionsError> {
        let transport = Transport::new(vec![HostSettings {
            authority: authority.to_owned(),
            plain_http: true,
            ca: None,
            identity: None,
        }])?;
        let text = format!("http://{authority}{PATH}");
        let unfit = crate::source::TransportError::Authority(authority.to_owned());
        let url = text.parse().map_err(|_| unfit)?;
        Ok(Self { peer, url, transport, last: Mutex::new(None) })
    }

    /// The value of `Authorization`; one request for all who wait.
    pub(super) async fn current(&self, deadline: Deadline) -> Result<HeaderValue, FetchError> {
        let mut last = self.last.lock().await;
        if let Some((value, until)) = &*last
            && Instant::now() < *until
        {
            return Ok(value.clone());
        }
        let (value, until) = self.ask(deadline).await?;
        *last = Some((value.clone(), until));
        Ok(value)
    }

    pub(super) async fn forget(&self) {
        *self.last.lock().await = None;
    }

    async fn ask(&self, deadline: Deadline) -> Result<(HeaderValue, Instant), FetchError> {
        let mut request = Request::get(self.peer.clone(), self.url.clone());
        request.headers.insert("metadata-flavor", HeaderValue::from_static("Google"));
        request.redirects = Redirects::SameHost;
        let invalid = request.invalid(ProtocolError::Other("no token from the metadata server"));
        let asked = Instant::now();
        let response = self.transport.send(request, deadline).await?;
        if response.status != StatusCode::OK {
            return Err(FetchError::Unauthorized {
                peer: self.peer.clone(),
                status: response.status,
                presented: Presented::Nothing,
            });
        }
        let answer: Answer = match serde_json::from_slice(&response.body) {
            Ok(answer) => answer,
            Err(_) => return Err(invalid),
        };
        let value = answer.access_token.bearer().ok_or(invalid)?;
        let lasts = Duration::from_secs(answer.expires_in.min(A_DAY));
        Ok((value, asked + lasts.saturating_sub(MARGIN)))
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    #[serde(default)]
    expires_in: u64,
}

const USUAL: &str = "169.254.169.254";
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Tokens are renewed so long before they expire.
const MARGIN: Duration = Duration::from_mins(1);
const A_DAY: u64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use countersign_kit::{Answer, Listen, Peer as Server};
    use serde_json::json;

    use super::*;

    fn metadata(lasts: u64) -> (Server, MetadataServer) {
        let server = Server::start(Listen::plain(), move |request| {
            if request.header("metadata-flavor") != Some("Google") || request.path != PATH {
                return Answer::of(403, "text/html", "<html>");
            }
            let token =
                json!({"access_token": "ya29.x", "expires_in": lasts, "token_type": "Bearer"});
            Answer::json(200, &token)
        });
        let tokens = MetadataServer::at(&server.host(), Peer::Store("gcp".into())).unwrap();
        (server, tokens)
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_until_it_expires() {
        for (lasts, asked) in [(3599, 1), (30, 2)] {
            let (server, tokens) = metadata(lasts);
            for _ in 0..2 {
                let value = tokens.current(soon()).await.unwrap();
                assert_eq!(value, "Bearer ya29.x");
                assert!(value.is_sensitive());
            }
            assert_eq!(server.total(), asked, "lasts {lasts} seconds");
        }
        let (server, tokens) = metadata(3599);
        tokens.current(soon()).await.unwrap();
        tokens.forget().await;
        tokens.current(soon()).await.unwrap();
        assert_eq!(server.total(), 2, "after the store refused it");
    }

    #[tokio::test]
    async fn what_is_no_token_is_an_error() {
        let cases = [
            (404, "{}", "store.unauthorized"),
            (200, "<html>", "store.invalid"),
            (200, "{}", "store.invalid"),
            (200, r#"{"access_token":"a\nb"}"#, "store.invalid"),
        ];
        for (status, body, want) in cases {
            let server = Server::start(Listen::plain(), move |_| {
                Answer::of(status, "application/json", body)
            });
            let tokens = MetadataServer::at(&server.host(), Peer::Store("gcp".into())).unwrap();
            let error = tokens.current(soon()).await.unwrap_err();
            assert_eq!(error.code().as_str(), want, "{body}: {error}");
        }
    }
}
