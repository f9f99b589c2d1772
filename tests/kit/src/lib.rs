//! Peers in process.

mod grafeas;
mod image;
mod key;
mod payload;
mod peer;
mod registry;
mod tls;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub use grafeas::{
    Grafeas, Quirks, attestation_generic, attestation_pgp, attestation_v1, build_occurrence,
    occurrence, vulnerability_occurrence,
};
pub use image::{Artifact, Content, Image, Index, artifact, image, index};
pub use key::{Key, KeyOptions, PkixKey, Revocation, Signing, keyring, keyring_armored};
pub use payload::{
    IN_TOTO, envelope, pae, signed_statement, simple_signing, simple_signing_of, statement,
};
pub use peer::{Answer, Fault, Kind, Listen, On, Peer, Request, Rewrite, round_trips};
pub use registry::{Auth, Referrers, Registry, RegistryOptions, TokenService, Users};
pub use tls::{Ca, Certificate};

/// `sha256:` and the hex digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Standard base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of standard base64, if it is that.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The media type of the empty descriptor.
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
