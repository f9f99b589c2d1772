//! Deleting manifests, where the registry lets anybody.

use http::{Method, StatusCode};

use super::{Registries, session::Action};
use crate::{
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, ProtocolError},
        transport::Request,
    },
};

/// What became of a referrer that was to be deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deleted {
    /// It is gone, or was not there.
    Gone,
    /// The registry deletes nothing, but the list of referrers, which clients keep there, does not
    /// name it any more. Who knows its digest still gets it.
    Unlisted,
    /// The registry deletes nothing, and lists it on.
    Refused,
}

impl Registries {
    /// Deletes the manifest `referrer`, and its entry in the fallback tag of `subject` if there is
    /// one.
    ///
    /// # Errors
    /// If the registry could not be asked, or the list could not be written.
    pub async fn delete_referrer(
        &self,
        repository: &Repository,
        subject: Digest,
        referrer: Digest,
        deadline: Deadline,
    ) -> Result<Deleted, FetchError> {
        let gone = self.delete(repository, referrer, deadline).await?;
        let unlisted = self.unlist_referrers(repository, subject, &[referrer], deadline).await?;
        Ok(match (gone, unlisted) {
            (true, _) => Deleted::Gone,
            (false, true) => Deleted::Unlisted,
            (false, false) => Deleted::Refused,
        })
    }

    /// Deletes the manifest of this digest and, as registries do, the tags that name it. One that is
    /// gone already is deleted well enough. What lists it is left to the caller, who may have
    /// several to delete.
    ///
    /// # Errors
    /// [`FetchError::KeepsAll`] if the registry deletes nothing; or it could not be asked.
    pub async fn delete_manifest(
        &self,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        if self.delete(repository, digest, deadline).await? {
            return Ok(());
        }
        Err(FetchError::KeepsAll(self.enter(repository)?.peer()))
    }

    /// Whether the manifest is gone; not, if the registry deletes nothing.
    async fn delete(
        &self,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let host = self.enter(repository)?;
        let url = host.url(repository, &["manifests", &digest.to_string()]);
        let delete =
            Request { method: Method::DELETE, repeatable: true, ..Request::get(host.peer(), url) };
        let answer = self.ask(&host, repository, Action::Delete, delete.clone(), deadline).await?;
        match answer.status {
            StatusCode::ACCEPTED
            | StatusCode::OK
            | StatusCode::NO_CONTENT
            | StatusCode::NOT_FOUND => Ok(true),
            // What the specification says for it, and what others answer.
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::BAD_REQUEST
            | StatusCode::NOT_IMPLEMENTED => Ok(false),
            status => Err(delete.invalid(ProtocolError::Status(status))),
        }
    }
}
