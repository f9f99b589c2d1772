//! Blobs: measured and hashed.

use bytes::Bytes;
use http::StatusCode;
use tracing::debug;

use super::{
    Registries,
    host::{Host, under},
    manifest::share,
    session::Action,
};
use crate::{
    attest::oci::{Descriptor, DescriptorError},
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, Nonsense, Wanted},
        transport::{Cap, Request},
    },
};

impl Registries {
    /// The bytes that a descriptor of a manifest of `repository` means, at most `cap` of them.
    ///
    /// Success proves that they have its size and digest. They come from its `data`, if it has any,
    /// else from a mirror or the registry; never from its `urls`.
    ///
    /// # Errors
    /// If they are too many, others, or could not be had.
    pub async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        cap: u64,
        deadline: Deadline,
    ) -> Result<Bytes, FetchError> {
        let host = self.enter(repository)?;
        if descriptor.size > cap {
            let (peer, limit) = (host.peer(), cap);
            return Err(FetchError::TooMuch { peer, limit, what: "bytes of a blob" });
        }
        let embedded = descriptor.embedded().map_err(|error| FetchError::Invalid {
            peer: host.peer(),
            what: Nonsense::Descriptor(error),
        })?;
        if let Some(bytes) = embedded {
            return Ok(bytes);
        }
        for mirrored in host.mirrors.iter().filter_map(|at| under(at, repository.path())) {
            let Some(mirror) = self.host(mirrored.host()) else { continue };
            match self.blob_at(&mirror, &mirrored, descriptor, share(deadline)).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => debug!(host = mirrored.host(), code = %error.code(), "mirror"),
            }
        }
        self.blob_at(&host, repository, descriptor, deadline).await
    }

    /// The bytes of a digest whose size nobody told, at most `cap` of them, from the registry
    /// itself.
    ///
    /// # Errors
    /// If they are too many, others, or could not be had.
    pub async fn blob_of(
        &self,
        repository: &Repository,
        digest: Digest,
        cap: u64,
        deadline: Deadline,
    ) -> Result<Bytes, FetchError> {
        let host = self.enter(repository)?;
        let (bytes, request) = self.download(&host, repository, digest, cap, deadline).await?;
        if digest.covers(&bytes) {
            return Ok(bytes);
        }
        Err(request.invalid(Nonsense::Descriptor(DescriptorError::Digest(digest))))
    }

    /// The blob from this very host.
    pub(super) async fn blob_at(
        &self,
        host: &Host,
        repository: &Repository,
        descriptor: &Descriptor,
        deadline: Deadline,
    ) -> Result<Bytes, FetchError> {
        let Descriptor { digest, size, .. } = *descriptor;
        let (bytes, request) = self.download(host, repository, digest, size, deadline).await?;
        match descriptor.check(&bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(request.invalid(Nonsense::Descriptor(error))),
        }
    }

    /// What the host has under the digest, unchecked, and the request that got it.
    async fn download(
        &self,
        host: &Host,
        repository: &Repository,
        digest: Digest,
        cap: u64,
        deadline: Deadline,
    ) -> Result<(Bytes, Request), FetchError> {
        let name = digest.to_string();
        let mut request = Request::get(host.peer(), host.url(repository, &["blobs", &name]));
        request.cap = Cap { bytes: cap, what: "bytes of a blob" };
        let response = self.ask(host, repository, Action::Pull, request.clone(), deadline).await?;
        match response.status {
            StatusCode::OK => Ok((response.body, request)),
            StatusCode::NOT_FOUND => {
                let what = Wanted::Blob(digest);
                Err(FetchError::NotFound { peer: host.peer(), what })
            }
            status => Err(request.invalid(Nonsense::Status(status))),
        }
    }
}
