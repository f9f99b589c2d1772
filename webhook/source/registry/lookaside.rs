//! Simple signatures beside an image: podman's lookaside, or the registry's own extension.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::{
    Registries,
    host::Host,
    session::{Action, admitted},
};
use crate::{
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, Presented, ProtocolError},
        transport::{Cap, Request, Response},
    },
};

impl Registries {
    /// The signature blobs that podman and skopeo keep for a manifest, in their order.
    ///
    /// From the registry itself where it announces `X-Registry-Supports-Signatures`, else from the
    /// lookaside that is configured for it, if one is. Nothing is known about the blobs but their
    /// size.
    ///
    /// # Errors
    /// If the list could not be had in whole.
    pub async fn signatures(
        &self,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<Vec<Bytes>, FetchError> {
        let host = self.enter(repository)?;
        let elsewhere = async {
            match &host.lookaside {
                Some(base) => self.lookaside(&host, base, repository, digest, deadline).await,
                None => Ok(Vec::new()),
            }
        };
        match self.extensions.get(&host.name).await {
            Some(true) => {}
            Some(false) => return elsewhere.await,
            // Most registries have no such extension, and nobody waits for them to say so.
            None => {
                let announces = self.announces(&host, repository, deadline);
                let (announced, found) = tokio::join!(announces, elsewhere);
                if !announced? {
                    return found;
                }
            }
        }
        self.extension(&host, repository, digest, deadline).await
    }

    /// Remembers whether a registry announces the extension.
    pub(super) async fn announce(&self, host: &Host, response: &Response) {
        let announced = response.header(ANNOUNCED) == Some("1");
        if announced && self.extensions.get(&host.name).await != Some(true) {
            self.extensions.insert(Arc::clone(&host.name), true).await;
        }
    }

    async fn announces(
        &self,
        host: &Host,
        repository: &Repository,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let mut url = host.origin.clone();
        url.set_path("/v2/");
        let request = Request::get(host.peer(), url);
        let response = match self.ask(host, repository, Action::Pull, request, deadline).await {
            Ok(response) => response,
            // Who may read one repository may perhaps not see the registry's front page.
            Err(FetchError::Unauthorized { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let announced = response.header(ANNOUNCED) == Some("1");
        self.extensions.insert(Arc::clone(&host.name), announced).await;
        Ok(announced)
    }

    async fn extension(
        &self,
        host: &Host,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<Vec<Bytes>, FetchError> {
        let mut url = host.origin.clone();
        url.set_path(&format!("/extensions/v2/{}/signatures/{digest}", repository.path()));
        let mut request = Request::get(host.peer(), url);
        request.cap = SIGNATURES;
        let response = self.ask(host, repository, Action::Pull, request.clone(), deadline).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            status => return Err(request.invalid(ProtocolError::Status(status))),
        }
        let list: List = serde_json::from_slice(&response.body)
            .map_err(|error| request.invalid(ProtocolError::Json(Arc::new(error))))?;
        let ours =
            list.signatures.into_iter().filter(|one| one.schema == 2 && one.kind == "atomic");
        let mut found = Vec::new();
        for signature in ours {
            let content = STANDARD.decode(&signature.content).map_err(|_| {
                request.invalid(ProtocolError::Other("a signature that is not base64"))
            })?;
            found.push(content.into());
        }
        within_count(host, found)
    }

    async fn lookaside(
        &self,
        host: &Host,
        base: &Url,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<Vec<Bytes>, FetchError> {
        let mut found: Vec<Bytes> = Vec::new();
        let mut left = SIGNATURES.bytes;
        loop {
            let url = place(base, repository, digest, found.len() + 1);
            let mut request = Request::get(host.peer(), url);
            request.cap = SIGNATURES;
            let response = self.transport.send(request.clone(), deadline).await?;
            let response = admitted(host, response, Presented::Nothing)?;
            match response.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Ok(found),
                status => return Err(request.invalid(ProtocolError::Status(status))),
            }
            left = left.checked_sub(response.body.len() as u64).ok_or_else(|| {
                FetchError::TooMuch {
                    peer: host.peer(),
                    limit: SIGNATURES.bytes,
                    what: SIGNATURES.what,
                }
            })?;
            found.push(response.body);
            found = within_count(host, found)?;
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(rename = "schemaVersion")]
    schema: u32,
    #[serde(rename = "type")]
    kind: String,
    content: String,
}

/// `<base>/<path>@sha256=<hex>/signature-<n>`.
fn place(base: &Url, repository: &Repository, digest: Digest, number: usize) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        let image = format!("{}@{}={}", repository.path(), digest.algorithm(), digest.hex());
        path.pop_if_empty().extend(image.split('/')).push(&format!("signature-{number}"));
    }
    url
}

fn within_count(host: &Host, found: Vec<Bytes>) -> Result<Vec<Bytes>, FetchError> {
    if found.len() > COUNT {
        let (peer, limit) = (host.peer(), COUNT as u64);
        return Err(FetchError::TooMuch { peer, limit, what: "signatures of one manifest" });
    }
    Ok(found)
}

const ANNOUNCED: &str = "x-registry-supports-signatures";
const COUNT: usize = 128;
const SIGNATURES: Cap = Cap { bytes: 4 << 20, what: "bytes of signatures" };
