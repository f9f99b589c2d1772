//! `BuildKit`'s attestations: in-toto statements that lie inside the index of the image itself.
//!
//! An index lists, beside the manifests of its platforms, manifests that nothing can run, each with
//! the digest of the manifest that its statements are about. The manifest came in two layouts: an
//! image manifest with a config that says nothing, and since v0.32 an artifact with a `subject`.
//! The statements are the layers in both, and no signature of their own covers them
//! (moby/buildkit, `docs/attestations/attestation-storage.md`).

use std::sync::Arc;

use super::{
    CompactJson, IN_TOTO, Statement,
    artifact::ENVELOPE_LAYER,
    oci::{Descriptor, Index, Manifest},
};
use crate::name::{Code, Digest, escape};

/// What a layer of such a manifest carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EmbeddedLayer<'a> {
    /// A bare statement, of this predicate type as the descriptor says; a hint.
    Statement(Option<&'a str>),
    /// A statement inside a DSSE envelope, with signatures of its own.
    Envelope,
}

/// A statement of an index about one of the manifests in it. Nobody vouches for it but who signed
/// the index.
#[derive(Clone, Debug)]
pub struct EmbeddedStatement {
    /// Of the statement's bytes, under which the index holds them.
    pub digest: Digest,
    /// The manifest that it is about.
    pub subject: Digest,
    pub predicate_type: Arc<str>,
    pub predicate: Arc<CompactJson>,
}

/// Why a layer of an index is no statement about its platform.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct BadEmbedded {
    pub code: Code,
    /// Escaped.
    pub detail: String,
}

/// The manifests of `index` that carry statements, each with the manifest that they are about.
pub fn carriers(index: &Index) -> impl Iterator<Item = (Digest, &Descriptor)> {
    index.manifests.iter().filter_map(|entry| {
        let annotation = |name: &str| entry.annotations.get(name).map(String::as_str);
        let carries = annotation(REFERENCE_TYPE) == Some("attestation-manifest");
        let about = annotation(REFERENCE_DIGEST).filter(|_| carries)?.parse().ok()?;
        Some((about, entry))
    })
}

/// What `layer` carries, if it is one of those that are read.
pub fn layer(layer: &Descriptor) -> Option<EmbeddedLayer<'_>> {
    match layer.media_type.as_str() {
        IN_TOTO => {
            let predicate_type = layer.annotations.get(PREDICATE_TYPE).map(String::as_str);
            Some(EmbeddedLayer::Statement(predicate_type))
        }
        ENVELOPE_LAYER => Some(EmbeddedLayer::Envelope),
        _ => None,
    }
}

/// Whether a manifest that the index lists for `platform` is about it, as far as it says: only
/// the newer layout names its subject.
///
/// # Errors
/// It names another.
pub fn check_subject(manifest: &Manifest, platform: Digest) -> Result<(), BadEmbedded> {
    match &manifest.subject {
        Some(subject) if subject.digest != platform => {
            let detail = format!(
                "the index lists it for {platform}, and it names {} as its subject",
                subject.digest
            );
            Err(BadEmbedded { code: Code::PayloadOtherImage, detail })
        }
        _ => Ok(()),
    }
}

impl EmbeddedStatement {
    /// Reads the bytes of a statement, which hash to `digest`, for the manifest `platform`.
    ///
    /// Success proves that it names that manifest, under every algorithm that its subject gives.
    ///
    /// ```
    /// use countersign::{attest::buildkit::EmbeddedStatement, name::Digest};
    ///
    /// let platform = Digest::sha256(b"a manifest");
    /// let statement = format!(
    ///     r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1",
    ///         "subject":[{{"name":"_","digest":{{"sha256":"{}"}}}}],"predicate":{{}}}}"#,
    ///     platform.hex(),
    /// );
    /// let digest = Digest::sha256(statement.as_bytes());
    /// let read = EmbeddedStatement::read(digest, statement.as_bytes(), platform).unwrap();
    /// assert_eq!(&*read.predicate_type, "https://slsa.dev/provenance/v1");
    ///
    /// let moved = EmbeddedStatement::read(digest, statement.as_bytes(), Digest::sha256(b"another"));
    /// assert_eq!(moved.unwrap_err().code.as_str(), "payload.other-image");
    /// ```
    ///
    /// # Errors
    /// It is no statement, or one about something else.
    pub fn read(digest: Digest, bytes: &[u8], platform: Digest) -> Result<Self, BadEmbedded> {
        let statement = Statement::parse(bytes).map_err(|bad| BadEmbedded {
            code: Code::PayloadMalformed,
            detail: escape(&bad.to_string(), SHOWN),
        })?;
        let platform_name = platform.to_string();
        let about = |(kind, hex): (&str, &str)| format!("{kind}:{hex}") == platform_name;
        let meant = statement
            .subjects
            .iter()
            .any(|subject| !subject.digests.is_empty() && subject.digests.iter().all(about));
        if !meant {
            let subjects =
                statement.subjects.iter().take(3).flat_map(|subject| subject.digests.iter());
            let listed: Vec<_> = subjects.map(|(kind, hex)| format!("{kind}:{hex}")).collect();
            let detail =
                format!("it is about {}, not {platform}", escape(&listed.join(", "), SHOWN));
            return Err(BadEmbedded { code: Code::PayloadOtherImage, detail });
        }
        Ok(Self {
            digest,
            subject: platform,
            predicate_type: statement.predicate_type.into(),
            predicate: Arc::new(statement.predicate.into()),
        })
    }
}

/// What an entry of an index is, where it is not an image.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// The manifest that such an entry is about.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// The predicate type of a statement, beside it.
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// How much of outside text a reason quotes.
const SHOWN: usize = 256;
