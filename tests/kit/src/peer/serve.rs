//! One connection, one request, one answer: hyper, and the faults around it.

use std::{
    convert::Infallible,
    future::pending,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Handler, Inner,
    answer::Answer,
    fault::{Fault, Shape},
    record::Request,
};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves a connection until either side closes it.
pub(crate) async fn connection<S, H>(stream: S, inner: Arc<Inner>, handler: Arc<H>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    let service = service_fn(|request| one(request, &inner, &*handler));
    // An error here is the caller's going away, or a fault of our own doing.
    let _gone = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn one<H: Handler>(
    request: hyper::Request<Incoming>,
    inner: &Inner,
    handler: &H,
) -> io::Result<hyper::Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().to_owned();
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request = Request {
        kind: handler.kind(head.method.as_str(), &path),
        method: head.method.as_str().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        secure: inner.secure,
        headers: headers.collect(),
        body,
        started: Instant::now(),
        finished: None,
        status: None,
        path,
    };
    let at = inner.records.begin(request.clone());
    let (answer, shape) = answered(&request, &inner.faults.of(&request), handler).await?;
    inner.records.end(at, request.started, answer.status);
    respond(answer, shape)
}

async fn answered<H: Handler>(
    request: &Request,
    faults: &[Fault],
    handler: &H,
) -> io::Result<(Answer, Shape)> {
    let mut instead = None;
    for fault in faults {
        match fault {
            Fault::Delay(time) => tokio::time::sleep(*time).await,
            Fault::Hang => pending().await,
            Fault::Close => return Err(io::Error::other("closed on demand")),
            Fault::Instead(answer) => instead = Some(answer.clone()),
            _ => {}
        }
    }
    let mut answer = instead.unwrap_or_else(|| handler.answer(request));
    let mut shape = Shape::Whole;
    for fault in faults {
        match fault {
            Fault::Rewrite(change) => answer = change(request, answer),
            Fault::Length(length) => shape = Shape::Length(*length),
            Fault::Truncate(kept) => shape = Shape::Truncate(*kept),
            Fault::Endless => shape = Shape::Endless,
            Fault::Drip(size, pause) => shape = Shape::Drip(*size, *pause),
            _ => {}
        }
    }
    Ok((answer, shape))
}

fn respond(answer: Answer, shape: Shape) -> io::Result<hyper::Response<Body>> {
    let whole = answer.body.len();
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value.as_bytes());
    }
    let declared = match shape {
        Shape::Whole | Shape::Endless => None,
        Shape::Length(length) => Some(length),
        Shape::Truncate(_) | Shape::Drip(..) => Some(whole as u64),
    };
    if let Some(length) = declared {
        response = response.header("content-length", length);
    }
    response.body(body(answer.body, shape)).map_err(io::Error::other)
}

fn body(bytes: Bytes, shape: Shape) -> Body {
    match shape {
        Shape::Whole => Full::new(bytes).map_err(never).boxed_unsync(),
        Shape::Length(_) => pieces(vec![bytes], Duration::ZERO),
        Shape::Truncate(kept) => pieces(vec![bytes.slice(..kept.min(bytes.len()))], Duration::ZERO),
        Shape::Drip(size, pause) => {
            pieces(bytes.chunks(size.max(1)).map(Bytes::copy_from_slice).collect(), pause)
        }
        Shape::Endless => {
            let filler = Bytes::from(vec![b' '; 16 * 1024]);
            let endless = stream::unfold(bytes, move |next| {
                let filler = filler.clone();
                async move { Some((Ok(Frame::data(next)), filler)) }
            });
            StreamBody::new(endless).boxed_unsync()
        }
    }
}

/// The pieces, each after the pause. Before the end there is one more: if the length was a lie,
/// hyper drops the connection at the end and with it whatever it has not sent yet.
fn pieces(pieces: Vec<Bytes>, pause: Duration) -> Body {
    let stream = stream::unfold(pieces.into_iter(), move |mut rest| async move {
        let piece = rest.next();
        let pause = if piece.is_some() { pause } else { pause.max(Duration::from_millis(5)) };
        tokio::time::sleep(pause).await;
        Some((Ok(Frame::data(piece?)), rest))
    });
    StreamBody::new(stream).boxed_unsync()
}

fn never(nothing: Infallible) -> io::Error {
    match nothing {}
}
