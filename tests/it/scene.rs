//! A registry, a store, keys and a gate from a real configuration file, in process.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign::{
    admission::{Change, Gate, Phase, Platforms, Review},
    config::{Config, Purpose},
    policy::{INPUT_SCHEMA, Input},
    source::Deadline,
};
use countersign_kit::{
    Content, Grafeas, Key, Registry, artifact, attestation_pgp, keyring_armored, review,
    simple_signing,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::schema::problems;

/// The project and note of the scene's authority `builder`.
pub const NOTE: &str = "projects/build/notes/built";

/// What a gate stands between.
pub struct Scene {
    pub registry: Registry,
    pub grafeas: Grafeas,
    pub builder: Key,
    gate: Arc<Gate>,
}

/// What the gate said.
#[derive(Debug)]
pub struct Said {
    pub allowed: bool,
    pub message: String,
    pub whole: Value,
}

impl Scene {
    /// A scene with the policy `attested` by `builder`, enforced everywhere.
    pub fn new() -> Self {
        Self::with("", ATTESTED)
    }

    /// A scene with more of a configuration: `extra` top-level keys, and these policies.
    pub fn with(extra: &str, policies: &str) -> Self {
        Self::with_host(|_| extra.to_owned(), policies)
    }

    /// A scene with one more authority, `qa`, that has these keys and attests any metadata.
    pub fn with_metadata(keys: &[&Key], policies: &str) -> Self {
        let qa = "  - {name: qa, keys: [{openpgp: qa.asc}], attests: [\"metadata/*\"]}";
        Self::set("", qa, &[("qa.asc", &keyring_armored(keys))], |_| String::new(), policies)
    }

    /// A scene with one more authority, and the files that it names.
    pub fn with_authority(authority: &str, files: &[(&str, &str)], policies: &str) -> Self {
        Self::set("", authority, files, |_| String::new(), policies)
    }

    /// A scene whose authority `builder` has more members than its key and note.
    pub fn with_builder(members: &str, policies: &str) -> Self {
        Self::set(members, "", &[], |_| String::new(), policies)
    }

    /// The same, where the extra keys name the registry's host.
    pub fn with_host(extra: impl FnOnce(&str) -> String, policies: &str) -> Self {
        Self::set("", "", &[], extra, policies)
    }

    fn set(
        members: &str,
        authorities: &str,
        files: &[(&str, &str)],
        extra: impl FnOnce(&str) -> String,
        policies: &str,
    ) -> Self {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let (registry, grafeas) = (Registry::start(), Grafeas::start());
        grafeas.put_project("projects/build");
        grafeas.put_note(NOTE);
        let (builder, folder) =
            (Key::generate("Builder <builder@acme.example>"), TempDir::new().unwrap());
        write(folder.path(), "builder.asc", &builder.certificate_armored());
        for (name, text) in files {
            write(folder.path(), name, text);
        }
        let extra = extra(&registry.host());
        let unmatched = if extra.contains("unmatched:") { "" } else { "unmatched: deny" };
        let text = format!(
            r#"registries:
  allow: ["{host}/**"]
  hosts: [{{host: "{host}", plainHttp: true}}]
stores: [{{name: grafeas, url: "{store}", api: v1beta1, project: projects/build, records: ["projects/build/notes/*"]}}]
authorities:
  - {{name: builder, keys: [{{openpgp: builder.asc}}], note: {NOTE}{members}}}
{authorities}
{unmatched}
{extra}
policies:
{policies}
"#,
            host = registry.host(),
            store = grafeas.url(),
        );
        write(folder.path(), "countersign.yaml", &text);
        let file = folder.path().join("countersign.yaml");
        let gate = match Config::load(&file, Purpose::Inspect) {
            Ok(loaded) => loaded.gate,
            Err(errors) => panic!("{errors}\n{text}"),
        };
        Self { registry, grafeas, builder, gate }
    }

    /// What judges.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// A reference into the scene's registry.
    pub fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.registry.host())
    }

    /// Puts the builder's attestation of an image into the store, for `acme/shop`.
    pub fn attest(&self, content: &Content) {
        self.attest_by(&self.builder, content);
    }

    /// Puts an attestation by any key into the store.
    pub fn attest_by(&self, key: &Key, content: &Content) {
        let repository = self.image("acme/shop");
        let payload = simple_signing(&repository, &content.digest());
        let message = key.sign_message_armored(&payload);
        let uri = format!("https://{repository}@{}", content.digest());
        let occurrence = attestation_pgp(&uri, NOTE, &message, &key.fingerprint());
        self.grafeas.put("projects/build", occurrence);
    }

    /// Puts a detached signature of an image ID into the store for `acme/shop`, as ocibuilder made
    /// them.
    pub fn attest_id_by(&self, key: &Key, image_id: &str) {
        self.attest_id_in("acme/shop", key, image_id);
    }

    /// The same for another repository.
    pub fn attest_id_in(&self, repository: &str, key: &Key, image_id: &str) {
        let signature = key.signing().text().armored_as_signature().detached(image_id.as_bytes());
        let signature = String::from_utf8(signature).unwrap();
        let uri = format!("https://{}@{image_id}", self.image(repository));
        let mut occurrence = attestation_pgp(&uri, NOTE, &signature, &key.fingerprint());
        let signed = occurrence.pointer_mut("/attestation/attestation/pgpSignedAttestation");
        signed.unwrap().as_object_mut().unwrap().remove("contentType");
        self.grafeas.put("projects/build", occurrence);
    }

    /// Attaches an attestation by any key to an image in `acme/shop`.
    pub fn attach_by(&self, key: &Key, content: &Content) {
        let payload = simple_signing(&self.image("acme/shop"), &content.digest());
        let layer = "application/vnd.countersign.simple-signing.v1+pgp";
        let referrer = artifact("application/vnd.countersign.attestation.v1")
            .subject(content)
            .inline(layer, key.sign_message(&payload))
            .build();
        self.registry.attach("acme/shop", &referrer);
    }

    /// What the rules get to see of an image.
    pub async fn input(&self, image: &str) -> Value {
        input(&self.gate, image).await
    }

    /// Asks about a Pod of these images.
    pub async fn ask(&self, phase: Phase, images: &[&str]) -> Said {
        self.review(phase, &review(images).build()).await
    }

    /// Asks about a review.
    pub async fn review(&self, phase: Phase, review: &Value) -> Said {
        self.review_within(Duration::from_secs(5), phase, review).await
    }

    /// Asks about a review that has only so much time.
    pub async fn review_within(&self, time: Duration, phase: Phase, review: &Value) -> Said {
        let body = Bytes::from(review.to_string());
        let deadline = Deadline::after(time);
        let reply = self.gate.review(phase, body, deadline).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let whole: Value = serde_json::from_slice(&reply.body).unwrap();
        let response = &whole["response"];
        Said {
            allowed: response["allowed"].as_bool().unwrap(),
            message: response["status"]["message"].as_str().unwrap_or_default().to_owned(),
            whole,
        }
    }
}

