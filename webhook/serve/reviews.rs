//! `POST /validate` and `POST /mutate`: from a request to a reply.
//!
//! What stops a review from being judged is a denial wherever its uid can be read, and an HTTP
//! error only where it cannot: those are left to `failurePolicy`, which may be `Ignore` (P13).

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response, routing::post};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::{Instant, timeout_at};

use super::{
    body::{Budget, Unread},
    metrics::Metrics,
    options::Longest,
    record::record,
    timeout,
};
use crate::{
    admission::{Phase, Reply, Violation},
    name::Code,
    source::Deadline,
};

/// What every request needs.
pub(super) struct Reviews<H, R> {
    pub handler: H,
    /// The revision in force, for reviews that the handler does not answer.
    pub revision: R,
    pub budget: Budget,
    pub longest: Longest,
    pub metrics: Arc<Metrics>,
    pub draining: Arc<AtomicBool>,
}

impl<H, F, R> Reviews<H, R>
where
    H: Fn(Phase, Bytes, Deadline) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send,
    R: Fn() -> String + Send + Sync + 'static,
{
    /// The two routes.
    pub fn router(self) -> Router {
        let reviews = Arc::new(self);
        let route = |phase: Phase| {
            let reviews = Arc::clone(&reviews);
            post(move |request: Request| async move { reviews.answer(phase, request).await })
        };
        Router::new()
            .route("/validate", route(Phase::Validate))
            .route("/mutate", route(Phase::Mutate))
    }

    async fn answer(&self, phase: Phase, request: Request) -> Response {
        let started = Instant::now();
        let deadline = Deadline::after(timeout::budget(request.uri(), self.longest.get()));
        let flight = self.metrics.flight();
        let response = match self.reply(phase, request, deadline).await {
            Ok(reply) => {
                let duration = started.elapsed();
                self.metrics.reviewed(phase, &reply.outcome, duration);
                record(phase, &reply, duration);
                respond(reply)
            }
            Err(refusal) => {
                self.metrics.refused(refusal.why);
                tracing::info!(%phase, status = refusal.status.as_u16(), refusal.why, "refused");
                refusal.into_response()
            }
        };
        drop(flight);
        self.closing(response)
    }

    async fn reply(
        &self,
        phase: Phase,
        request: Request,
        deadline: Deadline,
    ) -> Result<Reply, Refusal> {
        // The API server never compresses, and what is not unpacked cannot be a bomb.
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            return Err(Refusal::ENCODED);
        }
        let announced = content_length(request.headers());
        let body = self.budget.read(request.into_body(), announced, deadline).await;
        let body = match body {
            Ok(body) => body,
            Err(Unread::TooLarge(beginning)) => {
                let what = format!("the review is larger than {} bytes", self.budget.limit());
                return self
                    .denied(phase, &beginning, (Code::ReviewTooLarge, &what, SMALLER))
                    .ok_or(Refusal::TOO_LARGE);
            }
            Err(Unread::Late(beginning)) => {
                return self.denied(phase, &beginning, LATE).ok_or(Refusal::LATE);
            }
            Err(Unread::Busy(beginning)) => {
                return self.denied(phase, &beginning, BUSY).ok_or(Refusal::BUSY);
            }
            Err(Unread::Broken) => return Err(Refusal::BROKEN),
        };
        let judged =
            AssertUnwindSafe(async { (self.handler)(phase, body.bytes.clone(), deadline).await });
        let last = Instant::from_std(deadline.instant()) + GRACE;
        match timeout_at(last, judged.catch_unwind()).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_panic)) => {
                self.metrics.panicked();
                tracing::error!(%phase, "a review made countersign panic; it is denied");
                self.denied(phase, &body.bytes, FAULT).ok_or(Refusal::FAULT)
            }
            Err(_elapsed) => {
                tracing::error!(%phase, "a review was not judged by its deadline; it is denied");
                self.denied(phase, &body.bytes, SLOW).ok_or(Refusal::FAULT)
            }
        }
    }

    fn denied(&self, phase: Phase, beginning: &[u8], (code, what, todo): Why<'_>) -> Option<Reply> {
        let violation = Violation::of_review(code, what, Some(todo));
        Reply::denied(phase, beginning, violation, &(self.revision)())
    }

    /// Tells the client to connect anew, elsewhere, once this replica is to go.
    fn closing(&self, mut response: Response) -> Response {
        if self.draining.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn respond(reply: Reply) -> Response {
    let media_type = if reply.status == 200 { JSON } else { TEXT };
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer that is no review.
struct Refusal {
    status: StatusCode,
    why: &'static str,
}

impl Refusal {
    const ENCODED: Self = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content is encoded");
    const TOO_LARGE: Self = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body is too large");
    const LATE: Self = Self::new(StatusCode::REQUEST_TIMEOUT, "body did not arrive in time");
    const BUSY: Self = Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many large bodies");
    const BROKEN: Self = Self::new(StatusCode::BAD_REQUEST, "body broke off");
    const FAULT: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fault of countersign");

    const fn new(status: StatusCode, why: &'static str) -> Self {
        Self { status, why }
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(format!("{}\n", self.why)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The code of a denial, what is wrong and what to do.
type Why<'a> = (Code, &'a str, &'a str);

const SMALLER: &str = "make the object smaller, or raise limits.body";
const SLOW: Why<'_> = (Code::ReviewDeadline, "the review was not judged in time", "try again");
const BUSY: Why<'_> = (Code::ReviewDeadline, "too many large reviews came at once", "try again");
const LATE: Why<'_> = (
    Code::ReviewDeadline,
    "the review did not arrive in time",
    "try again; see how fast the API server reaches the webhook",
);
const FAULT: Why<'_> = (
    Code::ReviewInvalid,
    "the review could not be judged because of a fault in countersign itself",
    "please report it with what its log says",
);

/// Whoever judges keeps to the deadline; one that hangs is not waited for longer than this.
const GRACE: Duration = Duration::from_millis(40);
