//! The client of OCI registries.
//!
//! Thin and our own, because what a gate needs is what general clients leave out: every byte
//! counted, every digest computed here, and no credential shown to anyone but whom it is for.

mod blob;
mod challenge;
mod credential;
mod delete;
mod docker_config;
mod helper;
mod host;
mod link;
mod listing;
mod login;
mod lookaside;
mod manifest;
mod options;
mod push;
mod realm;
mod referrers;
mod session;
mod token;
mod upload;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use moka::future::Cache;

pub use blob::BlobStream;
pub use credential::Credential;
pub use delete::Deleted;
pub use docker_config::helper_named_in;
pub use host::{HostError, registry_of};
pub use options::{CredentialOptions, CredentialSource, HostOptions, RegistriesOptions};
pub use push::{Pushed, Stored};
pub use referrers::Listed;
pub use upload::{OpenSlot, Slot};

use super::{
    Bounds,
    error::{FetchError, Peer, Wanted},
    transport::{HostSettings, Transport, TransportError},
};
use crate::name::{Digest, Pattern, Repository};
use challenge::Challenge;
use host::Host;
use token::Tokens;

/// All registries that images and evidence come from.
pub struct Registries {
    allow: Option<Vec<Pattern>>,
    hosts: HashMap<Arc<str>, Arc<Host>>,
    transport: Transport,
    /// What each host asked for last.
    challenges: Cache<Arc<str>, Arc<Challenge>>,
    tokens: Tokens,
    /// Repositories whose registry has no referrers API.
    without_referrers: Cache<Repository, ()>,
    /// Which hosts keep signatures themselves.
    extensions: Cache<Arc<str>, bool>,
}

/// By what a manifest is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reference<'a> {
    Tag(&'a str),
    Digest(Digest),
}

/// A manifest or index as it came.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Of `bytes`, computed here.
    pub digest: Digest,
    /// As served, without parameters; the document's own where it was served as nothing special.
    pub media_type: String,
    pub bytes: Bytes,
    peer: Peer,
}

/// Options that make no client.
#[derive(Debug, thiserror::Error)]
pub enum RegistriesError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl Registries {
    /// A client. Contacts nobody and reads no file.
    ///
    /// # Errors
    /// If the options cannot be meant.
    pub fn new(options: RegistriesOptions) -> Result<Self, RegistriesError> {
        let settings = settings(&options.hosts)?;
        let mut hosts = HashMap::new();
        for host in options.hosts {
            let host = Arc::new(Host::new(host)?);
            if let Some(twice) = hosts.insert(Arc::clone(&host.name), host) {
                return Err(HostError::Twice(twice.name.to_string()).into());
            }
        }
        Ok(Self {
            allow: options.allow,
            hosts,
            transport: Transport::new(settings)?,
            challenges: Cache::new(HOSTS),
            tokens: Tokens::new(),
            without_referrers: remembering(Duration::from_mins(5)),
            extensions: remembering(Duration::from_mins(10)),
        })
    }

    /// The same within `bounds`, which others may share.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { transport: self.transport.within(bounds), ..self }
    }

    /// Whether a repository may be asked at all.
    pub fn allow(&self, repository: &Repository) -> bool {
        self.allow
            .as_ref()
            .is_none_or(|allow| allow.iter().any(|pattern| pattern.matches(repository)))
    }

    /// Tells apart what different credentials may see: part of the key of whatever is kept.
    pub fn credential_scope(&self, repository: &Repository) -> u64 {
        self.hosts.get(repository.host()).map_or(0, |host| host.scope(repository))
    }

    /// Whether a lookaside is configured for the host of a repository.
    pub fn has_lookaside(&self, repository: &Repository) -> bool {
        self.hosts.get(repository.host()).is_some_and(|host| host.lookaside.is_some())
    }

    /// The host of a repository that may be asked.
    fn enter(&self, repository: &Repository) -> Result<Arc<Host>, FetchError> {
        let refused = || FetchError::Refused(repository.clone());
        if !self.allow(repository) {
            return Err(refused());
        }
        self.host(repository.host()).ok_or_else(refused)
    }

    fn host(&self, name: &str) -> Option<Arc<Host>> {
        match self.hosts.get(name) {
            Some(host) => Some(Arc::clone(host)),
            None => Host::plainly(name).map(Arc::new),
        }
    }
}

impl Reference<'_> {
    fn wanted(self) -> Wanted {
        match self {
            Self::Tag(tag) => Wanted::Tag(tag.to_owned()),
            Self::Digest(digest) => Wanted::Manifest(digest),
        }
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

/// How the transport talks to every host that an entry names; those with an entry of their own go by
/// that, since it comes last.
fn settings(hosts: &[HostOptions]) -> Result<Vec<HostSettings>, HostError> {
    let mut named = Vec::new();
    let mut own = Vec::new();
    for host in hosts {
        let setting = |authority: &str, plain_http| HostSettings {
            authority: authority.to_owned(),
            plain_http,
            ca: host.ca.clone(),
            identity: None,
        };
        own.push(setting(host::origin(host)?.authority(), host.plain_http));
        for url in host.token_realm.iter().chain(&host.lookaside) {
            named.push(setting(url.authority(), url.scheme() == "http"));
        }
        for mirror in &host.mirrors {
            named.push(setting(mirror.split('/').next().unwrap_or_default(), false));
        }
    }
    named.extend(own);
    Ok(named)
}

fn remembering<
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
>(
    time: Duration,
) -> Cache<K, V> {
    Cache::builder().max_capacity(HOSTS).time_to_live(time).build()
}

/// How many hosts and repositories something is remembered about.
const HOSTS: u64 = 4096;
