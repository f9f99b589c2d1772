//! What each form of evidence costs an image that nobody asked about before.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use countersign::{
    admission::Phase,
    config::{Config, Purpose},
    source::Deadline,
};
use countersign_kit::{
    Carrier, Content, Form, Grafeas, NAMED, Registry, Spot, forms, image, review, round_trips,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Outcome, figures::millis};

/// Prints a line for each form, judged in process; every answer of a peer takes [`LATENCY`].
pub fn measure() -> Outcome<()> {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new()?;
    for form in forms("cold") {
        let stage = Stage::new(&form)?;
        let first = image("first").build();
        stage.registry.put(REPOSITORY, &first);
        let asked = form.hang(&form.evidence, &stage.spot(&form.image));
        // Connections to the peers are there in a server that has run for a while.
        runtime.block_on(stage.judge(&first.digest()))?;
        stage.slow_down();
        let started = Instant::now();
        runtime.block_on(stage.judge(&asked))?;
        let took = started.elapsed();
        let requests = [stage.registry.requests(), stage.store.requests()].concat();
        println!(
            "cold, {:<30} {:>3} requests, {} trips of {} ms: {:.0} ms",
            form.name,
            requests.len(),
            round_trips(&requests),
            LATENCY.as_millis(),
            millis(took),
        );
    }
    Ok(())
}

struct Stage {
    registry: Registry,
    store: Grafeas,
    config: Config,
    _folder: TempDir,
}

impl Stage {
    /// One authority, for which the form counts, and a policy that asks for it.
    fn new(form: &Form) -> Outcome<Self> {
        let registry = Registry::options();
        let extension = matches!(form.carrier, Carrier::Extension);
        let registry = if extension { registry.signatures_extension() } else { registry }.start();
        let store = Grafeas::start();
        store.put_project("projects/build");
        store.put_note(NOTE);
        let folder = TempDir::with_prefix("countersign-forms-")?;
        let (kind, key) = form.keys.file();
        fs::write(folder.path().join("key"), key)?;
        let (host, lookaside, attests) = (registry.host(), registry.lookaside(), form.attests);
        let (url, api) = (store.url(), form.carrier.api());
        let lookaside = match form.carrier {
            Carrier::Lookaside | Carrier::Extension => format!(", lookaside: \"{lookaside}\""),
            _ => String::new(),
        };
        let identity = match form.named {
            Some(_) => format!("identities: {{\"{host}/{REPOSITORY}\": \"{NAMED}\"}}"),
            None => "identity: digest".to_owned(),
        };
        let text = format!(
            r#"registries:
  allow: ["{host}/**"]
  hosts: [{{host: "{host}", plainHttp: true{lookaside}}}]
stores: [{{name: grafeas, url: "{url}", api: {api}, project: projects/build}}]
authorities:
  - {{name: tool, keys: [{{{kind}: key}}], note: {NOTE}, attests: [{attests}], {identity}, layersCheckedBy: runtime}}
policies:
  - {{name: tool, match: {{}}, mode: enforce, rules: [{{use: attested, parameters: {{authorities: [tool]}}}}]}}
unmatched: deny
"#
        );
        let file = folder.path().join("countersign.yaml");
        fs::write(&file, text)?;
        let config = Config::load(&file, Purpose::Inspect).map_err(|error| error.to_string())?;
        Ok(Self { registry, store, config, _folder: folder })
    }

    fn spot<'a>(&'a self, image: &'a Content) -> Spot<'a> {
        let (registry, store) = (&self.registry, &self.store);
        Spot { registry, store, repository: REPOSITORY, image, beside: None, note: NOTE }
    }

    fn slow_down(&self) {
        for peer in [&*self.registry, &*self.store] {
            peer.forget();
            peer.latency(LATENCY);
        }
    }

    async fn judge(&self, digest: &str) -> Outcome<()> {
        let image = format!("{}/{REPOSITORY}@{digest}", self.registry.host());
        let body = Bytes::from(review(&[&image]).build().to_string());
        let deadline = Deadline::after(Duration::from_secs(10));
        let reply = self.config.gate.review(Phase::Validate, body, deadline).await;
        if reply.status == 200 { Ok(()) } else { Err("no decision".into()) }
    }
}

const LATENCY: Duration = Duration::from_millis(20);
const REPOSITORY: &str = "acme/shop";
const NOTE: &str = "projects/build/notes/built";
