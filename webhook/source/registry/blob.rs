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
    attest::oci::Descriptor,
    name::Repository,
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

    /// The blob from this very host.
    pub(super) async fn blob_at(
        &self,
        host: &Host,
        repository: &Repository,
        descriptor: &Descriptor,
        deadline: Deadline,
    ) -> Result<Bytes, FetchError> {
        let name = descriptor.digest.to_string();
        let mut request = Request::get(host.peer(), host.url(repository, &["blobs", &name]));
        request.cap = Cap { bytes: descriptor.size, what: "bytes of a blob" };
        let response = self.ask(host, repository, Action::Pull, request.clone(), deadline).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                let what = Wanted::Blob(descriptor.digest);
                return Err(FetchError::NotFound { peer: host.peer(), what });
            }
            status => return Err(request.invalid(Nonsense::Status(status))),
        }
        match descriptor.check(&response.body) {
            Ok(()) => Ok(response.body),
            Err(error) => Err(request.invalid(Nonsense::Descriptor(error))),
        }
    }
}
