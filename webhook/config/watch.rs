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
    clients::Clients,
    document::Document,
    files::Files,
    loaded::{Attempt, Earlier, attempt},
};
use crate::{
    admission::Gate,
    serve::{Longest, Metrics},
    source::KnownLayers,
};

/// Looks after the files of a configuration that is in force.
///
/// A file that changes (a key, a rule, the configuration itself) is in force within a second on
/// every replica (P16). What does not load leaves the last good configuration in force, whole, and
/// is told in the log and by a metric. What has been fetched is kept, unless it is another server
/// that is asked now, or in another way. Where the server listens, and how much it takes in, changes
/// at the next start only; the log says so.
pub struct Watch {
    path: PathBuf,
    gate: Arc<ArcSwap<Gate>>,
    clients: Clients,
    files: Files,
    /// What was in force when the server started and cannot be changed under way.
    fixed: Vec<Fixed>,
    /// What can.
    longest: Option<Longest>,
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
        let Attempt { outcome, files } = attempt(path, Purpose::Serve, layers.clone(), None);
        let config = outcome?;
        let gate = Arc::new(ArcSwap::new(Arc::clone(&config.gate)));
        let (fixed, revision) = (fixed(&config.document), config.revision.clone());
        let longest = config.serve.as_ref().map(|serve| serve.deadline.clone());
        let (path, clients) = (path.to_owned(), config.clients.clone());
        Ok((config, Self { path, gate, clients, files, fixed, longest, revision, layers }))
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
        let last = self.gate.load_full();
        let earlier = Some(Earlier { clients: &self.clients, gate: &last });
        let Attempt { outcome, files } =
            attempt(&self.path, Purpose::Inspect, self.layers.clone(), earlier);
        // Also after a failure: what must change before the next attempt is what was read now.
        self.files = files;
        let file = self.path.display();
        match outcome {
            Ok(config) => {
                let keys = differing(&self.fixed, &fixed(&config.document));
                if !keys.is_empty() {
                    let keys = keys.join(", ");
                    tracing::warn!(%file, %keys, "these keys differ from what was started with, which stays in force until a restart");
                }
                if config.revision != self.revision {
                    let (was, revision) = (&self.revision, &config.revision);
                    tracing::info!(%file, %was, %revision, "configuration in force");
                }
                if let Some(longest) = &self.longest {
                    longest.set(config.gate.deadline());
                }
                self.gate.store(config.gate);
                self.clients = config.clients;
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
fn fixed(document: &Document) -> Vec<Fixed> {
    let Document { listen, tls, limits, .. } = document;
    let tls = tls.as_ref().map(|tls| &tls.value);
    let text = |at: Option<&super::At<String>>| at.map(|at| at.value.clone());
    vec![
        ("listen.admission", text(listen.admission.as_ref())),
        ("listen.probes", text(listen.probes.as_ref())),
        ("tls.certificate", text(tls.map(|tls| &tls.certificate))),
        ("tls.key", text(tls.map(|tls| &tls.key))),
        ("tls.clientCa", text(tls.and_then(|tls| tls.client_ca.as_ref()))),
        ("limits.body", limits.body.as_ref().map(|size| size.0.to_string())),
        ("limits.connections", limits.connections.as_ref().map(|most| most.value.to_string())),
    ]
}

/// The keys that are not what they were.
fn differing(was: &[Fixed], now: &[Fixed]) -> Vec<&'static str> {
    let pairs = was.iter().zip(now);
    pairs.filter(|(was, now)| was != now).map(|((key, _), _)| *key).collect()
}

/// A key and what it said.
type Fixed = (&'static str, Option<String>);

/// How often the files are looked at: with the time to load them, less than a second.
const PERIOD: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;

    #[test]
    fn what_needs_a_restart_is_named() {
        let base = "tls: {certificate: a, key: b}\nunmatched: deny\n";
        let started = fixed(&parse(Path::new("c.yaml"), base).unwrap());
        for (name, text, want) in [
            ("nothing", base.to_owned(), vec![]),
            ("a deadline", format!("{base}deadline: 2s\n"), vec![]),
            ("images", format!("{base}limits: {{images: 5}}\n"), vec![]),
            (
                "listeners",
                format!("{base}listen: {{admission: \"0.0.0.0:1\", probes: \"0.0.0.0:2\"}}\n"),
                vec!["listen.admission", "listen.probes"],
            ),
            (
                "files",
                base.replace("a, key: b", "c, key: d, clientCa: e"),
                vec!["tls.certificate", "tls.key", "tls.clientCa"],
            ),
            (
                "limits",
                format!("{base}limits: {{body: 1MiB, connections: 5}}\n"),
                vec!["limits.body", "limits.connections"],
            ),
        ] {
            let now = fixed(&parse(Path::new("c.yaml"), &text).unwrap());
            assert_eq!(differing(&started, &now), want, "{name}");
        }
    }
}
