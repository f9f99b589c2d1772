//! The public material of a key, the same however often and in whatever file it appears.
//!
//! Thresholds count people and machines, not files: an RSA key in two certificates and in a PEM
//! file is one key.

use sequoia_openpgp::{
    crypto::mpi::PublicKey,
    packet::{
        Key,
        key::{PublicParts, UnspecifiedRole},
    },
    serialize::MarshalInto as _,
};
use sha2::{Digest as _, Sha256};

/// A hash of a key's numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Material([u8; 32]);

impl Material {
    /// The material of one key of an OpenPGP certificate.
    pub fn of(key: &Key<PublicParts, UnspecifiedRole>) -> Self {
        match key.mpis() {
            PublicKey::RSA { e, n } => Self::rsa(n.value(), e.value()),
            PublicKey::ECDSA { q, .. } | PublicKey::ECDH { q, .. } => Self::point(q.value()),
            // The point of the older form is marked by 0x40.
            PublicKey::EdDSA { q, .. } => Self::ed25519(q.value().get(1..).unwrap_or_default()),
            PublicKey::Ed25519 { a } => Self::ed25519(a),
            other => Self::new("other", &[&other.to_vec().unwrap_or_default()]),
        }
    }

    /// Big-endian numbers without leading zeros.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::new("rsa", &[modulus, exponent])
    }

    /// A point on a NIST curve, uncompressed; its length tells the curve.
    pub fn point(point: &[u8]) -> Self {
        Self::new("point", &[point])
    }

    pub fn ed25519(point: &[u8]) -> Self {
        Self::new("ed25519", &[point])
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn new(kind: &str, numbers: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind);
        for number in numbers {
            hash.update((number.len() as u64).to_be_bytes());
            hash.update(number);
        }
        Self(hash.finalize().into())
    }
}
