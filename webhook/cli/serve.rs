//! `countersign serve`: the webhook.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use crate::{
    config::Watch,
    serve::{Metrics, Server, Stop},
};

use super::Failure;

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
        // Huge pages would fill a small container with memory that nobody uses. It is a favor:
        // where the kernel has none, there are none.
        let _done = rustix::thread::disable_transparent_huge_pages(true);
        let (config, watch) =
            Watch::start(&self.config).map_err(|errors| super::config::refused(&errors))?;
        let options = config.serve.ok_or_else(|| Failure::usage("it says nowhere to listen"))?;
        let metrics = Arc::new(Metrics::new());
        let server = Server::bind(options, Arc::clone(&metrics)).await.map_err(Failure::of)?;
        let (admission, probes) = (server.admission_address(), server.probes_address());
        let stop =
            Stop::signal().map_err(|error| Failure::failed("cannot listen for signals", error))?;
        if let (Ok(admission), Ok(probes)) = (admission, probes) {
            let [admission, probes] = [format!("https://{admission}"), format!("http://{probes}")];
            tracing::info!(admission, probes, "ready");
        }
        let (gate, in_force) = (watch.gate(), watch.gate());
        let revision = move || in_force.load().revision().to_owned();
        let answer = move |phase, body, deadline| {
            let gate = gate.load_full();
            async move { gate.review(phase, body, deadline).await }
        };
        tokio::select! {
            ended = server.run(answer, revision, stop) => ended.map_err(Failure::of)?,
            // Without a look at its files a revocation would not be seen: rather start anew.
            () = watch.follow(metrics) => {
                return Err(Failure::fault("the watch over the configuration has ended"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
