//! Manifests on their way into a registry: by digest, hung on their subject, tagged when asked.

use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{Reference, Registries, host::Host, session::Action};
use crate::{
    attest::oci::{Descriptor, Document},
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, ProtocolError},
        transport::{Request, Response, scattered},
    },
};

/// What became of a pushed manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Of its bytes.
    pub digest: Digest,
    /// The tag under which it is listed, where the registry does not list referrers itself.
    pub fallback_tag: Option<String>,
}

/// What a registry makes of a manifest that it keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stored {
    /// It refers to nothing.
    Alone,
    /// The registry says that it lists it among the referrers of its subject.
    Listed { subject: Digest },
    /// It does not, and a client has to.
    Unlisted {
        /// What the manifest is about.
        subject: Digest,
        /// What the list should say of it.
        entry: Box<Descriptor>,
    },
}

impl Registries {
    /// Stores a manifest under its digest, lists it among the referrers of its subject if it has
    /// one, and reads back what the registry kept and lists.
    ///
    /// `bytes` are sent as they are, since they are what the digest is of; its blobs must be there.
    /// `media_type` must be the manifest's own.
    ///
    /// # Errors
    /// If the registry does not take it, keeps something else, or its list cannot be kept.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: Bytes,
        deadline: Deadline,
    ) -> Result<Pushed, FetchError> {
        let digest = Digest::sha256(&bytes);
        let stored = self.store_manifest(repository, digest, media_type, bytes, deadline).await?;
        let mut fallback_tag = None;
        match stored {
            Stored::Alone => {}
            Stored::Listed { subject } => {
                self.are_listed(repository, subject, &[digest], deadline).await?;
            }
            Stored::Unlisted { subject, entry } => {
                let entries = [*entry];
                fallback_tag =
                    Some(self.list_referrers(repository, subject, &entries, deadline).await?);
            }
        }
        Ok(Pushed { digest, fallback_tag })
    }

    /// Sees to it that a registry lists what it says it lists; some take a moment.
    ///
    /// # Errors
    /// If it does not, or its list could not be had.
    pub async fn are_listed(
        &self,
        repository: &Repository,
        subject: Digest,
        referrers: &[Digest],
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        let host = self.enter(repository)?;
        for round in 0..LOOKS {
            let listed = self.referrers(repository, subject, deadline).await?;
            let is_listed = |one: &Digest| listed.iter().any(|entry| entry.digest == *one);
            if referrers.iter().all(is_listed) {
                return Ok(());
            }
            tokio::time::sleep(scattered(A_MOMENT * 2_u32.pow(round))).await;
        }
        Err(FetchError::Invalid { peer: host.peer(), what: ProtocolError::Unlisted })
    }

    /// Stores a manifest under its digest and reads back what the registry kept. Where the registry
    /// does not list it among its subject's referrers by itself, that is left to the caller, who
    /// may have several to list.
    ///
    /// # Errors
    /// If the registry does not take it, or keeps something else.
    pub async fn store_manifest(
        &self,
        repository: &Repository,
        digest: Digest,
        media_type: &str,
        bytes: Bytes,
        deadline: Deadline,
    ) -> Result<Stored, FetchError> {
        let host = self.enter(repository)?;
        let document = Document::parse(&bytes, media_type).map_err(|error| {
            FetchError::Unsupported { peer: host.peer(), why: std::sync::Arc::new(error) }
        })?;
        let descriptor = Descriptor { digest, ..Descriptor::of(media_type, &bytes) };
        let name = digest.to_string();
        let answer = self.put(&host, repository, &name, media_type, bytes, deadline).await?;
        let at = Reference::Digest(digest);
        self.manifest_at(&host, repository, Action::PullAndPush, at, deadline).await?;
        let listed = answer.header("oci-subject").and_then(|text| text.parse().ok());
        let Some(subject) = document.subject().map(|subject| subject.digest) else {
            return Ok(Stored::Alone);
        };
        if listed == Some(subject) {
            return Ok(Stored::Listed { subject });
        }
        Ok(Stored::Unlisted { subject, entry: Box::new(listing(descriptor, &document)) })
    }

    /// Puts a manifest under a tag, unless the tag names it already; whether it was put.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn tag_manifest(
        &self,
        repository: &Repository,
        tag: &str,
        media_type: &str,
        bytes: Bytes,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let host = self.enter(repository)?;
        let at = Reference::Tag(tag);
        match self.manifest_at(&host, repository, Action::PullAndPush, at, deadline).await {
            Ok(named) if named.bytes == bytes => return Ok(false),
            // Whatever it names now, even what is no manifest to us, it is to name this.
            Ok(_) | Err(FetchError::Invalid { .. } | FetchError::Unsupported { .. }) => {}
            Err(error) if error.is_absence() => {}
            Err(error) => return Err(error),
        }
        self.put(&host, repository, tag, media_type, bytes, deadline).await?;
        Ok(true)
    }

    /// Puts a manifest under a tag or digest.
    pub(super) async fn put(
        &self,
        host: &Host,
        repository: &Repository,
        name: &str,
        media_type: &str,
        bytes: Bytes,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let url = host.url(repository, &["manifests", name]);
        let mut put = Request::send(host.peer(), Method::PUT, url, bytes);
        put.repeatable = true;
        let value = HeaderValue::from_str(media_type);
        put.headers.insert(CONTENT_TYPE, value.map_err(|_| put.invalid(ProtocolError::MediaType))?);
        let mut repeats = REPEATS;
        loop {
            let request = put.clone();
            let answer = self.ask(host, repository, Action::PullAndPush, request, deadline).await?;
            match answer.status {
                StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED => return Ok(answer),
                // A blob that somebody else stores too is unknown while the registry links it.
                StatusCode::BAD_REQUEST if repeats > 0 => {
                    repeats -= 1;
                    tokio::time::sleep(scattered(A_MOMENT)).await;
                }
                status => return Err(put.invalid(ProtocolError::Status(status))),
            }
        }
    }
}

/// The entry of a manifest in the list of its subject's referrers.
fn listing(descriptor: Descriptor, document: &Document) -> Descriptor {
    let (artifact_type, annotations) = match document {
        Document::Manifest(manifest) => {
            (Some(manifest.effective_type().to_owned()), manifest.annotations.clone())
        }
        Document::Index(index) => (index.artifact_type.clone(), index.annotations.clone()),
    };
    Descriptor { artifact_type, annotations, ..descriptor }
}

/// How often a list is read until it has what it should, and how long is waited at first.
const LOOKS: u32 = 5;
const A_MOMENT: std::time::Duration = std::time::Duration::from_millis(200);

/// How often a manifest that was called bad is sent again.
const REPEATS: u32 = 2;
