//! What hangs on a manifest in its registry: the referrers API, or the fallback tag.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use http::{
    StatusCode,
    header::{ACCEPT, HeaderValue, LINK},
};
use serde::Deserialize;
use url::Url;

use super::{Reference, Registries, host::Host, link, session::Action};
use crate::{
    attest::oci::{Descriptor, Document, media_type},
    name::{Digest, Repository},
    source::{
        Deadline, Stage, apart,
        error::{BadRedirect, FetchError, ProtocolError},
        transport::{Cap, Redirects, Request, Response},
    },
};

/// What hangs on a manifest, as it is listed.
pub struct Listed {
    /// In the registry's order.
    pub descriptors: Vec<Descriptor>,
    /// What they were read from, whose memory they take the place of.
    _pages: Vec<Bytes>,
}

impl Registries {
    /// The descriptors of all manifests that name `subject` as theirs, in the registry's order.
    ///
    /// They are hints by whoever may push: whether a manifest really names the subject, and what it
    /// is, says the manifest alone. A descriptor without `artifact_type` is one whose type is not
    /// known without it: those from a fallback tag, whose entries clients write, never have one.
    /// Mirrors are not asked.
    ///
    /// # Errors
    /// If the list could not be had in whole. An empty list is the registry's word that there are
    /// none.
    pub async fn referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        deadline: Deadline,
    ) -> Result<Vec<Descriptor>, FetchError> {
        Ok(self.read_referrers(repository, subject, deadline).await?.descriptors)
    }

    /// The same, for who goes on to read what is listed.
    ///
    /// # Errors
    /// If the list could not be had in whole.
    pub async fn read_referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        deadline: Deadline,
    ) -> Result<Listed, FetchError> {
        let host = self.enter(repository)?;
        if self.without_referrers.get(repository).await.is_some() {
            return self.tagged(&host, repository, subject, deadline).await;
        }
        match self.listed(&host, repository, subject, deadline).await {
            Ok(Listing::Listed(found)) => Ok(found),
            Ok(Listing::Unsupported { everywhere }) => {
                if everywhere {
                    self.without_referrers.insert(repository.clone(), ()).await;
                }
                self.tagged(&host, repository, subject, deadline).await
            }
            Err(refused @ FetchError::Unauthorized { .. }) => {
                let found = self.tagged(&host, repository, subject, deadline).await?;
                if found.descriptors.is_empty() {
                    // Some registries say 404 for what one may not see.
                    let at = Reference::Digest(subject);
                    self.manifest_at(&host, repository, Action::Pull, at, deadline)
                        .await
                        .map_err(|_| refused)?;
                }
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }

    /// The descriptors that clients have listed under the fallback tag of `subject`, whether or not
    /// the registry lists referrers itself: hints like those of [`Registries::referrers`].
    ///
    /// # Errors
    /// If the list could not be had in whole.
    pub async fn tagged_referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        deadline: Deadline,
    ) -> Result<Vec<Descriptor>, FetchError> {
        let host = self.enter(repository)?;
        Ok(self.tagged(&host, repository, subject, deadline).await?.descriptors)
    }

    /// The list as the referrers API gives it, page by page.
    async fn listed(
        &self,
        host: &Host,
        repository: &Repository,
        subject: Digest,
        deadline: Deadline,
    ) -> Result<Listing, FetchError> {
        let name = subject.to_string();
        let mut url = host.url(repository, &["referrers", &name]);
        let mut seen = HashSet::new();
        let mut found = Collected::new(host);
        loop {
            let request = page(host, url.clone());
            let asked = self.ask(host, repository, Action::Pull, request.clone(), deadline).await;
            let response = match asked {
                Ok(response) => response,
                Err(FetchError::Redirect { why: BadRedirect::OtherHost, .. })
                    if seen.is_empty() =>
                {
                    return Ok(Listing::Unsupported { everywhere: true });
                }
                Err(error) => return Err(error),
            };
            let is_index = response.media_type().as_deref() == Some(media_type::OCI_INDEX);
            if response.status != StatusCode::OK || !is_index {
                return match unsupported(&response) {
                    Some(unsupported) if seen.is_empty() => Ok(unsupported),
                    _ if response.status == StatusCode::OK => {
                        Err(request.invalid(ProtocolError::MediaType))
                    }
                    _ => Err(request.invalid(ProtocolError::Status(response.status))),
                };
            }
            self.announce(host, &response).await;
            found.add(&response, &request).await?;
            let Some(next) = next_page(&response, &request)? else { break };
            seen.insert(std::mem::replace(&mut url, next));
            if seen.contains(&url) {
                return Err(request.invalid(ProtocolError::Circle));
            }
            if seen.len() >= PAGES {
                let (peer, limit) = (host.peer(), PAGES as u64);
                return Err(FetchError::TooMuch { peer, limit, what: "pages of referrers" });
            }
        }
        Ok(Listing::Listed(found.listed()))
    }

    /// The list as clients keep it under a tag.
    async fn tagged(
        &self,
        host: &Host,
        repository: &Repository,
        subject: Digest,
        deadline: Deadline,
    ) -> Result<Listed, FetchError> {
        let tag = subject.fallback_tag();
        let at = Reference::Tag(&tag);
        let fetched = match self.list_at(host, repository, at, deadline).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_absence() => return Ok(Collected::new(host).listed()),
            Err(error) => return Err(error),
        };
        let mut found = Collected::new(host);
        let (document, bytes) = apart(fetched.bytes.len(), move || {
            fetched.document().map(|document| (document, fetched.bytes))
        })
        .await?;
        if let Document::Index(index) = document {
            found.extend(index.manifests.into_iter().map(without_type))?;
            found.pages.push(bytes);
        }
        Ok(found.listed())
    }
}

