//! The reload: a changed configuration takes the place of the last one, whole or not at all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{task::spawn_blocking, time::MissedTickBehavior};

use super::{
    Config, ConfigErrors, Purpose,
    document::Document,
    files::Files,
    loaded::{Attempt, attempt},
};
use crate::{admission::Gate, serve::Metrics, source::KnownLayers};

/// Looks after the files of a configuration that is in force.
///
/// A file that changes (a key, a rule, the configuration itself) is in force within a second on
/// every replica (P16). What does not load leaves the last good configuration in force, whole, and
/// is told in the log and by a metric. Where the server listens, and how much it takes in, changes
/// at the next start only; the log says so.
pub struct Watch {
    path: PathBuf,
    gate: Arc<ArcSwap<Gate>>,
    files: Files,
    /// What was in force when the server started and cannot be changed under way.
    fixed: Vec<String>,
    revision: String,
    /// What layers unpack to, which no change of the configuration changes.
    layers: KnownLayers,
}

impl Watch {
    /// Loads the configuration in `path` to serve by it, and is ready to look after it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn start(path: &Path) -> Result<(Config, Self), ConfigErrors> {
        let layers = KnownLayers::default();
        let Attempt { outcome, files } = attempt(path, Purpose::Serve, layers.clone());
        let config = outcome?;
        let gate = Arc::new(ArcSwap::new(Arc::clone(&config.gate)));
        let (fixed, revision) = (fixed(&config.document), config.revision.clone());
        Ok((config, Self { path: path.to_owned(), gate, files, fixed, revision, layers }))
    }

    /// Where the gate in force is always found.
    pub fn gate(&self) -> Arc<ArcSwap<Gate>> {
        Arc::clone(&self.gate)
    }

    /// Looks at the files again and again. Never returns.
    pub async fn follow(mut self, metrics: Arc<Metrics>) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Files and rules take their time, which is not the async threads'.
            let metrics = Arc::clone(&metrics);
            let looked = spawn_blocking(move || {
                self.look(&metrics);
                self
            });
            match looked.await {
                Ok(watch) => self = watch,
                // Only a panic, which has been reported, or the end of the program.
                Err(_) => return,
            }
        }
    }

    /// Takes in what has changed, if anything has and it loads.
    fn look(&mut self, metrics: &Metrics) {
        if !self.files.changed() {
            return;
        }
        let Attempt { outcome, files } = attempt(&self.path, Purpose::Inspect, self.layers.clone());
        // Also after a failure: what must change before the next attempt is what was read now.
        self.files = files;
        let file = self.path.display();
        match outcome {
            Ok(config) => {
                if fixed(&config.document) != self.fixed {
                    tracing::warn!(%file, "what has changed about listening needs a restart");
                }
                if config.revision != self.revision {
                    let (was, revision) = (&self.revision, &config.revision);
                    tracing::info!(%file, %was, %revision, "configuration in force");
                }
                self.gate.store(config.gate);
                self.revision = config.revision;
            }
            Err(errors) => {
                let revision = &self.revision;
                tracing::warn!(%file, %revision, %errors, "configuration not taken; the last one stays in force");
                metrics.configuration_reloaded(false);
                return;
            }
        }
        metrics.configuration_reloaded(true);
    }
}

/// What a server takes from its configuration once.
fn fixed(document: &Document) -> Vec<String> {
    let Document { listen, tls, deadline, limits, .. } = document;
    let tls = tls.as_ref().map(|tls| &tls.value);
    let text = |at: Option<&super::At<String>>| at.map(|at| at.value.clone());
    let texts = [
        text(listen.admission.as_ref()),
        text(listen.probes.as_ref()),
        text(tls.map(|tls| &tls.certificate)),
        text(tls.map(|tls| &tls.key)),
        text(tls.and_then(|tls| tls.client_ca.as_ref())),
        deadline.as_ref().map(|span| span.to_string()),
        limits.body.as_ref().map(|size| size.0.to_string()),
        limits.connections.as_ref().map(|number| number.value.to_string()),
    ];
    texts.into_iter().map(Option::unwrap_or_default).collect()
}

/// How often the files are looked at: with the time to load them, less than a second.
const PERIOD: Duration = Duration::from_millis(500);
