//! PKIX keys: a public key in PEM, which names no way to sign.
//!
//! RSA by PKCS#1 v1.5 and PSS, ECDSA on P-256, P-384 and P-521, each with SHA-256, SHA-384 and
//! SHA-512, and Ed25519 are tried. No signature fits two of them by accident.

use std::fmt;

use p256::ecdsa::signature::{Verifier as _, hazmat::PrehashVerifier as _};
use ring::signature::{self, UnparsedPublicKey};
use rustls_pki_types::{
    SubjectPublicKeyInfoDer,
    pem::{PemObject as _, SectionKind},
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use spki::{
    SubjectPublicKeyInfoRef,
    der::{Decode as _, Reader as _, SliceReader, asn1::UintRef},
};

use super::{
    KeyError,
    material::Material,
    oids::{EC, ED25519, P256, P384, P521, RSA},
};
use crate::{attest::JwsAlgorithm, name::Fingerprint};

/// A PKIX public key.
#[derive(Clone)]
pub struct PkixKey {
    fingerprint: [u8; 32],
    algorithm: Algorithm,
}

/// The key itself, ready to verify with.
#[derive(Clone)]
enum Algorithm {
    /// `RSAPublicKey` of PKCS#1, in DER.
    Rsa {
        der: Vec<u8>,
        modulus: Vec<u8>,
        exponent: Vec<u8>,
        bits: usize,
    },
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(Vec<u8>),
}

impl PkixKey {
    /// Reads the one public key of a PEM text.
    ///
    /// # Errors
    /// [`KeyError`]: no `PUBLIC KEY` section or several, a secret key, a kind or size of key
    /// that is not taken.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            match section.map_err(|_| KeyError::Pem)? {
                (SectionKind::PublicKey, der) => keys.push(der),
                (
                    SectionKind::PrivateKey
                    | SectionKind::RsaPrivateKey
                    | SectionKind::EcPrivateKey,
                    _,
                ) => return Err(KeyError::Secret),
                _ => return Err(KeyError::Pem),
            }
        }
        match keys.as_slice() {
            [der] => Self::from_der(&SubjectPublicKeyInfoDer::from(der.as_slice())),
            [] => Err(KeyError::Pem),
            _ => Err(KeyError::SeveralPem { count: keys.len() }),
        }
    }

    pub(super) fn from_der(der: &SubjectPublicKeyInfoDer<'_>) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::Pem)?;
        let key = info.subject_public_key.as_bytes().ok_or(KeyError::Pem)?;
        let curve = || info.algorithm.parameters_oid().ok();
        let bad_point = |_| KeyError::Pem;
        let algorithm = match info.algorithm.oid {
            RSA => rsa(key)?,
            ED25519 if key.len() == 32 => Algorithm::Ed25519(key.to_vec()),
            EC if curve() == Some(P256) => {
                Algorithm::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(bad_point)?)
            }
            EC if curve() == Some(P384) => {
                Algorithm::P384(p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(bad_point)?)
            }
            EC if curve() == Some(P521) => {
                Algorithm::P521(p521::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(bad_point)?)
            }
            _ => return Err(KeyError::PkixKind),
        };
        Ok(Self { fingerprint: Sha256::digest(der).into(), algorithm })
    }

    /// The SHA-256 of the `SubjectPublicKeyInfo`.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::Pkix(self.fingerprint)
    }

    /// What kind of key it is, for people.
    pub fn kind(&self) -> String {
        match &self.algorithm {
            Algorithm::Rsa { bits, .. } => format!("RSA {bits}"),
            Algorithm::P256(_) => "ECDSA P-256".to_owned(),
            Algorithm::P384(_) => "ECDSA P-384".to_owned(),
            Algorithm::P521(_) => "ECDSA P-521".to_owned(),
            Algorithm::Ed25519(_) => "Ed25519".to_owned(),
        }
    }

    /// The key's numbers, whatever file they came in.
    pub(super) fn material(&self) -> Material {
        match &self.algorithm {
            Algorithm::Rsa { modulus, exponent, .. } => Material::rsa(modulus, exponent),
            Algorithm::P256(key) => Material::point(key.to_encoded_point(false).as_bytes()),
            Algorithm::P384(key) => Material::point(key.to_encoded_point(false).as_bytes()),
            Algorithm::P521(key) => Material::point(key.to_encoded_point(false).as_bytes()),
            Algorithm::Ed25519(key) => Material::ed25519(key),
        }
    }

    /// Whether this key made `signature` over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.algorithm {
            Algorithm::Rsa { der, .. } => RSA_SCHEMES.iter().any(|scheme| {
                UnparsedPublicKey::new(*scheme, der).verify(message, signature).is_ok()
            }),
            Algorithm::P256(key) => p256::ecdsa::Signature::from_der(signature).is_ok_and(|sig| {
                hashes(message).iter().any(|hash| key.verify_prehash(hash, &sig).is_ok())
            }),
            Algorithm::P384(key) => p384::ecdsa::Signature::from_der(signature).is_ok_and(|sig| {
                hashes(message).iter().any(|hash| key.verify_prehash(hash, &sig).is_ok())
            }),
            Algorithm::P521(key) => p521::ecdsa::Signature::from_der(signature).is_ok_and(|sig| {
                hashes(message).iter().any(|hash| key.verify_prehash(&widened(hash), &sig).is_ok())
            }),
            Algorithm::Ed25519(key) => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature).is_ok()
            }
        }
    }
}

