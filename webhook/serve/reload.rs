//! Certificates that change under way.
//!
//! Contents are compared, not times or events: a mounted Secret changes by a symbolic link two
//! folders up, which a watch on the file does not see.

use std::{sync::Arc, time::Duration};

use axum_server::tls_rustls::RustlsConfig;
use tokio::time::MissedTickBehavior;

use super::{
    metrics::Metrics,
    tls::{Contents, TlsFiles},
};

/// Takes what the files hold into `listener` whenever it changes and fits together; until then the
/// last that did stays in force (P16). Never returns.
pub(super) async fn follow(
    files: TlsFiles,
    mut last: Option<Contents>,
    listener: RustlsConfig,
    metrics: Arc<Metrics>,
) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A file that is missing for a moment is one that is being exchanged.
        let Ok(contents) = files.contents() else { continue };
        if last.as_ref() == Some(&contents) {
            continue;
        }
        match files.tls(&contents) {
            Ok(tls) => {
                listener.reload_from_config(tls.config);
                metrics.certificate_ends(tls.expires);
                metrics.certificate_reloaded(true);
                tracing::info!(file = %files.certificate.display(), "certificate read again");
            }
            Err(error) => {
                metrics.certificate_reloaded(false);
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "certificate not taken; the last one stays in force");
            }
        }
        last = Some(contents);
    }
}

/// How often the files are read: they are small.
const PERIOD: Duration = Duration::from_millis(500);
