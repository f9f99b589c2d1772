//! `countersign store`: the embedded Grafeas server.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use crate::{
    serve::TlsFiles,
    store::{Data, StoreError, StoreServer, StoreServerOptions},
};

use super::{Failure, signals};

/// Keep attestations in a Grafeas server of one's own
///
/// v1beta1 and v1 as JSON over HTTP, over one SQLite file. On any address but loopback it starts
/// only with TLS and a way to tell callers apart: whoever may write to it may say anything, though
/// only signed words count. Without --tokens and TLS it is asked as localhost or by its address, and
/// takes messages as `Content-Type: application/json` only: a web page that is open on its machine
/// can do neither.
///
/// Example: countersign store --listen 127.0.0.1:8080 --data store.db
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Store {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The SQLite file, made where there is none; `:memory:` for a try
    #[arg(long, value_name = "FILE")]
    data: Data,
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Who may do what: a YAML list of `{token, may: read|write|administer, notes}`
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Answer only callers with a certificate of this authority
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    client_ca: Option<PathBuf>,
}

impl Store {
    /// Serves until a signal comes.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let tls = self.tls_certificate.zip(self.tls_key).map(|(certificate, key)| TlsFiles {
            certificate,
            key,
            client_ca: self.client_ca,
        });
        let server = StoreServer::bind(StoreServerOptions {
            listen: self.listen,
            data: self.data,
            tls,
            tokens: self.tokens,
        })
        .map_err(refused)?;
        let stop = signals::shutdown();
        tracing::info!(url = server.url(), "ready");
        server.serve(stop).await.map_err(Failure::of)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Why it does not start: what it was told (exit 2), or the machine (exit 1).
fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::OpenToStrangers(_) | StoreError::Tokens(_) | StoreError::Tls(_) => {
            Failure::of_input(error)
        }
        _ => Failure::of(error),
    }
}
