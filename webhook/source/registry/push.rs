//! Uploads: blobs first, then the manifest, by digest and never by tag.

use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, LOCATION},
};
use url::Url;

use super::{
    Reference, Registries,
    host::Host,
    session::{Action, admitted},
};
use crate::{
    attest::oci::{Descriptor, Document},
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{Astray, FetchError, Nonsense, Presented},
        transport::{Request, Response, is_plain, scattered},
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
        let host = self.enter(repository)?;
        let descriptor = Descriptor::of(media_type, &bytes);
        let name = descriptor.digest.to_string();
        let head = Request {
            method: Method::HEAD,
            ..Request::get(host.peer(), host.url(repository, &["blobs", &name]))
        };
        let there = self.ask(&host, repository, Action::PullAndPush, head, deadline).await?;
        if there.status == StatusCode::OK {
            return Ok(descriptor);
        }
        let url = host.url(repository, &["blobs", "uploads", ""]);
        let post = Request::send(host.peer(), Method::POST, url, Bytes::new());
        let begun =
            self.ask(&host, repository, Action::PullAndPush, post.clone(), deadline).await?;
        if begun.status != StatusCode::ACCEPTED {
            return Err(post.invalid(Nonsense::Status(begun.status)));
        }
        let url = upload(&host, &begun, descriptor.digest)?;
        let mut put = Request::send(host.peer(), Method::PUT, url, bytes);
        put.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let done = if put.url.origin() == host.origin.origin() {
            self.ask(&host, repository, Action::PullAndPush, put.clone(), deadline).await?
        } else {
            // The credential is for the registry, not for whom it uploads to.
            let answer = self.transport.send(put.clone(), deadline).await?;
            admitted(&host, answer, Presented::Nothing)?
        };
        match done.status {
            StatusCode::CREATED | StatusCode::OK | StatusCode::NO_CONTENT => {}
            status => return Err(put.invalid(Nonsense::Status(status))),
        }
        match self.blob_at(&host, repository, &descriptor, deadline).await {
            Ok(_) => Ok(descriptor),
            Err(
                FetchError::NotFound { .. }
                | FetchError::Invalid { .. }
                | FetchError::TooMuch { .. },
            ) => Err(put.invalid(Nonsense::Kept)),
            Err(error) => Err(error),
        }
    }

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
        let host = self.enter(repository)?;
        let document = Document::parse(&bytes, media_type).map_err(|error| {
            FetchError::Unsupported { peer: host.peer(), source: std::sync::Arc::new(error) }
        })?;
        let descriptor = Descriptor::of(media_type, &bytes);
        let digest = descriptor.digest;
        let name = digest.to_string();
        let answer = self.put(&host, repository, &name, media_type, bytes, deadline).await?;
        let at = Reference::Digest(digest);
        self.manifest_at(&host, repository, Action::PullAndPush, at, deadline).await?;
        let mut fallback_tag = None;
        if let Some(subject) = document.subject() {
            let listed = answer.header("oci-subject").and_then(|text| text.parse().ok());
            if listed == Some(subject.digest) {
                self.is_listed(&host, repository, subject.digest, digest, deadline).await?;
            } else {
                let entry = listing(descriptor, &document);
                let tag = subject.digest.fallback_tag();
                self.list(&host, repository, &tag, &entry, deadline).await?;
                fallback_tag = Some(tag);
            }
        }
        Ok(Pushed { digest, fallback_tag })
    }

    /// Sees to it that a registry lists what it says it lists; some take a moment.
    async fn is_listed(
        &self,
        host: &Host,
        repository: &Repository,
        subject: Digest,
        referrer: Digest,
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        for round in 0..LOOKS {
            let listed = self.referrers(repository, subject, deadline).await?;
            if listed.iter().any(|entry| entry.digest == referrer) {
                return Ok(());
            }
            tokio::time::sleep(scattered(A_MOMENT * 2_u32.pow(round))).await;
        }
        Err(FetchError::Invalid { peer: host.peer(), what: Nonsense::Unlisted })
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
        put.headers.insert(CONTENT_TYPE, value.map_err(|_| put.invalid(Nonsense::MediaType))?);
        let answer = self.ask(host, repository, Action::PullAndPush, put.clone(), deadline).await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED => Ok(answer),
            status => Err(put.invalid(Nonsense::Status(status))),
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

/// Where an upload goes on: the `Location` of the answer, with the digest added to its query.
fn upload(host: &Host, begun: &Response, digest: Digest) -> Result<Url, FetchError> {
    let location = begun.header(LOCATION).and_then(|text| begun.url.join(text).ok());
    let mut url = location.filter(is_plain).ok_or_else(|| FetchError::Invalid {
        peer: host.peer(),
        what: Nonsense::Header("Location"),
    })?;
    if host.origin.scheme() == "https" && url.scheme() != "https" {
        return Err(FetchError::Redirect { peer: host.peer(), whither: Astray::PlainHttp });
    }
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    Ok(url)
}

/// How often a list is read until it has what it should, and how long is waited at first.
const LOOKS: u32 = 5;
const A_MOMENT: std::time::Duration = std::time::Duration::from_millis(200);

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
            };
            let got = match upload(&host, &begun, digest) {
                Ok(url) => url.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(&want), "{name}: {got}");
        }
    }
}
