//! Our own artifact: an attestation as an OCI referrer of its image.
//!
//! One layer, empty config. The layer's media type says what it is; the artifact type is only what
//! makes a registry list it.

use bytes::Bytes;

use super::{BadEnvelope, Envelope, Signed};

/// What a referrer of ours is called in `artifactType`.
pub const ARTIFACT_TYPE: &str = "application/vnd.countersign.attestation.v1";

/// An attached OpenPGP message around a simple signing payload: the bytes podman keeps in a
/// lookaside.
pub const SIMPLE_SIGNING_LAYER: &str = "application/vnd.countersign.simple-signing.v1+pgp";

/// A DSSE envelope around an in-toto statement.
pub const ENVELOPE_LAYER: &str = "application/vnd.dsse.envelope.v1+json";

/// Up to this many bytes a layer stands in the manifest too, so that a reader needs no blob.
pub const INLINE: usize = 8 * 1024;

/// Most bytes that a layer of evidence may have.
pub const LARGEST_LAYER: u64 = 4 * 1024 * 1024;

/// Why a layer of an artifact of ours is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum BadLayer {
    /// Not one of the layers that our artifacts have.
    #[error("its layer is of type {0:?}, which is none that an attestation has")]
    MediaType(String),
    /// No DSSE envelope.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
}

/// What a layer of an artifact of ours carries.
///
/// # Errors
/// The layer is of another type, or is not what its type says.
pub fn read_layer(media_type: &str, bytes: Bytes) -> Result<Signed, BadLayer> {
    match media_type {
        SIMPLE_SIGNING_LAYER => Ok(Signed::OpenPgpMessage(bytes)),
        ENVELOPE_LAYER => Ok(Signed::Dsse(Envelope::parse(&bytes)?)),
        other => Err(BadLayer::MediaType(other.to_owned())),
    }
}
