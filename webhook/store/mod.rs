//! The embedded Grafeas server.
//!
//! A store for one machine, so that a team can start without running another service: v1beta1 as
//! the reference server speaks it and v1 as Artifact Analysis documents it, over one SQLite file.
//! It knows projects, notes and occurrences, filters and pages lists, and never changes what it
//! keeps: an occurrence is created or deleted.
//!
//! Strangers cannot write to it: on any address but loopback it starts only with TLS and a way to
//! tell callers apart, and web pages that are open on its machine are strangers too.

mod access;
mod answer;
mod api;
mod caller;
mod database;
mod filter;
mod lists;
mod message;
mod notes;
mod occurrences;
mod origin;
mod projects;
mod request;
mod summary;

use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};

use crate::serve::{TlsError, TlsFiles};

pub use access::{Access, Right, TokenFile, TokenFileError};
pub use database::Database;

/// What `countersign store` is told.
#[derive(Clone, Debug)]
pub struct StoreServerOptions {
    /// Where to listen; port 0 for any.
    pub listen: SocketAddr,
    /// Where the data is kept.
    pub data: Data,
    /// Certificate and key, and the authority of callers' certificates.
    pub tls: Option<TlsFiles>,
    /// Who may do what.
    pub tokens: Option<PathBuf>,
}

/// Where the data is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Data {
    /// In a file, made where there is none.
    File(PathBuf),
    /// Until the process ends: `:memory:`.
    Memory,
}

/// Why the store does not start or stops.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Open to strangers, who could then write whatever they like.
    #[error(
        "{0} can be reached from other machines; give a certificate with --tls-certificate and \
         --tls-key, and --tokens or --client-ca, or listen on 127.0.0.1"
    )]
    OpenToStrangers(SocketAddr),
    #[error("cannot open the data in {path}")]
    Data { path: String, source: rusqlite::Error },
    #[error("cannot use the tokens")]
    Tokens(#[from] TokenFileError),
    #[error("cannot use the certificates")]
    Tls(#[from] TlsError),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the server stopped")]
    Serve(#[source] std::io::Error),
}

/// A store that listens and does not answer yet.
#[derive(Debug)]
pub struct StoreServer {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
    router: Router,
}

/// All routes of a store over this data, for tests and for embedding.
pub fn router(data: &Database, access: Access) -> Router {
    api::router(data, access)
}

impl StoreServer {
    /// Opens the data, reads certificates and tokens, and takes the address.
    ///
    /// # Errors
    /// [`StoreError`], also where strangers could write.
    pub fn bind(options: StoreServerOptions) -> Result<Self, StoreError> {
        let asks_for_certificates = |files: &TlsFiles| files.client_ca.is_some();
        let tells_callers_apart =
            options.tokens.is_some() || options.tls.as_ref().is_some_and(asks_for_certificates);
        let guarded = options.tls.is_some() && tells_callers_apart;
        if !options.listen.ip().is_loopback() && !guarded {
            return Err(StoreError::OpenToStrangers(options.listen));
        }
        let tls = options.tls.map(|files| files.load()).transpose()?;
        let access = match options.tokens {
            Some(path) => Access::Tokens(Box::new(TokenFile::open(&path)?)),
            None if tls.is_none() => Access::Local,
            None => Access::Connected,
        };
        let data = options.data.open()?;
        let listen = |source| StoreError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let tls = tls.map(|tls| RustlsConfig::from_config(tls.config));
        Ok(Self { listener, address, tls, router: router(&data, access) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:8080`, as clients are told.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers until `shutdown` is done, then finishes the requests under way.
    ///
    /// # Errors
    /// [`StoreError::Serve`] where the listener fails.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), StoreError> {
        let handle = Handle::new();
        let service = self.router.into_make_service();
        let mut server = axum_server::from_tcp(self.listener)
            .map_err(StoreError::Serve)?
            .handle(handle.clone())
            .http1_only()
            .first_request_timeout(HEADERS);
        server.http_builder().http1().header_read_timeout(HEADERS);
        let answers = async {
            match self.tls {
                None => server.serve(service).await,
                Some(tls) => {
                    server
                        .acceptor(axum_server::tls_rustls::RustlsAcceptor::new(tls))
                        .serve(service)
                        .await
                }
            }
        };
        tokio::pin!(answers, shutdown);
        tokio::select! {
            stopped = &mut answers => return stopped.map_err(StoreError::Serve),
            () = &mut shutdown => handle.graceful_shutdown(Some(FAREWELL)),
        }
        answers.await.map_err(StoreError::Serve)
    }
}

impl Data {
    fn open(&self) -> Result<Database, StoreError> {
        match self {
            Self::Memory => Database::in_memory()
                .map_err(|source| StoreError::Data { path: ":memory:".into(), source }),
            Self::File(path) => Database::open(path)
                .map_err(|source| StoreError::Data { path: path.display().to_string(), source }),
        }
    }
}

impl std::str::FromStr for Data {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == ":memory:" { Self::Memory } else { Self::File(text.into()) })
    }
}

/// The longest time for a caller to send its headers.
const HEADERS: Duration = Duration::from_secs(10);

/// The longest time for requests under way at the end.
const FAREWELL: Duration = Duration::from_secs(10);
