//! The guarded way to other hosts, for registries and stores alike.
//!
//! What comes from outside cannot make us read without end, wait past the deadline, carry a secret
//! to another host, or talk to the cluster's inside: all of that is seen to here, once.

mod address;
mod breaker;
mod client;
mod exchange;
mod message;
mod redirect;
mod retry;
mod stream;
mod upload;

use std::{
    collections::HashMap,
    error::Error as _,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::StatusCode;
use reqwest::{Certificate, Identity};
use tokio::time::timeout_at;
use tracing::debug;
use url::Url;

pub(super) use client::choose_cryptography;
pub use message::{Cap, Redirects, Request, Response};
pub(super) use redirect::is_plain;
pub(super) use retry::scattered;
pub use stream::Download;
pub use upload::Upload;

use super::{
    Bounds, Deadline,
    error::{BadRedirect, FetchError},
};
use breaker::Breaker;
use client::{ClientSettings, LazyClient};
use exchange::{Broken, Room, exchange};

/// Sends requests. Cheap to share; connections are kept and used again.
pub struct Transport {
    /// By `host:port`; the only ones that may be internal.
    named: HashMap<String, Named>,
    outside: LazyClient,
    breaker: Breaker,
    bounds: Bounds,
}

/// A host that the configuration names, and how to talk to it.
#[derive(Clone, Debug, Default)]
pub struct HostSettings {
    /// `host` or `host:port`.
    pub authority: String,
    /// Speak HTTP without TLS.
    pub plain_http: bool,
    /// Certificates in PEM to trust beside the system's.
    pub ca: Option<Bytes>,
    /// Our own certificate chain and key in PEM.
    pub identity: Option<Bytes>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("{0:?} is not a host, nor a host and a port")]
    Authority(String),
    #[error("the CA for {0} holds no certificate in PEM")]
    Ca(String),
    #[error("the client certificate for {0} is not a certificate and its key in PEM")]
    Identity(String),
}

struct Named {
    client: LazyClient,
    plain_http: bool,
}

impl Transport {
    /// A transport that may talk to `hosts` wherever they are, and to all others on the public
    /// network. Contacts nobody.
    ///
    /// # Errors
    /// If a host, a CA or a client certificate does not parse.
    pub fn new(hosts: Vec<HostSettings>) -> Result<Self, TransportError> {
        let mut named = HashMap::new();
        for host in hosts {
            let scheme = if host.plain_http { "http" } else { "https" };
            let key = format!("{scheme}://{}/", host.authority)
                .parse()
                .ok()
                .filter(|url: &Url| is_plain(url) && url.path() == "/" && url.query().is_none())
                .and_then(|url| authority(&url))
                .ok_or_else(|| TransportError::Authority(host.authority.clone()))?;
            named.insert(key, Named::new(&host)?);
        }
        let outside =
            LazyClient::new(ClientSettings { outside: true, ..ClientSettings::default() });
        Ok(Self { named, outside, breaker: Breaker::default(), bounds: Bounds::none() })
    }

    /// The same within `bounds`, which others may share.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Sends a request, follows redirects as it allows, and reads the answer.
    ///
    /// Every status but 429 and 5xx (501 excepted) is an answer; those are tried again twice while
    /// the deadline allows.
    ///
    /// # Errors
    /// If there is no answer in time, or one that breaks a rule.
    pub async fn send(
        &self,
        mut request: Request,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        for hop in 0..=redirect::HOPS {
            let response = self.try_often(&request, hop > 0, deadline).await?;
            match redirect::next(&request, &response)? {
                None => return Ok(response),
                Some(next) => request = next,
            }
        }
        Err(FetchError::Redirect { peer: request.peer, why: BadRedirect::Hops })
    }

