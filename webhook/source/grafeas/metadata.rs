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
    Deadline, FetchError, HostSettings, Nonsense, Peer, Presented, Redirects, Request, Secret,
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
        let invalid = request.invalid(Nonsense::Other("no token from the metadata server"));
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
