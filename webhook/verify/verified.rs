//! What comes out of the verifier: attestations that count, and why others do not.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    attest::{CompactJson, metadata::MetadataValue},
    name::{Code, Digest, Repository, escape},
};

/// The image that evidence is judged for.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// Where the Pod takes it from.
    pub repository: &'a Repository,
    /// The digest that the Pod names: of the index, or of the manifest.
    pub digest: Digest,
    /// Of an index, the manifest of the platform that is judged; absent where there is no index.
    pub platform: Option<Digest>,
    /// The configuration of that platform, the image ID.
    pub config: Option<Digest>,
    /// The same bytes under other algorithms, as far as somebody hashed them: a digest from above
    /// and its equal. A subject that names an algorithm which is not known here does not match.
    pub equals: &'a [(Digest, Digest)],
    /// Whether the layers are those that the configuration names, for signatures over that alone.
    pub layers: Layers<'a>,
}

/// What somebody found who compared the layers of an image with its configuration.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layers<'a> {
    /// Nobody has compared them.
    #[default]
    NotCompared,
    /// They are the ones that it names.
    Bound,
    /// They are not, or cannot be shown to be, and why.
    Unbound(&'a str),
}

/// What one candidate was worth for one image.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub verified: Vec<Verified>,
    pub rejected: Vec<Rejection>,
    /// What would count, if somebody compared the layers.
    pub layers_unchecked: Vec<LayersUnchecked>,
}

/// An attestation that counts for an authority.
///
/// Only the verifier makes one, so code that is given a `Verified` cannot have been given what
/// nobody checked. It proves that a key of the authority signed a payload that names this image,
/// while the key was good, and that the authority may say such a thing. It does not prove when:
/// `signedAt` is the signer's own word.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    pub(super) authority: Arc<str>,
    pub(super) format: &'static str,
    pub(super) source: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) subject: SubjectImage,
    pub(super) predicate_type: Arc<str>,
    pub(super) predicate: Arc<CompactJson>,
    #[serde(skip)]
    pub(super) metadata: Option<Arc<MetadataValue>>,
    pub(super) signer: Arc<Signer>,
    pub(super) signed_at: Option<Timestamp>,
    pub(super) recorded_at: Option<Timestamp>,
}

/// What the signed bytes name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SubjectImage {
    /// The repository as the signer knew it, normalized; null where the payload names none.
    pub repository: Option<Repository>,
    pub digest: Digest,
    pub level: Level,
}

/// Which of an image's digests a signature covers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The index that the Pod names.
    Index,
    /// The manifest: of the platform, or the only one.
    Manifest,
    /// The configuration, which covers the layers only through its `diff_ids`.
    Config,
}

/// An attestation over an image ID by an authority with `layersCheckedBy: gate`. It counts once the
/// layers have been downloaded and compared; until then it is a rejection.
#[derive(Clone, Debug)]
pub struct LayersUnchecked(pub(super) Verified);

/// The key that made a signature.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    /// Of the certificate, or of the PKIX key.
    pub(super) fingerprint: String,
    /// Of the key that signed; the certificate's own where that did.
    pub(super) subkey: String,
    /// The short form of `subkey`; null for PKIX keys, which have none.
    pub(super) key_id: Option<String>,
    pub(super) user_ids: Vec<String>,
    /// The public material, the same however often and in whatever file it appears.
    #[serde(serialize_with = "hex")]
    pub(super) identity: [u8; 32],
}

/// Evidence that does not count, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Rejection {
    pub source: Arc<str>,
    pub name: String,
    pub format: String,
    pub code: Code,
    /// Escaped and cut.
    detail: String,
}

impl Rejection {
    /// What `name` at `source` is rejected for. The detail may quote outside text of any length.
    pub fn new(
        source: impl Into<Arc<str>>,
        name: impl Into<String>,
        format: &str,
        code: Code,
        detail: &str,
    ) -> Self {
        let (source, name, format) = (source.into(), name.into(), format.to_owned());
        // What stands behind a semicolon is what a rule says to do.
        let detail = escape(&detail.replace(';', ","), MOST_DETAIL);
        Self { source, name, format, code, detail }
    }

    /// Why, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// About how many bytes it occupies.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.format.len() + self.detail.len()
    }
}

impl LayersUnchecked {
    /// The authority that it would count for.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Where it was found.
    pub fn source(&self) -> &Arc<str> {
        &self.0.source
    }

    /// Whether the same key says the same for the same authority of the manifest itself, which
    /// covers the layers: then nobody need compare them.
    pub fn is_repeated_by(&self, verified: &Verified) -> bool {
        verified.subject.level == Level::Manifest
            && verified.authority == self.0.authority
            && verified.signer.identity == self.0.signer.identity
    }

    /// What it is while nobody has compared the layers.
    pub fn reject(self) -> Rejection {
        let Verified { source, name, format, authority, .. } = self.0;
        let detail = format!(
            "signed by a key of authority {authority:?} over the image ID alone, and the gate has \
             not compared the layers with it"
        );
        Rejection::new(source, &*name, format, Code::PayloadLayersUnbound, &detail)
    }
}

impl Verified {
    /// The authority that it counts for.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the evidence is called at its source.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn format(&self) -> &'static str {
        self.format
    }

    pub fn subject(&self) -> &SubjectImage {
        &self.subject
    }

    /// `simple-signing`, `image-id`, or a statement's predicate type.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    pub fn predicate(&self) -> &CompactJson {
        &self.predicate
    }

    /// The value that was signed, where this is metadata. Metadata is no attestation: rules find
    /// it under its type.
    pub fn metadata(&self) -> Option<&MetadataValue> {
        self.metadata.as_deref()
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// When the signer says it signed; PKIX signatures say nothing.
    pub fn signed_at(&self) -> Option<Timestamp> {
        self.signed_at
    }
}

impl Signer {
    /// The fingerprint of the certificate, or of the PKIX key.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub fn user_ids(&self) -> &[String] {
        &self.user_ids
    }

    /// Equal for all keys that are one key: the subkeys of a certificate, and the same public
    /// material in another certificate or PEM file. Thresholds count these.
    pub fn identity(&self) -> &[u8; 32] {
        &self.identity
    }
}

/// Characters of the detail of a rejection: enough to tell a person.
pub(super) const MOST_DETAIL: usize = 1024;

fn hex<S: Serializer>(identity: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Digest::Sha256(*identity).hex())
}
