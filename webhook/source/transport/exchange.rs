//! One request and one answer.

use std::error::Error as _;

use bytes::{Bytes, BytesMut};
use http::{Method, header::AUTHORIZATION};
use reqwest::RequestBuilder;

use super::{
    address::Internal,
    message::{Cap, Request, Response},
    stream::Download,
};
use crate::source::{
    Bounds, Deadline,
    bounds::{FREE, held},
    error::{FetchError, Peer},
    shares::Share,
};

/// What stopped one try.
pub(super) enum Broken {
    Connection(reqwest::Error),
    Rule(FetchError),
}

/// Where the bytes of an answer find room.
pub(super) struct Room<'a> {
    pub(super) bounds: &'a Bounds,
    pub(super) host: &'a str,
    pub(super) deadline: Deadline,
}

/// One request on the wire, and its answer read within its cap.
pub(super) async fn exchange(
    client: &reqwest::Client,
    request: &Request,
    room: &Room<'_>,
) -> Result<Response, Broken> {
    let mut outgoing = prepare(client, request);
    if request.method != Method::GET && request.method != Method::HEAD {
        outgoing = outgoing.body(request.body.clone());
    }
    complete(outgoing, request, room).await
}

/// A request without its body.
pub(super) fn prepare(client: &reqwest::Client, request: &Request) -> RequestBuilder {
    let outgoing = client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone());
    match &request.secret {
        Some(secret) => outgoing.header(AUTHORIZATION, secret),
        None => outgoing,
    }
}

/// Sends what is ready, and reads the answer.
pub(super) async fn complete(
    outgoing: RequestBuilder,
    request: &Request,
    room: &Room<'_>,
) -> Result<Response, Broken> {
    let mut incoming = outgoing.send().await.map_err(|error| broken(error, &request.peer))?;
    let status = incoming.status();
    if let Some(idle) = request.streams.filter(|_| status.is_success()) {
        let headers = std::mem::take(incoming.headers_mut());
        let stream = Some(Download::new(incoming, request, idle).map_err(Broken::Rule)?);
        let (url, body) = (request.url.clone(), Bytes::new());
        return Ok(Response { status, headers, url, body, stream });
    }
    let body = if request.method == Method::HEAD {
        Bytes::new()
    } else if status.is_success() {
        read(&mut incoming, request, room).await?
    } else {
        read_little(&mut incoming).await
    };
    Ok(Response {
        status,
        headers: std::mem::take(incoming.headers_mut()),
        url: request.url.clone(),
        body,
        stream: None,
    })
}

/// The whole body, if the cap allows; it is not even begun if its length is said to be too large,
/// and not gone on with before there is room for all of it.
async fn read(
    incoming: &mut reqwest::Response,
    request: &Request,
    room: &Room<'_>,
) -> Result<Bytes, Broken> {
    let Cap { bytes: limit, what } = request.cap;
    let too_much = || Broken::Rule(FetchError::TooMuch { peer: request.peer.clone(), limit, what });
    let announced = incoming.content_length();
    if announced.is_some_and(|length| length > limit) {
        return Err(too_much());
    }
    let (mut body, mut share) = (BytesMut::new(), None);
    if let Some(length) = announced.filter(|length| *length > FREE) {
        // Before the first piece is taken in, so that who waits here holds next to nothing.
        share = reserve(&mut body, length, request, room).await?;
    }
    while let Some(chunk) = incoming.chunk().await.map_err(|error| broken(error, &request.peer))? {
        let length = (body.len() + chunk.len()) as u64;
        if length > limit {
            return Err(too_much());
        }
        if announced == Some(length) && length <= FREE && body.is_empty() {
            return Ok(chunk);
        }
        if announced.is_none() && share.is_none() && length > FREE {
            share = reserve(&mut body, limit, request, room).await?;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(held(body.freeze(), share))
}

/// Waits until there is room for `most` bytes.
async fn reserve(
    body: &mut BytesMut,
    most: u64,
    request: &Request,
    room: &Room<'_>,
) -> Result<Option<Share>, Broken> {
    let Room { bounds, host, deadline } = *room;
    let crowded = |_| Broken::Rule(FetchError::Crowded(request.peer.clone()));
    let share = bounds.room(request.stage, host, most, deadline).await.map_err(crowded)?;
    // Without a bound, nothing is taken on the word of others.
    if share.is_some() {
        body.reserve(usize::try_from(most).unwrap_or_default().saturating_sub(body.len()));
    }
    Ok(share)
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

/// What a broken connection, or a refused address, is to the caller.
pub(super) fn broken(error: reqwest::Error, peer: &Peer) -> Broken {
    if leads_inside(&error) {
        return Broken::Rule(FetchError::Address(peer.clone()));
    }
    Broken::Connection(error.without_url())
}

/// Whether the resolver refused to connect.
fn leads_inside(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Internal>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

const LITTLE: usize = 16 << 10;
