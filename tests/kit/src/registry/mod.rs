//! An OCI registry (distribution-spec 1.1) in memory.

mod access;
mod contents;
mod routes;
mod write;

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    image::Content,
    peer::{Listen, Peer},
};
use contents::{Contents, Manifest, Tag};
use routes::Routes;

pub use access::{Auth, TokenService, Users};

/// What the registry makes of the referrers API.
#[derive(Clone, Debug)]
pub enum Referrers {
    /// None: 404, as distribution and GHCR answer. A push says no `OCI-Subject`.
    Off,
    /// All in one page; `filter` says whether `artifactType=` is applied (and said to be).
    All {
        /// Whether the filter is applied.
        filter: bool,
    },
    /// Pages of that many, with `Link`; no filter.
    Pages(usize),
}

/// How a registry is to be started.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    pub(crate) listen: Listen,
    pub(crate) auth: Auth,
    pub(crate) referrers: Referrers,
    pub(crate) signatures_extension: bool,
}

impl RegistryOptions {
    /// Listens so.
    #[must_use]
    pub fn listen(mut self, listen: Listen) -> Self {
        self.listen = listen;
        self
    }

    /// Asks for credentials so.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Answers the referrers API so.
    #[must_use]
    pub fn referrers(mut self, referrers: Referrers) -> Self {
        self.referrers = referrers;
        self
    }

    /// Announces `X-Registry-Supports-Signatures` and serves the extension.
    #[must_use]
    pub fn signatures_extension(mut self) -> Self {
        self.signatures_extension = true;
        self
    }

    /// Starts it.
    pub fn start(self) -> Registry {
        let shared = Arc::new(Shared {
            contents: Mutex::default(),
            settings: Mutex::new((self.auth, self.referrers)),
            signatures_extension: self.signatures_extension,
        });
        let peer = Peer::serve(self.listen, Routes(shared.clone()));
        Registry { peer, shared }
    }
}

/// A registry; derefs to its [`Peer`] for address, records and faults.
///
/// ```
/// use countersign_kit::{Kind, Registry, image};
/// let registry = Registry::start();
/// let shop = image("shop").build();
/// registry.put_image("acme/shop", "1.4", &shop);
/// let reference = format!("{}/acme/shop@{}", registry.host(), shop.digest());
/// assert!(reference.starts_with("127.0.0.1:"));
/// assert_eq!(registry.count(Kind::Manifest), 0);
/// ```
pub struct Registry {
    peer: Peer,
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    contents: Mutex<Contents>,
    settings: Mutex<(Auth, Referrers)>,
    signatures_extension: bool,
}

impl Shared {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> MutexGuard<'_, (Auth, Referrers)> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Plain HTTP, no credentials, referrers in one page with filter.
    pub fn start() -> Self {
        Self::options().start()
    }

    /// The same, to be changed before the start.
    pub fn options() -> RegistryOptions {
        RegistryOptions {
            listen: Listen::plain(),
            auth: Auth::Anonymous,
            referrers: Referrers::All { filter: true },
            signatures_extension: false,
        }
    }

    /// Asks for credentials so from now on.
    pub fn set_auth(&self, auth: Auth) {
        self.shared.settings().0 = auth;
    }

    /// Answers the referrers API so from now on.
    pub fn set_referrers(&self, referrers: Referrers) {
        self.shared.settings().1 = referrers;
    }

    /// Stores an image or index with everything it needs, under a tag; its digest.
    pub fn put_image(&self, repository: &str, tag: &str, content: &Content) -> String {
        let digest = self.put(repository, content);
        self.tag(repository, tag, &[&digest]);
        digest
    }

    /// Stores an image, index or artifact without a tag; its digest.
    pub fn put(&self, repository: &str, content: &Content) -> String {
        self.shared.contents().repository(repository).put(content)
    }

    /// Stores an artifact that refers to something and, where the referrers API is off, lists it
    /// under the fallback tag, as a client that pushes it must.
    pub fn attach(&self, repository: &str, artifact: &Content) -> String {
        let digest = self.put(repository, artifact);
        if matches!(self.shared.settings().1, Referrers::Off) {
            let manifest = Manifest {
                media_type: artifact.media_type.clone(),
                bytes: artifact.manifest.clone(),
            };
            let subject = manifest.subject().expect("an artifact with a subject");
            self.list_under_fallback_tag(repository, &subject, manifest.descriptor());
        }
        digest
    }

    /// Appends a descriptor, true or not, to the index under the fallback tag of `subject`.
    pub fn list_under_fallback_tag(&self, repository: &str, subject: &str, descriptor: Value) {
        let tag: String = subject.replace(':', "-").chars().take(32 + 1 + 64).collect();
        let mut listed = self
            .manifest(repository, &tag)
            .and_then(|(_, bytes)| serde_json::from_slice::<Value>(&bytes).ok())
            .and_then(|index| index["manifests"].as_array().cloned())
            .unwrap_or_default();
        listed.push(descriptor);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed});
        self.put_image(repository, &tag, &Content::raw(INDEX, index.to_string()));
    }

    /// Lets the tag name each of these digests once, in turn, and then the last one for good: a
    /// tag that moves between two requests.
    pub fn tag(&self, repository: &str, tag: &str, digests: &[&str]) {
        let names = Tag(digests.iter().map(|&digest| digest.to_owned()).collect());
        self.shared.contents().repository(repository).tags.insert(tag.to_owned(), names);
    }

    /// Stores a blob; its digest.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        let digest = crate::sha256(&bytes);
        self.shared.contents().repository(repository).blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Stores one more of podman's signatures of that digest, for the lookaside
    /// ([`Registry::lookaside`]) and the extension.
    pub fn put_signature(&self, repository: &str, digest: &str, signature: impl Into<Bytes>) {
        let key = (repository.to_owned(), digest.to_owned());
        self.shared.contents().signatures.entry(key).or_default().push(signature.into());
    }

    /// The base URL of the lookaside: `http://127.0.0.1:PORT/sigstore`.
    pub fn lookaside(&self) -> String {
        format!("{}/sigstore", self.url())
    }

    /// Media type and bytes of what is stored under a tag or digest, whoever put it there.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Bytes)> {
        let mut contents = self.shared.contents();
        let manifest = contents.repository(repository).find(reference)?;
        Some((manifest.media_type.clone(), manifest.bytes.clone()))
    }

    /// A stored blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.shared.contents().repository(repository).blobs.get(digest).cloned()
    }

    /// Descriptors of what refers to that digest, as the referrers API would list them.
    pub fn referrers(&self, repository: &str, subject: &str) -> Vec<Value> {
        self.shared.contents().repository(repository).referrers(subject)
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.shared.contents().repository(repository).tags.keys().cloned().collect()
    }

    /// Forgets a tag or a manifest; whether it was there.
    pub fn delete(&self, repository: &str, reference: &str) -> bool {
        self.shared.contents().repository(repository).delete(reference)
    }
}

impl Deref for Registry {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl std::ops::DerefMut for Registry {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
