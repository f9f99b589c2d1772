//! The two listeners, from the first connection to the last.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use bytes::Bytes;
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    body::Budget,
    metrics::Metrics,
    options::ServeOptions,
    places::Places,
    probes, reload,
    reviews::Reviews,
    shutdown::Stop,
    tls::{Contents, TlsError},
};
use crate::{
    admission::{Phase, Reply},
    source::Deadline,
};

/// A server that listens but does not answer yet.
pub struct Server {
    options: ServeOptions,
    metrics: Arc<Metrics>,
    admission: TcpListener,
    probes: TcpListener,
    tls: RustlsConfig,
    contents: Contents,
}

impl Server {
    /// Reads the certificate and takes both ports; port 0 takes any that is free.
    ///
    /// # Errors
    /// [`ServeError`] if a file cannot be used or a port cannot be had.
    pub async fn bind(options: ServeOptions, metrics: Arc<Metrics>) -> Result<Self, ServeError> {
        let contents = options.tls.contents()?;
        let tls = options.tls.tls(&contents)?;
        metrics.certificate_ends(tls.expires);
        Ok(Self {
            admission: listen(options.admission).await?,
            probes: listen(options.probes).await?,
            tls: RustlsConfig::from_config(tls.config),
            options,
            metrics,
            contents,
        })
    }

    /// Where reviews are answered.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn admission_address(&self) -> io::Result<SocketAddr> {
        self.admission.local_addr()
    }

    /// Where probes are answered.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn probes_address(&self) -> io::Result<SocketAddr> {
        self.probes.local_addr()
    }

    /// Answers reviews by `handler` until `stop`, then finishes those under way.
    ///
    /// `handler` is called for each review with what was asked, the whole body and the time by
    /// which to answer. One that panics or hangs is a denial, which names the `revision` in force.
    ///
    /// # Errors
    /// [`ServeError::Serve`] if a listener breaks.
    pub async fn run<H, F, R>(
        self,
        handler: H,
        revision: R,
        stop: impl Future<Output = Stop>,
    ) -> Result<(), ServeError>
    where
        H: Fn(Phase, Bytes, Deadline) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
        R: Fn() -> String + Send + Sync + 'static,
    {
        let draining = Arc::new(AtomicBool::new(false));
        let reviews = Reviews {
            handler,
            revision,
            budget: Budget::new(self.options.body),
            longest: self.options.deadline.clone(),
            metrics: Arc::clone(&self.metrics),
            draining: Arc::clone(&draining),
        };
        let handle = Handle::new();
        let acceptor = RustlsAcceptor::new(self.tls.clone()).handshake_timeout(HANDSHAKE);
        let acceptor = acceptor.acceptor(Places::new(self.options.connections));
        let admission = server(self.admission, acceptor).handle(handle.clone());
        let reviews = reviews.router().into_make_service();
        let mut answering = JoinSet::new();
        answering.spawn(async move { admission.serve(reviews).await });

        let probing = server(self.probes, Places::new(PROBE_CONNECTIONS));
        let probes = probes::router(Arc::clone(&self.metrics), Arc::clone(&draining));
        let mut beside = JoinSet::new();
        beside.spawn(async move { probing.serve(probes.into_make_service()).await });
        let files = self.options.tls.clone();
        let reload = reload::follow(files, Some(self.contents), self.tls, self.metrics);
        beside.spawn(async move {
            reload.await;
            Ok(())
        });

        tokio::select! {
            ended = answering.join_next() => return Err(broken(ended)),
            ended = beside.join_next() => return Err(broken(ended)),
            stop = stop => {
                draining.store(true, Ordering::Relaxed);
                let drain = if stop == Stop::Gently { self.options.drain } else { Duration::ZERO };
                tracing::info!(seconds = drain.as_secs(), "stopping; no longer ready");
                tokio::time::sleep(drain).await;
            }
        }
        // Connections that are idle are closed now, the others when they have their answer.
        handle.graceful_shutdown(Some(self.options.deadline.get() + LAST_BYTES));
        match answering.join_next().await {
            Some(Ok(Ok(()))) => Ok(()),
            ended => Err(broken(ended)),
        }
    }
}

/// Why serving does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port is taken, or not for us.
    #[error(
        "{address} cannot be listened on; stop whatever listens there, or give `listen` another"
    )]
    Listen { address: SocketAddr, source: io::Error },
    /// A listener broke.
    #[error("a listener ended")]
    Serve(#[source] io::Error),
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

fn server<A>(listener: TcpListener, acceptor: A) -> axum_server::Server<SocketAddr, A> {
    let mut server = axum_server::Server::<SocketAddr>::from_listener(listener)
        .acceptor(acceptor)
        .http1_only()
        .first_request_timeout(IDLE)
        .accept_error_handler(|_, error| tracing::debug!(%error, "connection not taken"));
    server.http_builder().http1().header_read_timeout(IDLE);
    server
}

fn broken(ended: Option<Result<io::Result<()>, tokio::task::JoinError>>) -> ServeError {
    ServeError::Serve(match ended {
        Some(Ok(Err(error))) => error,
        Some(Err(error)) => io::Error::other(error),
        Some(Ok(Ok(()))) | None => io::Error::other("nothing listens any more"),
    })
}

/// How long a connection may be silent: longer than the API server's 90 s, so that it is always
/// the one that closes. A close by us could meet a review on its way, which is not sent again. That
/// holds for a first request too, since it may connect and have no use for it until later; who is
/// in the way goes earlier ([`Places`]).
const IDLE: Duration = Duration::from_secs(130);

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time for the last answers to leave after the longest deadline.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// The kubelet and a few scrapers.
const PROBE_CONNECTIONS: usize = 64;
