//! An authority: a set of keys, and what those keys may speak about.

use std::{fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{IdentityMap, Key, TrustedIdentity};
use crate::{
    attest::{metadata::PREDICATE_TYPE, notation, sources},
    name::NoteName,
};

/// Who may say what. A signature by one of the keys counts only inside the scope.
#[derive(Clone, Debug)]
pub struct Authority {
    pub name: Arc<str>,
    pub keys: Vec<Key>,
    /// Whose certificates count under its roots; absent: everybody's.
    pub trusted_identities: Option<Vec<TrustedIdentity>>,
    /// From a Grafeas store only occurrences of this note count; without it, none do.
    pub note: Option<NoteName>,
    /// The kinds of payload that these keys may sign.
    pub attests: Vec<Attests>,
    /// The sources that may bring its signatures; absent: all.
    pub sources: Option<Vec<Arc<str>>>,
    pub identity: Identity,
    /// Where the signer knew the images under another name.
    pub identities: IdentityMap,
    pub after_expiry: AfterExpiry,
    /// Who compares an image's layers with its configuration; without it image IDs never count.
    pub layers_checked_by: Option<LayersCheckedBy>,
    /// Whether another authority may hold the same key material.
    pub shared_key: bool,
}

impl Authority {
    /// An authority with these keys, that attests simple signing and is otherwise as strict as
    /// they come.
    pub fn new(name: impl Into<Arc<str>>, keys: Vec<Key>) -> Self {
        Self {
            name: name.into(),
            keys,
            trusted_identities: None,
            note: None,
            attests: vec![Attests::SimpleSigning],
            sources: None,
            identity: Identity::default(),
            identities: IdentityMap::default(),
            after_expiry: AfterExpiry::default(),
            layers_checked_by: None,
            shared_key: false,
        }
    }

    /// Whether its signatures may come from this source, as far as its name goes.
    ///
    /// Under cosign's tags only PKIX keys sign: unless it asks for them, an authority that has none
    /// costs no look there.
    pub fn takes_from(&self, source: &str) -> bool {
        match &self.sources {
            Some(sources) => sources.iter().any(|own| &**own == source),
            None => {
                source != sources::TAGS || self.keys.iter().any(|key| matches!(key, Key::Pkix(_)))
            }
        }
    }

    /// Whether any of its keys are roots of certificates, by which Notation signs.
    pub fn has_roots(&self) -> bool {
        self.keys.iter().any(|key| matches!(key, Key::X509(_)))
    }

    /// Whether statements with signatures of their own, other than metadata, can count for it when
    /// `source` brings them.
    pub fn takes_envelopes(&self, source: &str) -> bool {
        let statement = |attests: &Attests| matches!(attests, Attests::Predicate(_));
        self.takes_from(source) && self.attests.iter().any(statement)
    }

    /// Whether its signature over an index can cover statements inside it.
    pub fn covers_statements(&self) -> bool {
        self.attests.iter().any(|attests| matches!(attests, Attests::Embedded(_)))
    }
}

/// What a payload must name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Repository and digest.
    #[default]
    Repository,
    /// The digest alone, so that the signature holds for the image wherever it lies.
    Digest,
}

/// What an expired or retired key's signatures are worth.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum AfterExpiry {
    /// Nothing.
    #[default]
    Reject,
    /// Those that state an earlier time go on counting. The time is the signer's own word.
    SignedBefore,
}

/// Who compares the layers with the configuration that an image-ID signature covers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LayersCheckedBy {
    /// The container runtime, when it unpacks; containerd does, others do not.
    Runtime,
    /// The gate, which downloads the layers; an attestation waits until it has.
    Gate,
}

/// One kind of payload that an authority may sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Attests {
    /// `simple-signing`
    SimpleSigning,
    /// `image-id`
    ImageId,
    /// `notation`
    Notation,
    /// `metadata/<type>`
    Metadata(String),
    /// `metadata/*`
    AnyMetadata,
    /// A predicate type's URI: statements of it, signed themselves.
    Predicate(String),
    /// `embedded:<URI>`: statements of it inside an index that the authority signed.
    Embedded(String),
}

/// A text that names no kind of payload.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is nothing that an authority can attest; write simple-signing, image-id, notation, \
     metadata/<type>, metadata/*, the URI of a predicate type, or embedded:<URI>"
)]
pub struct BadAttests(String);

impl FromStr for Attests {
    type Err = BadAttests;

    fn from_str(text: &str) -> Result<Self, BadAttests> {
        let bad = || BadAttests(text.to_owned());
        let is_uri = |uri: &str| uri != PREDICATE_TYPE && url::Url::parse(uri).is_ok();
        match text {
            "simple-signing" => return Ok(Self::SimpleSigning),
            "image-id" => return Ok(Self::ImageId),
            notation::FORMAT => return Ok(Self::Notation),
            "metadata/*" => return Ok(Self::AnyMetadata),
            _ => {}
        }
        if let Some(kind) = text.strip_prefix("metadata/") {
            let plain = !kind.is_empty() && !kind.contains('*');
            return if plain { Ok(Self::Metadata(kind.to_owned())) } else { Err(bad()) };
        }
        if let Some(uri) = text.strip_prefix("embedded:") {
            return if is_uri(uri) { Ok(Self::Embedded(uri.to_owned())) } else { Err(bad()) };
        }
        if is_uri(text) { Ok(Self::Predicate(text.to_owned())) } else { Err(bad()) }
    }
}

impl fmt::Display for Attests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SimpleSigning => formatter.write_str("simple-signing"),
            Self::ImageId => formatter.write_str("image-id"),
            Self::Notation => formatter.write_str(notation::FORMAT),
            Self::Metadata(kind) => write!(formatter, "metadata/{kind}"),
            Self::AnyMetadata => formatter.write_str("metadata/*"),
            Self::Predicate(uri) => formatter.write_str(uri),
            Self::Embedded(uri) => write!(formatter, "embedded:{uri}"),
        }
    }
}
