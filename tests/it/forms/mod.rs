//! Evidence of other tools, each form from vectors, through a real registry client: what counts,
//! and that nothing moved, tampered with or of another type does.

mod aside;
mod built;
mod cosign;
mod cost;
mod heavy;
mod moves;
mod notation;
mod podman;
mod stage;
mod twins;
mod vectors;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

use countersign::{
    name::{PinnedImage, Repository},
    source::{
        Answered, Evidence, EvidenceOptions, Gathered, HostOptions, KnownLayers, Lifetimes, Lookup,
        Registries, RegistriesOptions,
    },
    verify::{Authority, IdentityMap, Image, Key, Layers, Rejection, Trust, Verified},
};
use countersign_kit::{Content, Registry};
use jiff::Timestamp;
use serde_json::Value;

use crate::verify_support::{authority, fixture};

/// The image that the vectors of skopeo, cosign and Notation are about.
pub const SIGNED: &str = "sha256:c921711d1448ef5aede65c3657eaafeab8e13cedea9eaf8e33cb1b2e0f9fa65c";

/// A registry, and whom one believes.
pub struct Desk {
    pub registry: Registry,
    pub authorities: Vec<Authority>,
    pub lookaside: bool,
}

/// What is made of an image.
#[derive(Debug, Default)]
pub struct Said {
    pub verified: Vec<Verified>,
    pub rejected: Vec<Rejection>,
    pub records: Vec<Value>,
    pub lookups: BTreeMap<String, String>,
}

impl Desk {
    pub fn new(registry: Registry, authorities: Vec<Authority>) -> Self {
        let _already = rustls::crypto::ring::default_provider().install_default();
        Self { registry, authorities, lookaside: false }
    }

    pub fn repository(&self, path: &str) -> Repository {
        format!("{}/{path}", self.registry.host()).parse().unwrap()
    }

    /// Looks everything up about `path@digest` and judges it.
    pub async fn ask(&self, path: &str, digest: &str) -> Said {
        let image = self.image(path, digest);
        let (trust, evidence) = self.evidence();
        let mut said = Said::default();
        for answered in evidence.named(&image).await {
            said.take(&trust, &image, answered);
        }
        said
    }

    /// Looks everything up about `path@digest` and its platforms.
    pub async fn gather(&self, path: &str, digest: &str) -> Gathered {
        let (_, evidence) = self.evidence();
        evidence.gather(&self.image(path, digest), &[], None).await.unwrap()
    }

    fn image(&self, path: &str, digest: &str) -> PinnedImage {
        PinnedImage { repository: self.repository(path), digest: digest.parse().unwrap() }
    }

    fn evidence(&self) -> (Arc<Trust>, Evidence) {
        let lookaside = self.lookaside.then(|| self.registry.lookaside().parse().unwrap());
        let host = self.registry.host();
        let host = HostOptions { host, plain_http: true, lookaside, ..HostOptions::default() };
        let options = RegistriesOptions { allow: None, hosts: vec![host] };
        let trust = Arc::new(Trust::new(self.authorities.clone()).unwrap());
        let evidence = Evidence::new(EvidenceOptions {
            registries: Arc::new(Registries::new(options).unwrap()),
            stores: Vec::new(),
            trust: Arc::clone(&trust),
            lifetimes: Lifetimes { found: Duration::from_secs(60), none: Duration::from_secs(60) },
            memory: 1 << 20,
            patience: Duration::from_secs(10),
            reads_configs: false,
            reads_statements: true,
            layers: KnownLayers::default(),
        });
        (trust, evidence)
    }
}

impl Said {
    fn take(&mut self, trust: &Trust, image: &PinnedImage, answered: Answered) {
        let lookup = match answered.lookup() {
            Lookup::Found => "found".to_owned(),
            Lookup::None => "none".to_owned(),
            Lookup::Failed(error) => format!("failed:{}", error.code()),
        };
        self.lookups.insert(answered.source.to_string(), lookup);
        let Ok(answer) = answered.outcome else { return };
        self.rejected.extend(answer.unreadable.iter().cloned());
        let records = answer.records.iter();
        self.records.extend(records.map(|(_, record)| serde_json::to_value(record).unwrap()));
        for opened in &answer.opened {
            let image = Image {
                repository: &image.repository,
                digest: image.digest,
                platform: None,
                config: None,
                equals: &[],
                layers: Layers::NotCompared,
            };
            let judged = trust.judge(opened, &image, Timestamp::now());
            self.verified.extend(judged.verified);
            self.rejected.extend(judged.rejected);
        }
    }

    /// Source and type of what counts, sorted.
    pub fn counts(&self) -> Vec<String> {
        let mut counts: Vec<_> = self
            .verified
            .iter()
            .map(|one| format!("{} {}", one.source(), one.predicate_type()))
            .collect();
        counts.sort();
        counts
    }

    /// The codes against the rest, sorted.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.rejected.iter().map(|one| one.code.as_str()).collect();
        codes.sort_unstable();
        codes
    }
}

/// An authority with one key in PEM that attests these types of the image under another name.
pub fn pkix(pem: &[u8], attests: &[&str]) -> Authority {
    let keys = vec![Key::pkix(pem).unwrap()];
    let attests = attests.iter().map(|text| text.parse().unwrap()).collect();
    Authority { attests, ..authority("tool", keys) }
}

/// The signer knew `ours` under the name `theirs`.
pub fn known_as(ours: &Repository, theirs: &str) -> IdentityMap {
    IdentityMap::new(vec![(ours.to_string().parse().unwrap(), theirs.parse().unwrap())]).unwrap()
}

/// Puts everything of an OCI layout among the fixtures into a repository: blobs, manifests, tags.
pub fn put_layout(registry: &Registry, repository: &str, layout: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(layout);
    for blob in fs::read_dir(folder.join("blobs/sha256")).unwrap() {
        registry.put_blob(repository, fs::read(blob.unwrap().path()).unwrap());
    }
    let index: Value = serde_json::from_slice(&fixture(&format!("{layout}/index.json"))).unwrap();
    for entry in index["manifests"].as_array().unwrap() {
        let hex = entry["digest"].as_str().unwrap().replace("sha256:", "");
        let bytes = fixture(&format!("{layout}/blobs/sha256/{hex}"));
        let content = Content::raw(entry["mediaType"].as_str().unwrap(), bytes);
        let digest = registry.put(repository, &content);
        if let Some(tag) = entry["annotations"]["org.opencontainers.image.ref.name"].as_str() {
            registry.tag(repository, tag, &[&digest]);
        }
    }
}
