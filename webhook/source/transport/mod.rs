//! The guarded way to other hosts, for registries and stores alike.
//!
//! What comes from outside cannot make us read without end, wait past the deadline, carry a secret
//! to another host, or talk to the cluster's inside: all of that is seen to here, once.

mod address;
mod breaker;
mod client;
mod message;
mod redirect;
mod retry;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode, header::AUTHORIZATION};
use reqwest::{Certificate, Identity};
use tracing::debug;
use url::Url;

pub use message::{Cap, Redirects, Request, Response};
pub(super) use redirect::is_plain;
pub(super) use retry::scattered;

use super::Deadline;
use super::error::{Astray, FetchError};
use breaker::Breaker;
use client::LazyClient;

/// Sends requests. Cheap to share; connections are kept and used again.
pub struct Transport {
    /// By `host:port`; the only ones that may be internal.
    named: HashMap<String, Named>,
    outside: LazyClient,
    breaker: Breaker,
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
        let outside = LazyClient { outside: true, ..LazyClient::default() };
        Ok(Self { named, outside, breaker: Breaker::default() })
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
        for _ in 0..=redirect::HOPS {
            let response = self.try_often(&request, deadline).await?;
            match redirect::next(&request, &response)? {
                None => return Ok(response),
                Some(next) => request = next,
            }
        }
        Err(FetchError::Redirect { peer: request.peer, whither: Astray::Hops })
    }

    async fn try_often(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let (client, host) = self.route(request)?;
        if self.breaker.rests(&host) {
            return Err(FetchError::Resting(request.peer.clone()));
        }
        let client = client.get().map_err(|source| unreachable(request, source))?;
        let started = Instant::now();
        let mut tried = 0;
        loop {
            let timer = tokio::time::timeout(deadline.remaining(), once(client, request));
            let (error, pause) = match timer.await {
                Ok(Ok(answer)) if retry::may_pass(answer.status) => {
                    let repeats =
                        request.repeatable || answer.status == StatusCode::TOO_MANY_REQUESTS;
                    let pause = repeats.then(|| retry::pause(Some(&answer.headers), tried));
                    (failing(request, answer.status), pause)
                }
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Broken::Rule(error))) => return Err(error),
                Ok(Err(Broken::Connection(source))) => {
                    if leads_inside(&source) {
                        return Err(FetchError::Address(request.peer.clone()));
                    }
                    let repeats = request.repeatable || source.is_connect();
                    let pause = repeats.then(|| retry::pause(None, tried));
                    (unreachable(request, Arc::new(source)), pause)
                }
                Err(_) => (FetchError::Late(request.peer.clone()), None),
            };
            debug!(host, tried, code = %error.code(), cause = error.source(), "no answer");
            match pause.filter(|pause| tried < retry::RETRIES && *pause < deadline.remaining()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    self.note(&host, &error, started);
                    return Err(error);
                }
            }
            tried += 1;
        }
    }

    /// The client for a URL, if it may be gone to at all, and the host's key.
    fn route(&self, request: &Request) -> Result<(&LazyClient, String), FetchError> {
        let astray =
            |whither| FetchError::Redirect { peer: request.peer.clone(), whither };
        let host = authority(&request.url).ok_or_else(|| astray(Astray::Url))?;
        let named = self.named.get(&host);
        if request.url.scheme() != "https" && !named.is_some_and(|named| named.plain_http) {
            return Err(astray(Astray::PlainHttp));
        }
        match named {
            Some(named) => Ok((&named.client, host)),
            None if address::is_internal_literal(&request.url) => {
                Err(FetchError::Address(request.peer.clone()))
            }
            None => Ok((&self.outside, host)),
        }
    }

    /// Lets a host rest after failures that are its own, not those of a caller in a hurry.
    fn note(&self, host: &str, error: &FetchError, started: Instant) {
        let its_own = match error {
            FetchError::Unreachable { .. } => true,
            FetchError::Failing { status, .. } => *status != StatusCode::INTERNAL_SERVER_ERROR,
            FetchError::Late(_) => started.elapsed() >= PATIENCE,
            _ => false,
        };
        if its_own {
            self.breaker.failed(host);
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
        let client = LazyClient { ca, identity, plain, ..LazyClient::default() };
        Ok(Self { client, plain_http: host.plain_http })
    }
}

/// What stopped one try.
enum Broken {
    Connection(reqwest::Error),
    Rule(FetchError),
}

async fn once(client: &reqwest::Client, request: &Request) -> Result<Response, Broken> {
    let mut outgoing =
        client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
    if let Some(secret) = &request.secret {
        outgoing = outgoing.header(AUTHORIZATION, secret);
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        outgoing = outgoing.body(request.body.clone());
    }
    let mut incoming = outgoing.send().await.map_err(|error| Broken::Connection(error.without_url()))?;
    let body = if request.method == Method::HEAD {
        Bytes::new()
    } else if incoming.status().is_success() {
        read(&mut incoming, request).await?
    } else {
        read_little(&mut incoming).await
    };
    Ok(Response {
        status: incoming.status(),
        headers: std::mem::take(incoming.headers_mut()),
        url: request.url.clone(),
        body,
    })
}

/// The whole body, if the cap allows; it is not even begun if its length is said to be too large.
async fn read(incoming: &mut reqwest::Response, request: &Request) -> Result<Bytes, Broken> {
    let Cap { bytes: limit, what } = request.cap;
    let too_much =
        || Broken::Rule(FetchError::TooMuch { peer: request.peer.clone(), limit, what });
    let expected = incoming.content_length().unwrap_or_default();
    if expected > limit {
        return Err(too_much());
    }
    let broken = |error: reqwest::Error| Broken::Connection(error.without_url());
    let Some(first) = incoming.chunk().await.map_err(broken)? else { return Ok(Bytes::new()) };
    if first.len() as u64 == expected {
        return Ok(first);
    }
    let mut body = BytesMut::from(first);
    while let Some(chunk) = incoming.chunk().await.map_err(broken)? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_much());
        }
        body.extend_from_slice(&chunk);
    }
    if body.len() as u64 > limit {
        return Err(too_much());
    }
    Ok(body.freeze())
}

/// What an error says, up to a little; reading it to its end lets the connection be used again.
async fn read_little(incoming: &mut reqwest::Response) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(chunk)) = incoming.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LITTLE {
            body.truncate(LITTLE);
            break;
        }
    }
    body.freeze()
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
    FetchError::Unreachable { peer: request.peer.clone(), source }
}

/// Whether the resolver refused to connect.
fn leads_inside(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |cause| cause.source())
        .any(|cause| cause.is::<address::Internal>())
}

/// `host:port` of a URL, by which hosts are known here.
fn authority(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

const LITTLE: usize = 16 << 10;

/// A host that did not answer for so long is slow by itself.
const PATIENCE: Duration = Duration::from_secs(1);
