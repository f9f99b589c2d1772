//! A key without OpenPGP: ECDSA P-256, its public half in PEM.

use rcgen::{KeyPair, PublicKeyData, SigningKey};

use crate::sha256;

/// An ECDSA P-256 key pair. Signatures are over SHA-256, in ASN.1.
pub struct PkixKey(KeyPair);

impl PkixKey {
    /// A new key.
    pub fn generate() -> Self {
        Self(KeyPair::generate().expect("an ECDSA key"))
    }

    /// The public key: PEM of a `SubjectPublicKeyInfo`.
    pub fn public_pem(&self) -> String {
        self.0.public_key_pem()
    }

    /// The secret key, PKCS#8 PEM.
    pub fn secret_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// The hex SHA-256 of the `SubjectPublicKeyInfo`.
    pub fn fingerprint(&self) -> String {
        sha256(&self.0.subject_public_key_info()).replace("sha256:", "")
    }

    /// The raw signature over `payload`.
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        self.0.sign(payload).expect("a signature")
    }
}