    async fn try_often(
        &self,
        request: &Request,
        led: bool,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let (client, host) = self.route(request)?;
        let resting = || self.breaker.rests(&host, &request.url);
        if resting() {
            return Err(FetchError::Resting(request.peer.clone()));
        }
        let client = client.get().map_err(|source| unreachable(request, source))?;
        let room = Room { bounds: &self.bounds, host: &host, deadline };
        let mut tried = 0;
        loop {
            let turn = self.bounds.request(request.stage, &host, deadline).await;
            let turn = turn.map_err(|_| FetchError::Crowded(request.peer.clone()))?;
            if tried == 0 && resting() {
                return Err(FetchError::Resting(request.peer.clone()));
            }
            let started = Instant::now();
            let timer =
                timeout_at(deadline.instant().into(), exchange(client, request, &room)).await;
            drop(turn);
            let (error, pause) = match timer {
                Ok(Ok(answer)) if retry::may_pass(answer.status) => {
                    let repeats =
                        request.repeatable || answer.status == StatusCode::TOO_MANY_REQUESTS;
                    let pause = repeats.then(|| retry::pause(Some(&answer.headers), tried));
                    (failing(request, answer.status), pause)
                }
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Broken::Rule(error))) => return Err(error),
                Ok(Err(Broken::Connection(source))) => {
                    let repeats = request.repeatable || source.is_connect();
                    let pause = repeats.then(|| retry::pause(None, tried));
                    (unreachable(request, Arc::new(source)), pause)
                }
                Err(_) => (FetchError::Late(request.peer.clone()), None),
            };
            debug!(host, tried, code = %error.code(), cause = error.source(), "no answer");
            let Some(pause) =
                pause.filter(|pause| tried < retry::RETRIES && *pause < deadline.remaining())
            else {
                // Where others led us says nothing about who asks there by themselves.
                if !led {
                    self.note(&host, &request.url, &error, started);
                }
                return Err(error);
            };
            tokio::time::sleep(pause).await;
            tried += 1;
        }
    }

    /// The client for a URL, if it may be gone to at all, and the host's key.
    fn route(&self, request: &Request) -> Result<(&LazyClient, String), FetchError> {
        let refused = |why| FetchError::Redirect { peer: request.peer.clone(), why };
        let host = authority(&request.url).ok_or_else(|| refused(BadRedirect::Url))?;
        let named = self.named.get(&host);
        if request.url.scheme() != "https" && !named.is_some_and(|named| named.plain_http) {
            return Err(refused(BadRedirect::PlainHttp));
        }
        match named {
            Some(named) => Ok((&named.client, host)),
            None if address::is_internal_literal(&request.url) => {
                Err(FetchError::Address(request.peer.clone()))
            }
            None => Ok((&self.outside, host)),
        }
    }

    /// Lets a host rest that cannot be connected to, and of one that can what failed by itself, not
    /// by a caller in a hurry: on a host that many share, one repository may be made to fail.
    fn note(&self, host: &str, url: &Url, error: &FetchError, started: Instant) {
        let its_own = match error {
            FetchError::Unreachable { source, .. } if source.is_connect() => {
                return self.breaker.host_failed(host);
            }
            FetchError::Unreachable { .. } => true,
            FetchError::Failing { status, .. } => *status != StatusCode::INTERNAL_SERVER_ERROR,
            FetchError::Late(_) => started.elapsed() >= PATIENCE,
            _ => false,
        };
        if its_own {
            self.breaker.place_failed(host, url);
        }
    }
}

impl Named {
    fn new(host: &HostSettings) -> Result<Self, TransportError> {
        let ca = match &host.ca {
            None => Vec::new(),
            Some(pem) => Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|found| !found.is_empty())
                .ok_or_else(|| TransportError::Ca(host.authority.clone()))?,
        };
        let identity = match &host.identity {
            None => None,
            Some(pem) => Some(
                Identity::from_pem(pem)
                    .map_err(|_| TransportError::Identity(host.authority.clone()))?,
            ),
        };
        let plain = host.plain_http && ca.is_empty();
        let client = LazyClient::new(ClientSettings { ca, identity, plain, outside: false });
        Ok(Self { client, plain_http: host.plain_http })
    }
}

fn failing(request: &Request, status: StatusCode) -> FetchError {
    let peer = request.peer.clone();
    if status == StatusCode::TOO_MANY_REQUESTS {
        FetchError::Limited(peer)
    } else {
        FetchError::Failing { peer, status }
    }
}

fn unreachable(request: &Request, source: Arc<reqwest::Error>) -> FetchError {
    FetchError::unreachable(&request.peer, source)
}

/// `host:port` of a URL, by which hosts are known here.
fn authority(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// A host that did not answer for so long is slow by itself.
const PATIENCE: Duration = Duration::from_secs(1);
