//! Blobs: measured and hashed.

use std::time::Duration;

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
    name::{Digest, Hashing, Repository},
    source::{
        Deadline,
        error::{FetchError, Peer, ProtocolError, Wanted},
        transport::{Cap, Download, Request, Response},
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
            what: ProtocolError::Descriptor(error),
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

    /// The bytes that a descriptor means, to be read piece by piece, from the registry itself.
    ///
    /// # Errors
    /// If they could not be had.
    pub async fn open_blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        idle: Duration,
        deadline: Deadline,
    ) -> Result<BlobStream, FetchError> {
        let host = self.enter(repository)?;
        let mut request = request(&host, repository, descriptor.digest, descriptor.size);
        request.streams = Some(idle);
        let response = self.ask(&host, repository, Action::Pull, request.clone(), deadline).await?;
        there(&request, descriptor.digest, &response)?;
        let none = || request.invalid(ProtocolError::Status(response.status));
        Ok(BlobStream {
            download: response.stream.ok_or_else(none)?,
            hashing: Hashing::like(&descriptor.digest),
            digest: descriptor.digest,
            size: descriptor.size,
            read: 0,
            peer: request.peer,
        })
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
        let request = request(&host, repository, digest, cap);
        let response = self.ask(&host, repository, Action::Pull, request.clone(), deadline).await?;
        there(&request, digest, &response)?;
        if digest.covers(&response.body) {
            return Ok(response.body);
        }
        Err(request.invalid(ProtocolError::Descriptor(DescriptorError::Digest(digest))))
    }

    /// The blob from this very host.
    pub(super) async fn blob_at(
        &self,
        host: &Host,
        repository: &Repository,
        descriptor: &Descriptor,
        deadline: Deadline,
    ) -> Result<Bytes, FetchError> {
        let request = request(host, repository, descriptor.digest, descriptor.size);
        let response = self.ask(host, repository, Action::Pull, request.clone(), deadline).await?;
        there(&request, descriptor.digest, &response)?;
        match descriptor.check(&response.body) {
            Ok(()) => Ok(response.body),
            Err(error) => Err(request.invalid(ProtocolError::Descriptor(error))),
        }
    }
}

/// The bytes of a blob as they come, measured and hashed on the way.
///
/// The last piece is only given once all of them are proven to be the ones meant, so whoever passes
/// them on never passes on the whole of another blob.
#[derive(Debug)]
pub struct BlobStream {
    download: Download,
    hashing: Hashing,
    digest: Digest,
    size: u64,
    read: u64,
    peer: Peer,
}

impl BlobStream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// If none came in time, or they are not the ones meant.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let piece = self.download.next().await?;
        self.read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.hashing.update(piece.as_deref().unwrap_or_default());
        let (digest, said, found) = (self.digest, self.size, self.read);
        let invalid = |error| {
            let what = ProtocolError::Descriptor(error);
            Err(FetchError::Invalid { peer: self.peer.clone(), what })
        };
        if piece.is_none() && found != said {
            return invalid(DescriptorError::Size { digest, said, found });
        }
        if found == said && self.hashing.clone().finish() != digest {
            return invalid(DescriptorError::Digest(digest));
        }
        Ok(piece)
    }
}

fn request(host: &Host, repository: &Repository, digest: Digest, cap: u64) -> Request {
    let name = digest.to_string();
    let mut request = Request::get(host.peer(), host.url(repository, &["blobs", &name]));
    request.cap = Cap { bytes: cap, what: "bytes of a blob" };
    request
}

/// Whether an answer has the blob.
fn there(request: &Request, digest: Digest, response: &Response) -> Result<(), FetchError> {
    match response.status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => {
            let what = Wanted::Blob(digest);
            Err(FetchError::NotFound { peer: request.peer.clone(), what })
        }
        status => Err(request.invalid(ProtocolError::Status(status))),
    }
}
