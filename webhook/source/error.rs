//! Why something could not be read, in words for people and in codes for programs.

use std::{fmt, sync::Arc};

use http::StatusCode;

use super::unreached::Unreached;
use crate::{
    attest::oci::{DescriptorError, DocumentError},
    name::{Code, Digest, PinnedImage, Repository},
};

/// Why a lookup failed. Save for [`FetchError::NotFound`] it never means "there is none".
///
/// The texts name the registry's host or the store's name, never an address, a URL or what a server
/// wrote: those are in the causes, which go to the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The repository may not be asked at all.
    #[error("{0} may not be asked; add it to `registries.allow` if it should be")]
    Refused(Repository),
    /// No connection, or it broke. The same request may succeed later.
    #[error("{peer} {why}")]
    Unreachable { peer: Peer, why: Unreached, source: Arc<reqwest::Error> },
    /// No answer in time. The same request may succeed later.
    #[error("{0} did not answer in time; check that it is up, then try again")]
    Late(Peer),
    /// It failed within the last second, so it was not asked again.
    #[error("{0} failed a moment ago and is left alone for a second; try again")]
    Resting(Peer),
    /// So much else was under way that its turn did not come in time.
    #[error("{0} was not asked in time, since too much else is being read; try again")]
    Crowded(Peer),
    /// It answered with a server error, again and again.
    #[error("{peer} answers with HTTP {status}; check that it is well, then try again")]
    Failing { peer: Peer, status: StatusCode },
    /// It wants other credentials, or others to have them.
    #[error("{peer} refuses {presented} (HTTP {status}); give it a credential that may do this")]
    Unauthorized { peer: Peer, status: StatusCode, presented: Presented },
    /// The configured credentials cannot be read.
    #[error("the credentials for {peer} cannot be read; check the file that is configured for it")]
    Credentials { peer: Peer, source: Arc<CredentialError> },
    /// It answers no more requests of ours for now.
    #[error("{0} limits our requests (HTTP 429); try again later, or give it a credential")]
    Limited(Peer),
    /// An answer that is not the protocol. Retrying will not help.
    #[error(
        "{peer} gives an answer that is not the protocol: {what}; see whether something else, such \
         as a proxy or a login page, answers in its place"
    )]
    Invalid { peer: Peer, what: ProtocolError },
    /// There is no such manifest.
    #[error("{peer} has no {what}; check the name, and that it was pushed there")]
    NotFound { peer: Peer, what: Wanted },
    /// What came is not what was asked for.
    #[error("{peer} sent {digests}, so it may be tampered with; ask whoever runs it")]
    OtherDigest { peer: Peer, digests: Box<DigestMismatch> },
    /// A manifest of a kind that is unknown here.
    #[error("{peer} has no image manifest or index there: {why}; push an image under that name")]
    Unsupported { peer: Peer, why: Arc<DocumentError> },
    /// Its token service is on a host that the configuration does not name.
    #[error("{peer} sends us for a token to {realm}; set `tokenRealm` for it if that is right")]
    Realm { peer: Peer, realm: String },
    /// It sent us where we do not go.
    #[error("{peer} redirects us {why}; ask whoever runs it")]
    Redirect { peer: Peer, why: BadRedirect },
    /// It is, or sends us to, an internal address that the configuration does not name.
    #[error(
        "{0} is at, or leads to, an internal address; name it under `registries.hosts` if it may be asked"
    )]
    Address(Peer),
    /// It does not delete.
    #[error("{0} deletes no manifests; ask whoever runs it to allow that, or to delete them there")]
    KeepsAll(Peer),
    /// A cap was hit.
    #[error("{peer} sends more than {limit} {what}, which is the limit; remove what is not needed")]
    TooMuch { peer: Peer, limit: u64, what: &'static str },
    /// It takes longer than one review, and goes on.
    #[error("the layers of {0} are still being compared with its configuration; try again")]
    Comparing(PinnedImage),
}

/// Whom we asked, as people know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Peer {
    /// A registry, by its host as image references write it.
    Registry(Arc<str>),
    /// A Grafeas server, by its name in the configuration.
    Store(Arc<str>),
}

/// What we showed to who refused it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presented {
    /// Nothing: no credential is configured for this.
    Nothing,
    /// What is configured for it.
    Credential,
}

/// A manifest that came for another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DigestMismatch {
    /// The digest that was asked for.
    pub wanted: Digest,
    /// The digest of what came.
    pub found: Digest,
}

/// What is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    Tag(String),
    Manifest(Digest),
    Blob(Digest),
}

