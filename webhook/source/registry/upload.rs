//! Blobs on their way into a registry: from memory, as a stream, or mounted from a neighbor.

use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, LOCATION},
};
use url::Url;

use super::{
    Registries,
    host::Host,
    session::{Action, admitted},
};
use crate::{
    attest::oci::Descriptor,
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{BadRedirect, FetchError, Presented, ProtocolError},
        transport::{Request, Response, Upload, is_plain},
    },
};

/// A blob that a registry is ready for.
#[derive(Debug)]
pub enum Slot {
    /// It is in the repository by now, since another one on the same host had it.
    Mounted,
    /// Where its bytes go.
    Open(OpenSlot),
}

/// Where the bytes of one blob go.
#[derive(Debug)]
pub struct OpenSlot(Url);

impl Registries {
    /// Stores a blob, unless it is there, reads it back, and returns its descriptor.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn push_blob(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: Bytes,
        deadline: Deadline,
    ) -> Result<Descriptor, FetchError> {
        let descriptor = Descriptor::of(media_type, &bytes);
        if self.has_blob(repository, descriptor.digest, deadline).await? {
            return Ok(descriptor);
        }
        let host = self.enter(repository)?;
        let OpenSlot(url) = self.begin(&host, repository, descriptor.digest, deadline).await?;
        let put = put(&host, url, bytes);
        let done = if put.url.origin() == host.origin.origin() {
            self.ask(&host, repository, Action::PullAndPush, put.clone(), deadline).await?
        } else {
            // The credential is for the registry, not for whom it uploads to.
            let answer = self.transport.send(put.clone(), deadline).await?;
            admitted(&host, answer, Presented::Nothing)?
        };
        stored(&put, &done)?;
        match self.blob_at(&host, repository, &descriptor, deadline).await {
            Ok(_) => Ok(descriptor),
            Err(
                FetchError::NotFound { .. }
                | FetchError::Invalid { .. }
                | FetchError::TooMuch { .. },
            ) => Err(put.invalid(ProtocolError::Kept)),
            Err(error) => Err(error),
        }
    }

    /// Whether the repository says that it has a blob.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn has_blob(
        &self,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let host = self.enter(repository)?;
        let url = host.url(repository, &["blobs", &digest.to_string()]);
        let head = Request { method: Method::HEAD, ..Request::get(host.peer(), url) };
        let there = self.ask(&host, repository, Action::PullAndPush, head, deadline).await?;
        Ok(there.status == StatusCode::OK)
    }

    /// Makes room for a blob that is not there, or has it mounted from `neighbor`, a repository of
    /// the same host that has it.
    ///
    /// # Errors
    /// If the registry takes none.
    pub async fn reserve_blob(
        &self,
        repository: &Repository,
        digest: Digest,
        neighbor: Option<&Repository>,
        deadline: Deadline,
    ) -> Result<Slot, FetchError> {
        let host = self.enter(repository)?;
        let scope = self.credential_scope(repository);
        if let Some(from) = neighbor.filter(|from| self.credential_scope(from) == scope) {
            let mut url = host.url(repository, &["blobs", "uploads", ""]);
            url.query_pairs_mut()
                .append_pair("mount", &digest.to_string())
                .append_pair("from", from.path());
            let post = Request::send(host.peer(), Method::POST, url, Bytes::new());
            let asked = self.ask(&host, repository, Action::Mount(from), post, deadline).await;
            match asked {
                Ok(answer) if answer.status == StatusCode::CREATED => return Ok(Slot::Mounted),
                Ok(answer) if answer.status == StatusCode::ACCEPTED => {
                    return upload(&host, &answer, digest).map(OpenSlot).map(Slot::Open);
                }
                // Whoever may not read there, or has a registry that mounts nothing, uploads.
                Ok(_) | Err(FetchError::Unauthorized { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.begin(&host, repository, digest, deadline).await.map(Slot::Open)
    }

    /// Sends the bytes of a blob as they come. Whoever gives them has seen to it that they are the
    /// blob's; the registry hashes them too.
    ///
    /// # Errors
    /// If the registry does not take them, or they end in an error.
    pub async fn fill(
        &self,
        repository: &Repository,
        slot: OpenSlot,
        body: Upload,
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        let host = self.enter(repository)?;
        let put = put(&host, slot.0, Bytes::new());
        let done = if put.url.origin() == host.origin.origin() {
            self.ask_once(&host, repository, put.clone(), body, deadline).await?
        } else {
            let answer = self.transport.upload(&put, body).await?;
            admitted(&host, answer, Presented::Nothing)?
        };
        stored(&put, &done)
    }

    async fn begin(
        &self,
        host: &Host,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<OpenSlot, FetchError> {
        let url = host.url(repository, &["blobs", "uploads", ""]);
        let post = Request::send(host.peer(), Method::POST, url, Bytes::new());
        let begun = self.ask(host, repository, Action::PullAndPush, post.clone(), deadline).await?;
        if begun.status != StatusCode::ACCEPTED {
            return Err(post.invalid(ProtocolError::Status(begun.status)));
        }
        upload(host, &begun, digest).map(OpenSlot)
    }
}

fn put(host: &Host, url: Url, bytes: Bytes) -> Request {
    let mut put = Request::send(host.peer(), Method::PUT, url, bytes);
    put.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    put
}

fn stored(put: &Request, done: &Response) -> Result<(), FetchError> {
    match done.status {
        StatusCode::CREATED | StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
        status => Err(put.invalid(ProtocolError::Status(status))),
    }
}

/// Where an upload goes on: the `Location` of the answer, with the digest added to its query.
fn upload(host: &Host, begun: &Response, digest: Digest) -> Result<Url, FetchError> {
    let location = begun.header(LOCATION).and_then(|text| begun.url.join(text).ok());
    let mut url = location.filter(is_plain).ok_or_else(|| FetchError::Invalid {
        peer: host.peer(),
        what: ProtocolError::Header("Location"),
    })?;
    if host.origin.scheme() == "https" && url.scheme() != "https" {
        return Err(FetchError::Redirect { peer: host.peer(), why: BadRedirect::PlainHttp });
    }
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    Ok(url)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn uploads_go_on_where_the_registry_says() {
        let host = Host::plainly("r.example").unwrap();
        let digest = Digest::sha256(b"{}");
        let query = format!("digest=sha256%3A{}", digest.hex());
        for (name, location, want) in [
            (
                "relative",
                Some("/v2/a/b/blobs/uploads/1"),
                format!("https://r.example/v2/a/b/blobs/uploads/1?{query}"),
            ),
            (
                "own query",
                Some("https://r.example/u?_state=a%2Bb="),
                format!("https://r.example/u?_state=a%2Bb=&{query}"),
            ),
            ("other host", Some("https://s.example/u"), format!("https://s.example/u?{query}")),
            ("downgrade", Some("http://r.example/u"), "from HTTPS to plain HTTP".to_owned()),
            ("user in the URL", Some("https://u@r.example/u"), "no usable `Location`".to_owned()),
            ("none", None, "no usable `Location`".to_owned()),
        ] {
            let headers = location.map(|text| (LOCATION, text.parse().unwrap()));
            let begun = Response {
                status: StatusCode::ACCEPTED,
                headers: HeaderMap::from_iter(headers),
                url: "https://r.example/v2/a/b/blobs/uploads/".parse().unwrap(),
                body: Bytes::new(),
                stream: None,
            };
            let got = match upload(&host, &begun, digest) {
                Ok(url) => url.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(&want), "{name}: {got}");
        }
    }
}
