//! The Docker Engine on this machine, over its socket.
//!
//! Its API tells which manifests an image has (`manifests`, since 1.48) and gives their statements
//! (`attestations`, since 1.55), if it keeps images in containerd's store, which keeps indexes. What
//! it says is its own word: who can answer on its socket is root here. Never asked by the webhook.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{LocalImage, LocalPlatform};
use crate::{
    attest::{
        buildkit::{BadEmbedded, EmbeddedStatement},
        oci::{Descriptor, Platform},
        sources::INDEX,
    },
    name::{Digest, ImageRef, escape},
    source::transport::choose_cryptography,
    verify::Rejection,
};

/// A Docker Engine.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    socket: String,
}

/// Why the Engine does not tell.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// `DOCKER_HOST` is something else than a socket here.
    #[error("DOCKER_HOST is {0:?}, and only unix:///path is asked; unset it for the default")]
    Host(String),
    /// No client can be made for it.
    #[error("no client can be made for the Docker Engine at {socket}")]
    Client { socket: String, source: reqwest::Error },
    /// Nobody answers there.
    #[error("the Docker Engine at {socket} does not answer; check that it runs and may be read")]
    Unreachable { socket: String, source: reqwest::Error },
    /// A name that no image has.
    #[error("{0:?} is no name of an image")]
    Name(String),
    /// No such image, or not the platform of it.
    #[error("the Docker Engine has no image {0}; pull it, or check the name")]
    NotFound(String),
    /// Older than API 1.55.
    #[error(
        "the Docker Engine is too old to tell (API {API} is needed); save the image and name \
             it as docker-archive:FILE"
    )]
    Old,
    /// The store that keeps no indexes.
    #[error(
        "the Docker Engine keeps images without their index; turn on its containerd image \
             store, and pull again"
    )]
    Store,
    /// An answer of another kind.
    #[error("the Docker Engine answers with HTTP {0}")]
    Status(StatusCode),
    /// Other JSON.
    #[error("the Docker Engine gives an answer that is not its API's")]
    Json(#[source] serde_json::Error),
    /// Too long.
    #[error("the Docker Engine sends more than {0} bytes, which is the limit")]
    TooMuch(usize),
    /// A digest that is none.
    #[error("the Docker Engine says that {0:?} is a digest")]
    Digest(String),
}

impl Engine {
    /// The Engine that `DOCKER_HOST` names, or the one at its usual place.
    ///
    /// # Errors
    /// It is somewhere else than at a socket on this machine.
    pub fn new(docker_host: Option<&str>) -> Result<Self, EngineError> {
        let host = docker_host.filter(|host| !host.is_empty()).unwrap_or(DEFAULT);
        let socket = host
            .strip_prefix("unix://")
            .ok_or_else(|| EngineError::Host(escape(host, SHOWN)))?
            .to_owned();
        choose_cryptography();
        let client = Client::builder()
            .unix_socket(socket.as_str())
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|source| EngineError::Client { socket: socket.clone(), source })?;
        Ok(Self { client, socket })
    }

    /// What the image is, and what its index says of each of its platforms that is here.
    ///
    /// # Errors
    /// [`EngineError`]: it has none, or cannot tell.
    pub async fn inspect(&self, name: &str) -> Result<LocalImage, EngineError> {
        if name.parse::<ImageRef>().is_err() && name.parse::<Digest>().is_err() {
            return Err(EngineError::Name(escape(name, SHOWN)));
        }
        let image: Image = self.get(name, "json", &[("manifests", "true")]).await?;
        let descriptor = image.descriptor.ok_or(EngineError::Store)?;
        let (digest, media_type) = (descriptor.digest, descriptor.media_type);
        let mut platforms = Vec::new();
        let manifests = image.manifests.unwrap_or_default();
        for part in manifests.iter().filter(|part| part.kind == "image" && part.available) {
            let manifest = part.descriptor.digest;
            let mut one = LocalPlatform {
                // A single manifest is no index, so nothing there says for whom it is.
                platform: part.platform().filter(|_| manifest != digest),
                manifest,
                statements: Vec::new(),
                rejected: Vec::new(),
                candidates: Vec::new(),
                unreadable: Vec::new(),
                in_index: manifest != digest,
            };
            if manifests.iter().any(|other| other.is_about(manifest)) {
                self.attestations(name, part.platform(), &mut one).await?;
            }
            platforms.push(one);
        }
        if platforms.is_empty() {
            return Err(EngineError::NotFound(escape(name, SHOWN)));
        }
        Ok(LocalImage { digest, media_type, platforms })
    }

    async fn attestations(
        &self,
        name: &str,
        platform: Option<Platform>,
        about: &mut LocalPlatform,
    ) -> Result<(), EngineError> {
        let platform = serde_json::to_string(&platform.unwrap_or_default());
        let platform = platform.map_err(EngineError::Json)?;
        let query = [("statement", "true"), ("platform", platform.as_str())];
        let found: Vec<Attestation> = self.get(name, "attestations", &query).await?;
        for Attestation { descriptor, statement } in found {
            let text = statement.as_deref().map_or("", RawValue::get);
            match EmbeddedStatement::read(descriptor.digest, text.as_bytes(), about.manifest) {
                Ok(statement) => about.statements.push(statement),
                Err(BadEmbedded { code, detail }) => {
                    let name = descriptor.digest.to_string();
                    about.rejected.push(Rejection::new(INDEX, name, "in-toto", code, &detail));
                }
            }
        }
        Ok(())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &str,
        query: &[(&str, &str)],
    ) -> Result<T, EngineError> {
        let path = format!("http://docker/v{API}/images/{name}/{what}");
        let url = Url::parse_with_params(&path, query)
            .map_err(|_| EngineError::Name(escape(name, SHOWN)))?;
        let lost = |source| EngineError::Unreachable { socket: self.socket.clone(), source };
        let mut response = self.client.get(url).send().await.map_err(lost)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(EngineError::NotFound(escape(name, SHOWN))),
            StatusCode::BAD_REQUEST => return Err(EngineError::Old),
            StatusCode::NOT_IMPLEMENTED => return Err(EngineError::Store),
            status => return Err(EngineError::Status(status)),
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(lost)? {
            if body.len() + part.len() > LARGEST {
                return Err(EngineError::TooMuch(LARGEST));
            }
            body.extend_from_slice(&part);
        }
        serde_json::from_slice(&body).map_err(EngineError::Json)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    /// Absent where the store keeps no manifests.
    descriptor: Option<Descriptor>,
    manifests: Option<Vec<Part>>,
}

/// One manifest of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    descriptor: Descriptor,
    available: bool,
    kind: String,
    image_data: Option<ImageData>,
    attestation_data: Option<AttestationData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageData {
    platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttestationData {
    r#for: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attestation {
    descriptor: Descriptor,
    statement: Option<Box<RawValue>>,
}

impl Part {
    fn platform(&self) -> Option<Platform> {
        self.image_data.as_ref()?.platform.clone()
    }

    fn is_about(&self, manifest: Digest) -> bool {
        self.attestation_data.as_ref().is_some_and(|data| data.r#for == manifest)
    }
}

const DEFAULT: &str = "unix:///var/run/docker.sock";

/// The first version of the API that gives statements.
const API: &str = "1.55";

/// Bytes of one answer; statements of one platform are at most 32 MiB elsewhere.
const LARGEST: usize = 48 * 1024 * 1024;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of outside text an error quotes.
const SHOWN: usize = 200;
