//! Private keys in PEM: PKCS#8, also encrypted, SEC1, PKCS#1, and what cosign makes.
//!
//! A PKIX key names no algorithm, so each kind signs in the one way that Kritis, Binary
//! Authorization and cosign all read: RSA by PKCS#1 v1.5 with SHA-256, ECDSA with the hash of its
//! curve's size, Ed25519.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::signature::{RandomizedSigner as _, Signer as _};
use pkcs8::{
    EncodePublicKey as _, EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo, der::pem, pkcs5,
};
use rsa::{pkcs1::DecodeRsaPrivateKey as _, rand_core::OsRng};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Passphrase, SigningKeyError, sigstore};
use crate::{
    name::Fingerprint,
    verify::{
        Key,
        oids::{EC, ED25519, P256, P384, P521, RSA},
    },
};

/// A private key of PKIX. It is wiped when it is dropped.
#[derive(Clone)]
pub struct PemKey {
    secret: Arc<Secret>,
    public: Arc<str>,
    fingerprint: Fingerprint,
}

enum Secret {
    Rsa(rsa::pkcs1v15::SigningKey<Sha256>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PemKey {
    /// Reads the one private key of a PEM text.
    ///
    /// # Errors
    /// [`SigningKeyError`]: none in it, one that is locked, of a kind or size that verifiers do not
    /// take.
    pub fn load(text: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, SigningKeyError> {
        let secret = Secret::read(text, passphrase)?;
        let public = secret.public_pem().ok_or(SigningKeyError::PemKind)?;
        let fingerprint = Key::pkix(public.as_bytes())?.fingerprint();
        Ok(Self { secret: Arc::new(secret), public: public.into(), fingerprint })
    }

    /// The hex SHA-256 of the public key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The public half.
    pub fn public_pem(&self) -> &str {
        &self.public
    }

    /// The public half's name as Grafeas' attestations know it: `ni:///sha-256;…` (RFC 6920).
    pub fn named_information(&self) -> String {
        let hash = match self.fingerprint {
            Fingerprint::Pkix(hash) => URL_SAFE_NO_PAD.encode(hash),
            other => other.to_string(),
        };
        format!("ni:///sha-256;{hash}")
    }

    /// A signature over `message`: of ECDSA in ASN.1, of the others their bytes.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let fault = SigningKeyError::fault;
        Ok(match &*self.secret {
            Secret::Rsa(key) => {
                let signature: Box<[u8]> =
                    key.try_sign_with_rng(&mut OsRng, message).map_err(fault)?.into();
                signature.into_vec()
            }
            Secret::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message).map_err(fault)?;
                signature.as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.try_sign(message).map_err(fault)?;
                signature.as_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::Signature =
                    key.try_sign_with_rng(&mut OsRng, message).map_err(fault)?;
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.try_sign(message).map_err(fault)?.to_vec(),
        })
    }
}

impl fmt::Debug for PemKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PemKey({}, [secret])", self.fingerprint)
    }
}