/// What the referrers API had to say.
enum Listing {
    Listed(Listed),
    /// The registry has no such API: `everywhere`, or perhaps for this subject only.
    Unsupported {
        everywhere: bool,
    },
}

/// Descriptors without repetitions, up to a number.
struct Collected<'a> {
    host: &'a Host,
    known: HashSet<Digest>,
    descriptors: Vec<Descriptor>,
    pages: Vec<Bytes>,
}

impl<'a> Collected<'a> {
    fn new(host: &'a Host) -> Self {
        Self { host, known: HashSet::new(), descriptors: Vec::new(), pages: Vec::new() }
    }

    fn listed(self) -> Listed {
        Listed { descriptors: self.descriptors, _pages: self.pages }
    }

    async fn add(&mut self, response: &Response, request: &Request) -> Result<(), FetchError> {
        let page = response.body.clone();
        self.pages.push(page.clone());
        match apart(page.len(), move || Document::parse(&page, media_type::OCI_INDEX)).await {
            Ok(Document::Index(index)) => {
                self.extend(index.manifests.into_iter().map(|found| match &found.artifact_type {
                    Some(given) if given == media_type::EMPTY => without_type(found),
                    _ => found,
                }))
            }
            Ok(Document::Manifest(_)) => Err(request.invalid(ProtocolError::MediaType)),
            Err(error) => Err(request.invalid(ProtocolError::Index(Arc::new(error)))),
        }
    }

    fn extend(&mut self, found: impl Iterator<Item = Descriptor>) -> Result<(), FetchError> {
        for descriptor in found {
            if self.known.insert(descriptor.digest) {
                self.descriptors.push(descriptor);
            }
        }
        if self.descriptors.len() > REFERRERS {
            let (peer, limit) = (self.host.peer(), REFERRERS as u64);
            return Err(FetchError::TooMuch { peer, limit, what: "referrers of one manifest" });
        }
        Ok(())
    }
}

fn page(host: &Host, url: Url) -> Request {
    let mut request = Request::get(host.peer(), url);
    request.headers.insert(ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
    request.cap = Cap { bytes: 4 << 20, what: "bytes of a page of referrers" };
    request.stage = Stage::List;
    request.redirects = Redirects::SameHost;
    request
}

/// The next page, which must be on the same host.
fn next_page(response: &Response, request: &Request) -> Result<Option<Url>, FetchError> {
    let Some(header) = response.header(LINK) else { return Ok(None) };
    let next = link::next(header, &response.url)
        .map_err(|_| request.invalid(ProtocolError::Header("Link")))?;
    match next {
        Some(next) if next.origin() != request.url.origin() => {
            Err(FetchError::Redirect { peer: request.peer.clone(), why: BadRedirect::OtherHost })
        }
        next => Ok(next),
    }
}

/// Whether an answer says that there is no referrers API. Where it may be about this subject or a
/// repository that is yet to come, it is not remembered.
fn unsupported(response: &Response) -> Option<Listing> {
    let everywhere = match response.status {
        StatusCode::OK | StatusCode::NOT_ACCEPTABLE | StatusCode::NOT_IMPLEMENTED => true,
        StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => false,
        StatusCode::NOT_FOUND => !speaks_of_a_name(&response.body),
        _ => return None,
    };
    Some(Listing::Unsupported { everywhere })
}

/// Whether an error body is the protocol's, about a repository or manifest that is not there.
fn speaks_of_a_name(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Fault>,
    }
    #[derive(Deserialize)]
    struct Fault {
        code: String,
    }
    serde_json::from_slice(body).is_ok_and(|found: Errors| {
        found.errors.iter().any(|fault| fault.code.ends_with("_UNKNOWN"))
    })
}

fn without_type(descriptor: Descriptor) -> Descriptor {
    Descriptor { artifact_type: None, ..descriptor }
}

const PAGES: usize = 16;

/// Of one manifest, those that nobody here can use included.
const REFERRERS: usize = 1024;
