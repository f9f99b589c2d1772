//! `countersign serve`: the webhook.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use crate::{
    config::{Config, Purpose},
    serve::{Metrics, Server, Stop},
};

use super::{Failure, output};

/// Answer the API server's reviews
///
/// Serves `POST /validate` and `POST /mutate` over TLS, and `/livez`, `/readyz` and `/metrics` over
/// HTTP, until SIGTERM (answers on for ten seconds) or SIGINT. Files that the configuration names
/// are read again when they change.
///
/// Example: countersign serve --config countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Serve {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,
}

impl Serve {
    /// Serves until a signal comes.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let loaded = Config::load(&self.config, Purpose::Serve).map_err(super::config::refused)?;
        let gate = loaded.gate;
        let options = loaded.serve.ok_or_else(|| Failure::usage("no listeners"))?;
        let metrics = Arc::new(Metrics::new());
        let server = Server::bind(options, metrics).await.map_err(Failure::of)?;
        let stop = async { Stop::signal().await.unwrap_or(Stop::AtOnce) };
        let (admission, probes) = (server.admission_address(), server.probes_address());
        if let (Ok(admission), Ok(probes)) = (admission, probes) {
            output::say(&format!("ready: https://{admission}, probes on http://{probes}"));
        }
        let answer = move |phase, body, deadline| {
            let gate = Arc::clone(&gate);
            async move { gate.review(phase, body, deadline).await }
        };
        server.run(answer, stop).await.map_err(Failure::of)?;
        Ok(ExitCode::SUCCESS)
    }
}
