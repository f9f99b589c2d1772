//! Evidence carried along with an image, and taken off it.

mod air_gap;
mod copy;
mod detach;
mod hostile;
mod layout;

use std::{path::Path, sync::Arc, time::Duration};

use countersign::{
    name::Digest,
    source::{
        CarryError, Copied, CopyOptions, Credential, CredentialOptions, CredentialSource, Deadline,
        Destination, Graph, HostOptions, LayoutPlace, Origin, Registries, RegistriesOptions,
        Secret, copy,
    },
};
use serde_json::json;

use countersign_kit::{
    Content, Key, Registry, artifact, image, index, signed_statement, statement,
};

const SBOM: &str = "application/vnd.acme.sbom";
const SIGNATURE: &str = "application/vnd.acme.signature";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// An image for two platforms with everything that people hang on one.
pub struct Shop {
    pub whole: Content,
    pub amd64: Content,
    /// On the platform's manifest.
    pub sbom: Content,
    /// On the bill of materials.
    pub signed_sbom: Content,
    /// On the index.
    pub signature: Content,
    /// Under cosign's tag.
    pub cosign: Content,
}

impl Shop {
    pub fn new() -> Self {
        let amd64 = image("shop").build();
        let arm64 = image("shop").platform("linux/arm64").build();
        let built = statement(PROVENANCE, "shop", &amd64.digest(), json!({}));
        let whole = index([&amd64, &arm64]).attested(&amd64, &[built]).build();
        let sbom = artifact(SBOM).subject(&amd64).layer("text/spdx", "everything").build();
        let signed_sbom = artifact(SIGNATURE).subject(&sbom).layer("text/plain", "mine").build();
        let signature = artifact(SIGNATURE).subject(&whole).layer("text/plain", "too").build();
        let cosign = artifact("application/vnd.oci.image.config.v1+json")
            .typed_by_config()
            .layer(SIMPLE, "{}")
            .build();
        Self { whole, amd64, sbom, signed_sbom, signature, cosign }
    }

    /// Puts everything into a repository, the image under `1.4`.
    pub fn put(&self, registry: &Registry, repository: &str) {
        registry.put_image(repository, "1.4", &self.whole);
        for referrer in [&self.sbom, &self.signed_sbom, &self.signature] {
            registry.attach(repository, referrer);
        }
        registry.put_image(repository, &self.cosign_tag(), &self.cosign);
    }

    pub fn cosign_tag(&self) -> String {
        format!("sha256-{}.sig", self.whole.hex())
    }

    /// All manifests, and what they are called in failures.
    pub fn all(&self) -> Vec<(&'static str, &Content)> {
        let mut all = vec![
            ("index", &self.whole),
            ("bill of materials", &self.sbom),
            ("signature of the bill", &self.signed_sbom),
            ("signature", &self.signature),
            ("cosign's", &self.cosign),
        ];
        all.extend(self.whole.children.iter().map(|child| ("part", child)));
        all
    }
}

/// Clients for these registries.
pub fn client<'a>(registries: impl IntoIterator<Item = &'a Registry>) -> Arc<Registries> {
    let hosts = registries.into_iter().map(plain);
    let options = RegistriesOptions { allow: None, hosts: hosts.collect() };
    Arc::new(Registries::new(options).unwrap())
}

/// A client that shows a password to a registry, and may talk to others.
pub fn client_with(
    registry: &Registry,
    username: &str,
    password: &str,
    others: &[&Registry],
) -> Arc<Registries> {
    let (username, password) = (username.to_owned(), Secret::new(password.to_owned()));
    let source = CredentialSource::Given(Credential::Password { username, password });
    let credentials = vec![CredentialOptions { repositories: Vec::new(), source }];
    let mut hosts = vec![HostOptions { credentials, ..plain(registry) }];
    hosts.extend(others.iter().copied().map(plain));
    Arc::new(Registries::new(RegistriesOptions { allow: None, hosts }).unwrap())
}

fn plain(registry: &Registry) -> HostOptions {
    HostOptions { host: registry.host(), plain_http: true, ..HostOptions::default() }
}

pub fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

pub fn from(client: &Arc<Registries>, registry: &Registry, image: &str) -> Origin {
    let image = format!("{}/{image}", registry.host()).parse().unwrap();
    Origin::Registry { registries: Arc::clone(client), image }
}

pub fn to(client: &Arc<Registries>, registry: &Registry, path: &str, tag: &str) -> Destination {
    let repository = format!("{}/{path}", registry.host()).parse().unwrap();
    Destination::repository(Arc::clone(client), repository, Some(tag.to_owned()))
}

pub fn place(folder: &Path, name: &str) -> LayoutPlace {
    format!("oci:{}:{name}", folder.display()).parse().unwrap()
}

/// Copies an image with all its evidence.
pub async fn carry(origin: &Origin, destination: &Destination) -> Result<Copied, CarryError> {
    carry_only(origin, destination, None).await
}

pub async fn carry_only(
    origin: &Origin,
    destination: &Destination,
    only: Option<&str>,
) -> Result<Copied, CarryError> {
    let options = CopyOptions { only: only.map(str::to_owned), idle: Duration::from_millis(500) };
    let graph = Graph::of(origin, true).await?;
    let observer: countersign::source::Observer = Arc::new(|_| {});
    copy(origin, &graph, destination, &options, &observer).await
}

pub fn digest(content: &Content) -> Digest {
    content.digest().parse().unwrap()
}

/// A DSSE envelope by a key, as a referrer of an image.
pub fn envelope_by(key: &Key, subject: &Content, predicate: &str) -> Content {
    let said = statement(predicate, "shop", &subject.digest(), json!({}));
    artifact("application/vnd.countersign.attestation.v1")
        .subject(subject)
        .annotation("countersign.dev/predicate-type", predicate)
        .layer(ENVELOPE, signed_statement(&said, &[key]).to_string())
        .build()
}
