//! A connection that has a place, and gives it up when told to.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum_server::accept::Accept;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;

use super::places::{Place, Places};

impl<S> Accept<TcpStream, S> for Places {
    type Stream = Placed;
    type Service = Seen<S>;
    type Future = Ready<io::Result<(Placed, Seen<S>)>>;

    /// Before anything is read, the handshake included.
    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Some(place) = self.take().map(Arc::new) else {
            return ready(Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "too many connections",
            )));
        };
        let seen = Seen { service, place: Arc::clone(&place) };
        ready(stream.set_nodelay(true).map(|()| (Placed { stream, place, unsent: false }, seen)))
    }
}

/// A connection that keeps its place until it is closed.
#[derive(Debug)]
pub(super) struct Placed {
    stream: TcpStream,
    place: Arc<Place>,
    /// Something was written that has not left yet.
    unsent: bool,
}

impl Placed {
    /// What still goes through goes through; only who would wait is told to go.
    fn unless_told<T>(
        &self,
        polled: Poll<io::Result<T>>,
        context: &Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.place.must_go(context.waker()) {
            tracing::debug!("connection closed, to make room for another");
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        polled
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.unsent { polled } else { self.unless_told(polled, context) }
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.unsent = true;
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_told(polled, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.unsent = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unsent = true;
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_told(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// What answers a connection's requests, seen by its place.
#[derive(Clone, Debug)]
pub(super) struct Seen<S> {
    service: S,
    place: Arc<Place>,
}

impl<S, R> Service<R> for Seen<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let place = Arc::clone(&self.place);
        place.asked();
        self.service.call(request).inspect(move |_| place.answered()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Waker};

    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn who_does_not_read_its_answer_can_be_sent_away_and_who_does_has_it_whole() {
        for reads in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let places = Places::new(1);
            let (mut placed, seen) = places.accept(stream, ()).await.unwrap();
            placed.place.asked();
            placed.place.answered();
            let mut context = Context::from_waker(Waker::noop());
            let sent = if reads {
                poll_fn(|context| Pin::new(&mut placed).poll_write(context, b"answer"))
                    .await
                    .unwrap()
            } else {
                let mut write = || Pin::new(&mut placed).poll_write(&mut context, &[0; 1 << 12]);
                while write().is_ready() {}
                0
            };

            let _next = places.take().expect("it is idle");
            let mut space = [0; 8];
            let mut space = ReadBuf::new(&mut space);
            let read = Pin::new(&mut placed).poll_read(&mut context, &mut space);
            assert!(read.is_pending(), "reads {reads}: what is unsent may still leave");
            let mut last = || Pin::new(&mut placed).poll_write(&mut context, b"!");
            if reads {
                assert!(matches!(last(), Poll::Ready(Ok(1))), "it goes through");
                assert!(Pin::new(&mut placed).poll_flush(&mut context).is_ready());
                let read = Pin::new(&mut placed).poll_read(&mut context, &mut space);
                assert!(matches!(read, Poll::Ready(Err(_))), "then it goes");
                drop((placed, seen));
                let mut answer = Vec::new();
                caller.read_to_end(&mut answer).await.unwrap();
                assert_eq!((sent, &answer[..]), (6, &b"answer!"[..]));
            } else {
                assert!(matches!(last(), Poll::Ready(Err(_))), "it would wait");
            }
        }
    }
}
