//! A registry and two stores, one authority, and a gate from a real configuration.

use std::{fs, sync::Arc};

use countersign::{
    admission::Gate,
    config::{Config, Purpose},
};
use countersign_kit::{Carrier, Content, Form, Grafeas, Registry, Spot};
use serde_json::Value;
use tempfile::TempDir;

use crate::scene;

/// The project in both stores, and the authority's note in it.
const PROJECT: &str = "projects/build";
const NOTE: &str = "projects/build/notes/qa";
pub const OTHER_NOTE: &str = "projects/build/notes/other";

/// Where evidence is put, and who judges it.
pub struct Stage {
    pub registry: Registry,
    /// `grafeas`, and another that the same people may write to.
    pub stores: [Grafeas; 2],
    gate: Arc<Gate>,
    _folder: TempDir,
}

impl Stage {
    /// A stage whose authority is one for which `form` counts, but for these.
    pub fn of(form: &Form, attests: &str, sources: Option<&str>) -> Self {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let registry = Registry::options();
        let at_extension = matches!(form.carrier, Carrier::Extension);
        let registry =
            if at_extension { registry.signatures_extension() } else { registry }.start();
        let stores = [Grafeas::start(), Grafeas::start()];
        for store in &stores {
            store.put_project(PROJECT);
            store.put_note(NOTE);
            store.put_note(OTHER_NOTE);
        }
        let folder = TempDir::new().unwrap();
        let (kind, bytes) = form.keys.file();
        fs::write(folder.path().join("key"), bytes).unwrap();
        let (host, lookaside) = (registry.host(), registry.lookaside());
        let identity = match form.named {
            Some(named) => format!(r#"identities: {{"{host}/acme/shop": "{named}"}}"#),
            None => "identity: digest".to_owned(),
        };
        let sources = sources.map(|source| format!(", sources: [{source}]")).unwrap_or_default();
        let [first, second] = &stores;
        let (first, second, api) = (first.url(), second.url(), form.carrier.api());
        let text = format!(
            r#"registries:
  allow: ["{host}/**"]
  hosts: [{{host: "{host}", plainHttp: true, lookaside: "{lookaside}"}}]
stores:
  - {{name: grafeas, url: "{first}", api: {api}, project: {PROJECT}}}
  - {{name: copied, url: "{second}", api: {api}, project: {PROJECT}}}
authorities:
  - {{name: tool, keys: [{{{kind}: key}}], note: {NOTE}, attests: [{attests}], {identity}, layersCheckedBy: runtime{sources}}}
policies:
  - {{name: tool, match: {{}}, mode: enforce, rules: [{{use: attested, parameters: {{authorities: [tool]}}}}]}}
unmatched: deny
"#
        );
        let file = folder.path().join("countersign.yaml");
        fs::write(&file, &text).unwrap();
        let gate = match Config::load(&file, Purpose::Inspect) {
            Ok(loaded) => loaded.gate,
            Err(errors) => panic!("{}: {errors}\n{text}", form.name),
        };
        Self { registry, stores, gate, _folder: folder }
    }

    /// A place in the first store, under the authority's note.
    pub fn spot<'a>(&'a self, repository: &'a str, image: &'a Content) -> Spot<'a> {
        let [store, _] = &self.stores;
        Spot { registry: &self.registry, store, repository, image, beside: None, note: NOTE }
    }

    /// What rules see of an image, an entry for each of its platforms.
    pub async fn sees(&self, repository: &str, digest: &str) -> Vec<Value> {
        let image = format!("{}/{repository}@{digest}", self.registry.host());
        let input = scene::input(&self.gate, &image).await;
        input["images"].as_array().unwrap().clone()
    }
}
