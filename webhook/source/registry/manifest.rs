//! Manifests: fetched once, hashed here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    StatusCode,
    header::{ACCEPT, HeaderValue},
};
use tracing::debug;

use super::{
    Fetched, Reference, Registries,
    host::{Host, under},
    session::Action,
};
use crate::{
    attest::oci::{Document, DocumentError},
    name::{Digest, Repository},
    source::{
        Deadline, Stage,
        error::{DigestMismatch, FetchError, ProtocolError},
        transport::{Cap, Request},
    },
};

impl Registries {
    /// The manifest or index under a tag or digest.
    ///
    /// Success proves that `bytes` hash to `digest`, and to the one that was asked for, if one was;
    /// what the registry says about its digest is not read. By digest, mirrors are asked first, each
    /// for a third of the time that is left at most; what they cannot give comes from the registry.
    ///
    /// # Errors
    /// If there is none, or none could be had.
    pub async fn manifest(
        &self,
        repository: &Repository,
        at: Reference<'_>,
        deadline: Deadline,
    ) -> Result<Fetched, FetchError> {
        let host = self.enter(repository)?;
        if let Reference::Digest(_) = at {
            for mirrored in host.mirrors.iter().filter_map(|at| under(at, repository.path())) {
                let Some(mirror) = self.host(mirrored.host()) else { continue };
                let soon = share(deadline);
                match self.manifest_at(&mirror, &mirrored, Action::Pull, at, soon).await {
                    Ok(fetched) => return Ok(fetched),
                    Err(error) => debug!(host = mirrored.host(), code = %error.code(), "mirror"),
                }
            }
        }
        self.manifest_at(&host, repository, Action::Pull, at, deadline).await
    }

    /// The manifest from this very host.
    pub(super) async fn manifest_at(
        &self,
        host: &Host,
        repository: &Repository,
        action: Action<'_>,
        at: Reference<'_>,
        deadline: Deadline,
    ) -> Result<Fetched, FetchError> {
        self.document_at(host, repository, action, at, Stage::Manifest, deadline).await
    }

    /// A list that is kept as an index under a tag, from this very host.
    pub(super) async fn list_at(
        &self,
        host: &Host,
        repository: &Repository,
        at: Reference<'_>,
        deadline: Deadline,
    ) -> Result<Fetched, FetchError> {
        self.document_at(host, repository, Action::Pull, at, Stage::List, deadline).await
    }

    async fn document_at(
        &self,
        host: &Host,
        repository: &Repository,
        action: Action<'_>,
        at: Reference<'_>,
        stage: Stage,
        deadline: Deadline,
    ) -> Result<Fetched, FetchError> {
        let name = at.to_string();
        let mut request =
            Request::get(host.peer(), host.url(repository, &["manifests", name.as_str()]));
        request.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        request.cap = MANIFEST;
        request.stage = stage;
        let response = self.ask(host, repository, action, request.clone(), deadline).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                return Err(FetchError::NotFound { peer: host.peer(), what: at.wanted() });
            }
            status => return Err(request.invalid(ProtocolError::Status(status))),
        }
        self.announce(host, &response).await;
        let media_type = response.media_type();
        let digest = identify(host, at, &response.body, media_type.as_deref())?;
        let media_type = media_type
            .filter(|given| !VAGUE.contains(&given.as_str()))
            .or_else(|| Document::own_media_type(&response.body))
            .unwrap_or_default();
        Ok(Fetched { digest, media_type, bytes: response.body, peer: host.peer() })
    }
}

impl Fetched {
    /// The bytes read as what they were served as.
    ///
    /// # Errors
    /// [`FetchError::Unsupported`] if they are no manifest or index that is known here.
    pub fn document(&self) -> Result<Document, FetchError> {
        Document::parse(&self.bytes, &self.media_type).map_err(|error| FetchError::Unsupported {
            peer: self.peer.clone(),
            why: Arc::new(error),
        })
    }
}

/// Hashes what came, and tells a page of a proxy from a manifest that was exchanged.
fn identify(
    host: &Host,
    at: Reference<'_>,
    bytes: &Bytes,
    media_type: Option<&str>,
) -> Result<Digest, FetchError> {
    let peer = host.peer();
    if media_type.is_some_and(|given| !given.ends_with("json") && !VAGUE.contains(&given)) {
        if media_type.is_some_and(|given| given.starts_with("application/vnd.docker.distribution"))
        {
            let why = Arc::new(DocumentError::Schema);
            return Err(FetchError::Unsupported { peer, why });
        }
        return Err(FetchError::Invalid { peer, what: ProtocolError::MediaType });
    }
    match at {
        Reference::Tag(_) => Ok(Digest::sha256(bytes)),
        Reference::Digest(wanted) if wanted.covers(bytes) => Ok(wanted),
        Reference::Digest(wanted) => {
            let found = wanted.of_same_kind(bytes);
            Err(FetchError::OtherDigest {
                peer,
                digests: Box::new(DigestMismatch { wanted, found }),
            })
        }
    }
}

/// A mirror's part of the time, so that one that hangs leaves enough for the registry.
pub(super) fn share(deadline: Deadline) -> Deadline {
    Deadline::after((deadline.remaining() / 3).min(MIRROR))
}

const MIRROR: Duration = Duration::from_secs(2);

/// All kinds at once: without the indexes some registries pick a platform, without the OCI types
/// others say that there is none.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What registries promise to keep, and so the most that anybody can rely on.
pub(super) const MANIFEST: Cap = Cap { bytes: 4 << 20, what: "bytes of a manifest" };

/// Content types of servers that know nothing of manifests; the body says what it is.
const VAGUE: [&str; 3] = ["application/json", "application/octet-stream", "text/plain"];
