//! Bodies too large for memory, on their way out.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use http::header::{CONTENT_LENGTH, HeaderValue};

use super::{
    Transport,
    exchange::{Room, complete, prepare},
    failing,
    message::{Request, Response},
    redirect, retry,
};
use crate::source::{Bounds, Deadline, error::FetchError};

/// A body that is sent as it comes, once.
pub struct Upload {
    /// How many bytes it has.
    pub length: u64,
    /// The bytes. An error breaks the request off.
    pub pieces: BoxStream<'static, io::Result<Bytes>>,
    /// The longest that nothing may move, and the longest wait for the answer.
    pub idle: Duration,
}

impl Transport {
    /// Sends a request with a body that cannot be sent twice: it is tried once, and led nowhere
    /// else.
    ///
    /// # Errors
    /// If there is no answer, or one that breaks a rule; also if the body itself ends in an error.
    pub async fn upload(&self, request: &Request, body: Upload) -> Result<Response, FetchError> {
        let (client, host) = self.route(request)?;
        if self.breaker.rests(&host, &request.url) {
            return Err(FetchError::Resting(request.peer.clone()));
        }
        let client = client.get().map_err(|source| super::unreachable(request, source))?;
        let moved = Moved::default();
        let watched = moved.clone();
        let pieces = body.pieces.inspect(move |_| watched.now());
        let sending = prepare(client, request)
            .header(CONTENT_LENGTH, HeaderValue::from(body.length))
            .body(reqwest::Body::wrap_stream(pieces));
        let room =
            Room { bounds: &Bounds::none(), host: &host, deadline: Deadline::after(body.idle) };
        let sending = complete(sending, request, &room);
        tokio::pin!(sending);
        let answer = loop {
            tokio::select! {
                answer = &mut sending => break answer,
                () = tokio::time::sleep(moved.left(body.idle)) => {
                    if moved.left(body.idle).is_zero() {
                        return Err(FetchError::Late(request.peer.clone()));
                    }
                }
            }
        };
        let response = answer.map_err(|broken| broken.into_error(&request.peer))?;
        if retry::may_pass(response.status) {
            return Err(failing(request, response.status));
        }
        // It refuses every way on for what is no GET.
        redirect::next(request, &response)?;
        Ok(response)
    }
}

/// When something moved last.
#[derive(Clone)]
struct Moved(Arc<Mutex<Instant>>);

impl Default for Moved {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Moved {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What is left of a time that began then.
    fn left(&self, time: Duration) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        time.saturating_sub(last.elapsed())
    }
}
