//! A peer: one HTTP/1.1 server on 127.0.0.1, with a thread and a runtime of its own, so that
//! tests without a runtime can use it too. It stops when dropped.

mod answer;
mod fault;
mod record;
mod serve;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

pub use answer::Answer;
pub use fault::{Fault, On, Rewrite};
pub(crate) use record::decoded;
pub use record::{Kind, Request, round_trips};

use crate::tls::{Ca, Certificate, server_config};
use fault::Faults;
use record::Records;
pub(crate) use serve::connection;

/// Where and how a peer listens. Always on 127.0.0.1.
#[derive(Clone, Debug, Default)]
pub struct Listen {
    port: u16,
    tls: Option<(Certificate, Option<String>)>,
}

impl Listen {
    /// Plain HTTP on a free port.
    pub fn plain() -> Self {
        Self::default()
    }

    /// TLS on a free port, with a certificate of `ca` for 127.0.0.1 and localhost.
    pub fn tls(ca: &Ca) -> Self {
        Self::tls_as(ca.server(&HERE))
    }

    /// TLS on a free port, with this certificate.
    pub fn tls_as(certificate: Certificate) -> Self {
        Self { port: 0, tls: Some((certificate, None)) }
    }

    /// The same, and only callers with a certificate of the CA in `client_ca` (PEM) are served.
    pub fn mutual_tls(ca: &Ca, client_ca: &str) -> Self {
        Self { port: 0, tls: Some((ca.server(&HERE), Some(client_ca.to_owned()))) }
    }

    /// On this port, to come back where another peer stopped.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }
}

/// A running server: its address, its records, its faults.
///
/// [`Registry`](crate::Registry) and [`Grafeas`](crate::Grafeas) are peers (they deref to this);
/// [`Peer::start`] makes one of any function.
pub struct Peer {
    address: SocketAddr,
    inner: Arc<Inner>,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) records: Records,
    pub(crate) faults: Faults,
    pub(crate) secure: bool,
    connections: AtomicUsize,
}

/// What a peer does with a request. Everything is in memory, so nothing waits.
pub(crate) trait Handler: Send + Sync + 'static {
    fn kind(&self, method: &str, path: &str) -> Kind;
    fn answer(&self, request: &Request) -> Answer;
}

pub(crate) struct Scripted<F>(pub(crate) F);

impl<F: Fn(&Request) -> Answer + Send + Sync + 'static> Handler for Scripted<F> {
    fn kind(&self, _method: &str, _path: &str) -> Kind {
        Kind::Other
    }

    fn answer(&self, request: &Request) -> Answer {
        (self.0)(request)
    }
}

impl Peer {
    /// A server that answers what `script` says: a redirect's target, a metadata server, a proxy.
    pub fn start(
        listen: Listen,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::serve(listen, Scripted(script))
    }

    /// `127.0.0.1:PORT`, as it stands in an image reference.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The same server under another name: `localhost:PORT`.
    pub fn localhost(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.inner.secure { "https" } else { "http" }, self.address)
    }

    /// From now on, this goes wrong on those requests.
    pub fn fault(&self, on: On, fault: Fault) {
        self.inner.faults.add(on, fault);
    }

    /// From now on, every answer comes that much later.
    pub fn latency(&self, time: Duration) {
        self.fault(On::all(), Fault::Delay(time));
    }

    /// Nothing goes wrong any more. Requests that hang go on hanging.
    pub fn heal(&self) {
        self.inner.faults.clear();
    }

    /// Every request since the start or the last [`Peer::forget`].
    pub fn requests(&self) -> Vec<Request> {
        self.inner.records.all()
    }

    /// How many requests of that kind there were.
    pub fn count(&self, kind: Kind) -> usize {
        self.inner.records.count(Some(kind))
    }

    /// How many requests there were.
    pub fn total(&self) -> usize {
        self.inner.records.count(None)
    }

    /// How many connections were opened, since the start.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.inner.records.clear();
    }

    /// Stops listening and drops every connection; records can still be read.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            let _already = stop.send(());
            let _panicked = thread.join();
        }
    }

    pub(crate) fn serve<H: Handler>(listen: Listen, handler: H) -> Self {
        let inner = Arc::new(Inner { secure: listen.tls.is_some(), ..Inner::default() });
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let shared = inner.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = bind(listen.port).expect("a free port on 127.0.0.1");
                let _heard = tell.send(listener.local_addr().expect("an address"));
                let tls = listen.tls.map(|(issued, client)| {
                    TlsAcceptor::from(Arc::new(server_config(&issued, client.as_deref())))
                });
                tokio::select! {
                    () = accept(&listener, tls, shared, Arc::new(handler)) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = told.recv().expect("the server's thread to start");
        Self { address, inner, stop: Some((stop, thread)) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(4096)
}

async fn accept<H: Handler>(
    listener: &TcpListener,
    tls: Option<TlsAcceptor>,
    inner: Arc<Inner>,
    handler: Arc<H>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _best_effort = stream.set_nodelay(true);
        inner.connections.fetch_add(1, Ordering::Relaxed);
        let (tls, inner, handler) = (tls.clone(), inner.clone(), handler.clone());
        tokio::spawn(async move {
            match tls {
                None => serve::connection(stream, inner, handler).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve::connection(stream, inner, handler).await;
                    }
                }
            }
        });
    }
}

/// The names of a peer in its certificate.
const HERE: [&str; 2] = ["127.0.0.1", "localhost"];