/// What the rules of a gate get to see of an image.
pub async fn input(gate: &Arc<Gate>, image: &str) -> Value {
    let body = review(&[image]).build().to_string();
    let review = Review::parse(body.as_bytes()).unwrap();
    let Ok(Change::Images(images)) = review.change(1) else { panic!("no image in {body}") };
    let deadline = Deadline::after(Duration::from_secs(30));
    let looked = gate.inspect(Phase::Validate, &review, images, deadline).await.unwrap();
    for subject in &looked.subjects {
        if let Err(obstacle) = &subject.known {
            panic!("{image}: {obstacle:?}");
        }
    }
    let found = looked.subjects.iter().zip(&looked.judgement.entries);
    let parts: Vec<_> = found
        .flat_map(|(subject, entries)| entries.iter().map(move |entry| (subject, entry)))
        .filter_map(|(subject, entry)| entry.part(subject, Platforms::default()).unwrap())
        .collect();
    let input = serde_json::to_value(Input::new(&looked.request, &parts).unwrap()).unwrap();
    let problems = problems(INPUT_SCHEMA, "input", &input);
    assert!(problems.is_empty(), "{problems:#?} in {input:#}");
    input
}

impl Said {
    /// The status code of a denial.
    pub fn code(&self) -> u64 {
        self.whole["response"]["status"]["code"].as_u64().unwrap_or_default()
    }

    /// An audit annotation.
    pub fn audit(&self, key: &str) -> &str {
        self.whole["response"]["auditAnnotations"][key].as_str().unwrap_or_default()
    }

    /// What the patch, if there is one, puts in place of images.
    pub fn pins(&self) -> Vec<String> {
        let Some(patch) = self.whole["response"]["patch"].as_str() else { return Vec::new() };
        let patch = countersign_kit::base64_decode(patch).unwrap();
        let operations: Vec<Value> = serde_json::from_slice(&patch).unwrap();
        let replaced = operations.iter().filter(|operation| operation["op"] == "replace");
        replaced.map(|operation| operation["value"].as_str().unwrap().to_owned()).collect()
    }
}

/// The least policy: attested by the builder.
pub const ATTESTED: &str = "  - {name: attested, match: {}, mode: enforce, rules: [{use: attested, parameters: {authorities: [builder]}}]}";

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}
