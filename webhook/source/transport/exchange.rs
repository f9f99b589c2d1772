//! One request and one answer.

use std::error::Error as _;

use bytes::{Bytes, BytesMut};
use http::{Method, header::AUTHORIZATION};

use super::{
    address::Internal,
    message::{Cap, Request, Response},
};
use crate::source::error::FetchError;

/// What stopped one try.
pub(super) enum Broken {
    Connection(reqwest::Error),
    Rule(FetchError),
}

/// One request on the wire, and its answer read within its cap.
pub(super) async fn exchange(
    client: &reqwest::Client,
    request: &Request,
) -> Result<Response, Broken> {
    let mut outgoing = client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone());
    if let Some(secret) = &request.secret {
        outgoing = outgoing.header(AUTHORIZATION, secret);
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        outgoing = outgoing.body(request.body.clone());
    }
    let mut incoming = outgoing.send().await.map_err(|error| broken(error, request))?;
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
    let too_much = || Broken::Rule(FetchError::TooMuch { peer: request.peer.clone(), limit, what });
    let expected = incoming.content_length().unwrap_or_default();
    if expected > limit {
        return Err(too_much());
    }
    let Some(first) = incoming.chunk().await.map_err(|error| broken(error, request))? else {
        return Ok(Bytes::new());
    };
    if first.len() as u64 == expected {
        return Ok(first);
    }
    let mut body = BytesMut::from(first);
    while let Some(chunk) = incoming.chunk().await.map_err(|error| broken(error, request))? {
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

fn broken(error: reqwest::Error, request: &Request) -> Broken {
    if leads_inside(&error) {
        return Broken::Rule(FetchError::Address(request.peer.clone()));
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