/// What made an answer useless.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error("HTTP {0}")]
    Status(StatusCode),
    /// A refusal, whose reason stands in the log.
    #[error("HTTP {0} (`RUST_LOG=debug` logs what it says)")]
    Refusal(StatusCode),
    #[error("no usable `{0}` header")]
    Header(&'static str),
    #[error("content of a type that is not asked for")]
    MediaType,
    #[error("JSON of another form")]
    Json(#[source] Arc<serde_json::Error>),
    #[error("a list that is no index")]
    Index(#[source] Arc<DocumentError>),
    #[error("{0}")]
    Descriptor(#[from] DescriptorError),
    #[error("pages that lead in circles")]
    Circle,
    #[error("a token service without a token")]
    Token,
    #[error("something else than what was pushed")]
    Kept,
    #[error("a list of referrers without the one that it said it lists")]
    Unlisted,
    #[error(
        "a list of referrers that others overwrite again and again; run it again when they are done"
    )]
    Contended,
    #[error("{0}")]
    Other(&'static str),
}

/// Where redirects may not lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadRedirect {
    #[error("from HTTPS to plain HTTP, or to plain HTTP where that is not configured")]
    PlainHttp,
    #[error("to another host, where only its own will do")]
    OtherHost,
    #[error("to a place that is no plain URL")]
    Url,
    #[error("too often")]
    Hops,
    #[error("in the middle of an upload")]
    Upload,
}

/// Why a file with credentials is of no use. The text names the file, so it is for the log.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("{path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is not the JSON that `docker login` writes")]
    Json { path: String, source: serde_json::Error },
    #[error("{path} has an `auth` for {key} that is not base64 of `user:password`")]
    Auth { path: String, key: String },
    #[error("{program}, which has the credential of `docker login`, {what}")]
    Helper { program: String, what: String },
    #[error("{path} holds what cannot stand in an HTTP header")]
    Header { path: String },
}

impl FetchError {
    pub(super) fn unreachable(peer: &Peer, source: Arc<reqwest::Error>) -> Self {
        Self::Unreachable { peer: peer.clone(), why: Unreached::of(&source), source }
    }

    /// The stable reason code.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(_) => Code::ImageRefused,
            Self::Unreachable { peer, .. }
            | Self::Late(peer)
            | Self::Resting(peer)
            | Self::Failing { peer, .. } => {
                peer.pick(Code::RegistryUnreachable, Code::StoreUnreachable)
            }
            Self::Unauthorized { peer, .. } | Self::Credentials { peer, .. } => {
                peer.pick(Code::RegistryUnauthorized, Code::StoreUnauthorized)
            }
            Self::Limited(peer) => peer.pick(Code::RegistryLimited, Code::StoreLimited),
            Self::Invalid { peer, .. }
            | Self::KeepsAll(peer)
            | Self::NotFound { peer, what: Wanted::Blob(_) } => {
                peer.pick(Code::RegistryInvalid, Code::StoreInvalid)
            }
            Self::NotFound { .. } => Code::ImageNotFound,
            Self::OtherDigest { .. } => Code::ImageDigestMismatch,
            Self::Unsupported { .. } => Code::ImageUnsupported,
            Self::Realm { peer, .. } => peer.pick(Code::RegistryRealmRefused, Code::StoreInvalid),
            Self::Redirect { peer, .. } => {
                peer.pick(Code::RegistryRedirectRefused, Code::StoreInvalid)
            }
            Self::Address(peer) => peer.pick(Code::RegistryAddressRefused, Code::StoreInvalid),
            Self::TooMuch { .. } => Code::EvidenceTooMuch,
            Self::Crowded(_) | Self::Comparing(_) => Code::ReviewDeadline,
        }
    }

    /// Whether the same request may succeed a second later.
    pub fn retryable(&self) -> bool {
        self.code().retryable()
    }

    /// Whether the server said that there is none: the one error that is an answer.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NotFound { what: Wanted::Tag(_) | Wanted::Manifest(_), .. })
    }
}

impl Peer {
    fn pick(&self, registry: Code, store: Code) -> Code {
        match self {
            Self::Registry(_) => registry,
            Self::Store(_) => store,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(host) => write!(formatter, "the registry {host}"),
            Self::Store(name) => write!(formatter, "the store {name}"),
        }
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "us without a credential",
            Self::Credential => "the credential that is configured for it",
        })
    }
}

impl fmt::Display for DigestMismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, found } = self;
        write!(formatter, "a manifest with the digest {found} for {wanted}")
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(formatter, "tag {tag:?} there"),
            Self::Manifest(digest) => write!(formatter, "manifest {digest} there"),
            Self::Blob(digest) => write!(formatter, "blob {digest} there"),
        }
    }
}