impl PkixKey {
    /// The one algorithm that web signatures by this key may be made with; sizes of RSA keys in
    /// between have none.
    pub fn jws_algorithm(&self) -> Option<JwsAlgorithm> {
        match &self.algorithm {
            Algorithm::Rsa { bits: 2048, .. } => Some(JwsAlgorithm::Ps256),
            Algorithm::Rsa { bits: 3072, .. } => Some(JwsAlgorithm::Ps384),
            Algorithm::Rsa { bits: 4096, .. } => Some(JwsAlgorithm::Ps512),
            Algorithm::P256(_) => Some(JwsAlgorithm::Es256),
            Algorithm::P384(_) => Some(JwsAlgorithm::Es384),
            Algorithm::P521(_) => Some(JwsAlgorithm::Es512),
            Algorithm::Rsa { .. } | Algorithm::Ed25519(_) => None,
        }
    }

    /// Whether this key made `signature` over `message` with that algorithm, written as web
    /// signatures are: both numbers of an ECDSA one after the other.
    pub fn verifies_jws(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.algorithm {
            Algorithm::Rsa { der, bits, .. } => {
                let scheme = match bits {
                    2048 => &signature::RSA_PSS_2048_8192_SHA256,
                    3072 => &signature::RSA_PSS_2048_8192_SHA384,
                    4096 => &signature::RSA_PSS_2048_8192_SHA512,
                    _ => return false,
                };
                UnparsedPublicKey::new(scheme, der).verify(message, signature).is_ok()
            }
            Algorithm::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|sig| key.verify(message, &sig).is_ok()),
            Algorithm::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|sig| key.verify(message, &sig).is_ok()),
            Algorithm::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|sig| key.verify(message, &sig).is_ok()),
            Algorithm::Ed25519(_) => false,
        }
    }
}

impl fmt::Debug for PkixKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PkixKey({})", self.fingerprint())
    }
}

/// Takes an RSA key apart, to know its size.
fn rsa(der: &[u8]) -> Result<Algorithm, KeyError> {
    let mut reader = SliceReader::new(der).map_err(|_| KeyError::Pem)?;
    let (modulus, exponent) = reader
        .sequence(|inner| Ok((UintRef::decode(inner)?, UintRef::decode(inner)?)))
        .and_then(|numbers| reader.finish(numbers))
        .map_err(|_| KeyError::Pem)?;
    let (modulus, exponent) = (modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec());
    let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    if !(2048..=8192).contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    Ok(Algorithm::Rsa { der: der.to_vec(), modulus, exponent, bits })
}

/// The hashes that signers use.
fn hashes(message: &[u8]) -> [Vec<u8>; 3] {
    [
        Sha256::digest(message).to_vec(),
        Sha384::digest(message).to_vec(),
        Sha512::digest(message).to_vec(),
    ]
}

/// The same number with zeros in front: a hash shorter than half of the curve's width would be
/// refused for its length, and SHA-256 is, by half a byte.
fn widened(hash: &[u8]) -> Vec<u8> {
    let mut wide = vec![0; 64_usize.saturating_sub(hash.len())];
    wide.extend_from_slice(hash);
    wide
}

const RSA_SCHEMES: [&signature::RsaParameters; 6] = [
    &signature::RSA_PKCS1_2048_8192_SHA256,
    &signature::RSA_PSS_2048_8192_SHA256,
    &signature::RSA_PKCS1_2048_8192_SHA512,
    &signature::RSA_PSS_2048_8192_SHA512,
    &signature::RSA_PKCS1_2048_8192_SHA384,
    &signature::RSA_PSS_2048_8192_SHA384,
];
