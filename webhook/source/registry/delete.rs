//! Deleting a referrer, where the registry lets anybody.

use http::{Method, StatusCode};

use super::{Registries, session::Action};
use crate::{
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, Nonsense},
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
        let host = self.enter(repository)?;
        let url = host.url(repository, &["manifests", &referrer.to_string()]);
        let delete =
            Request { method: Method::DELETE, repeatable: true, ..Request::get(host.peer(), url) };
        let answer = self.ask(&host, repository, Action::Delete, delete.clone(), deadline).await?;
        let gone = match answer.status {
            StatusCode::ACCEPTED
            | StatusCode::OK
            | StatusCode::NO_CONTENT
            | StatusCode::NOT_FOUND => true,
            // What the specification says for it, and what others answer.
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::BAD_REQUEST
            | StatusCode::NOT_IMPLEMENTED => false,
            status => return Err(delete.invalid(Nonsense::Status(status))),
        };
        let tag = subject.fallback_tag();
        let unlisted = self.unlist(&host, repository, &tag, referrer, deadline).await?;
        Ok(match (gone, unlisted) {
            (true, _) => Deleted::Gone,
            (false, true) => Deleted::Unlisted,
            (false, false) => Deleted::Refused,
        })
    }
}