impl Secret {
    fn read(text: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, SigningKeyError> {
        let (label, block) = private_block(text)?;
        if block.windows(LEGACY_LOCK.len()).any(|window| window == LEGACY_LOCK) {
            return Err(SigningKeyError::PemLock);
        }
        let decoded = pem::decode_vec(block).map_err(|_| SigningKeyError::NoKey)?;
        let der = Zeroizing::new(decoded.1);
        let locked = || passphrase.ok_or(SigningKeyError::LockedPem);
        match label {
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "ENCRYPTED PRIVATE KEY" => {
                let info = EncryptedPrivateKeyInfo::try_from(der.as_slice())
                    .map_err(|_| SigningKeyError::PemLock)?;
                let opened = locked()?.with(|passphrase| info.decrypt(passphrase));
                let opened = opened.map_err(|error| match error {
                    // What is said of bad padding depends on the cipher.
                    pkcs8::Error::EncryptedPrivateKey(
                        pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed,
                    ) => SigningKeyError::WrongPemPassphrase,
                    pkcs8::Error::EncryptedPrivateKey(_) => SigningKeyError::PemLock,
                    // What came out is no key.
                    _ => SigningKeyError::WrongPemPassphrase,
                })?;
                Self::from_pkcs8(opened.as_bytes())
            }
            "RSA PRIVATE KEY" => rsa::RsaPrivateKey::from_pkcs1_der(&der)
                .map(|key| Self::Rsa(rsa::pkcs1v15::SigningKey::new(key)))
                .map_err(|_| SigningKeyError::PemKind),
            "EC PRIVATE KEY" => Self::from_sec1(&der).ok_or(SigningKeyError::PemKind),
            _ => Self::from_pkcs8(&sigstore::open(&der, locked()?)?),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        let info = PrivateKeyInfo::try_from(der).map_err(|_| SigningKeyError::NoKey)?;
        let curve = info.algorithm.parameters_oid().ok();
        let key = match info.algorithm.oid {
            RSA => rsa::RsaPrivateKey::try_from(info)
                .ok()
                .map(|key| Self::Rsa(rsa::pkcs1v15::SigningKey::new(key))),
            ED25519 => ed25519_dalek::SigningKey::try_from(info).ok().map(Self::Ed25519),
            EC if curve == Some(P256) => {
                p256::SecretKey::try_from(info).ok().map(|key| Self::P256(key.into()))
            }
            EC if curve == Some(P384) => {
                p384::SecretKey::try_from(info).ok().map(|key| Self::P384(key.into()))
            }
            EC if curve == Some(P521) => p521::SecretKey::try_from(info).ok().and_then(p521_key),
            _ => None,
        };
        key.ok_or(SigningKeyError::PemKind)
    }

    /// The scalar's length tells the curve.
    fn from_sec1(der: &[u8]) -> Option<Self> {
        p256::SecretKey::from_sec1_der(der)
            .map(|key| Self::P256(key.into()))
            .or_else(|_| p384::SecretKey::from_sec1_der(der).map(|key| Self::P384(key.into())))
            .ok()
            .or_else(|| p521::SecretKey::from_sec1_der(der).ok().and_then(p521_key))
    }

    fn public_pem(&self) -> Option<String> {
        let document = match self {
            Self::Rsa(key) => rsa::RsaPublicKey::from(key.as_ref()).to_public_key_der(),
            Self::P256(key) => key.verifying_key().to_public_key_der(),
            Self::P384(key) => key.verifying_key().to_public_key_der(),
            Self::P521(key) => p521::PublicKey::from_sec1_bytes(
                p521::ecdsa::VerifyingKey::from(key).to_encoded_point(false).as_bytes(),
            )
            .ok()?
            .to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        document.ok()?.to_pem("PUBLIC KEY", LineEnding::LF).ok()
    }
}

fn p521_key(key: p521::SecretKey) -> Option<Secret> {
    let scalar = Zeroizing::new(key.to_bytes().to_vec());
    p521::ecdsa::SigningKey::from_slice(&scalar).ok().map(Secret::P521)
}

/// Whether a file is PEM of PKIX, and not armor of OpenPGP.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    LABELS.iter().chain(["PUBLIC KEY"].iter()).any(|label| text.contains(&begin(label)))
}

/// The one block of a private key, other blocks beside it: openssl writes the curve before it.
fn private_block(bytes: &[u8]) -> Result<(&'static str, &[u8]), SigningKeyError> {
    let text = str::from_utf8(bytes).map_err(|_| SigningKeyError::NoKey)?;
    let mut blocks = LABELS.iter().flat_map(|label| {
        let end = format!("-----END {label}-----");
        text.match_indices(&begin(label))
            .filter_map(|(start, _)| {
                let rest = text.get(start..)?;
                let length = rest.find(&end)? + end.len();
                Some((*label, rest.get(..length)?.as_bytes()))
            })
            .collect::<Vec<_>>()
    });
    let first = blocks.next();
    match (first, blocks.count()) {
        (Some(block), 0) => Ok(block),
        (Some(_), more) => Err(SigningKeyError::Several { count: more + 1 }),
        (None, _) if text.contains(&begin("PUBLIC KEY")) => Err(SigningKeyError::PublicPem),
        (None, _) => Err(SigningKeyError::NoKey),
    }
}

fn begin(label: &str) -> String {
    format!("-----BEGIN {label}-----")
}

const LABELS: [&str; 6] = [
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];

/// How openssl marked keys that it encrypted before PKCS#8, with MD5.
const LEGACY_LOCK: &[u8] = b"Proc-Type: 4,ENCRYPTED";
