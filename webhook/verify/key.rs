//! Public keys as an operator hands them over: OpenPGP keyrings and PKIX PEM files.

use std::sync::Arc;

use sequoia_openpgp::{Cert, cert::CertParser, parse::Parse as _};

use super::{
    armor::{self, BadArmor},
    pkix::PkixKey,
    root::Root,
};
use crate::name::Fingerprint;

/// A key of an authority: a whole OpenPGP certificate with its subkeys, one PKIX key, or a root of
/// X.509 certificates, each of which is for another key.
#[derive(Clone, Debug)]
pub enum Key {
    OpenPgp(Arc<Cert>),
    Pkix(Arc<PkixKey>),
    X509(Arc<Root>),
}

/// Why a file holds no keys that an authority can have.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no OpenPGP certificate in it; export one with `gpg --armor --export FINGERPRINT`")]
    Empty,
    #[error("{size} bytes of keyring, at most {MAX_SIZE} are read; export only the keys needed")]
    TooLarge { size: usize },
    #[error("more than {MAX_CERTS} certificates in it; export only the keys needed")]
    TooMany,
    #[error(
        "it holds a secret key, which has no business here; \
         give the certificate, as `gpg --armor --export FINGERPRINT` writes it"
    )]
    Secret,
    #[error("no OpenPGP keyring; export one with `gpg --armor --export FINGERPRINT`")]
    Armor(#[source] BadArmor),
    #[error("certificate {number} of the keyring does not parse: {reason}; export it again")]
    Cert { number: usize, reason: String },
    #[error("no public key in PEM; write it with `openssl pkey -pubin` or `cosign public-key`")]
    Pem,
    #[error("{count} public keys in one PEM file; list each as a key of its own")]
    SeveralPem { count: usize },
    #[error("neither RSA, nor ECDSA on P-256, P-384 or P-521, nor Ed25519; use one of these")]
    PkixKind,
    #[error("an RSA key of {bits} bits; 2048 to 8192 are accepted, so make a new one")]
    RsaSize { bits: usize },
    #[error("no certificate in PEM; write the root's with `openssl x509 -in FILE`")]
    NoRoot,
    #[error("more than {count} certificates in it; name those of this authority's roots only", count = super::root::MAX_ROOTS)]
    TooManyRoots,
    #[error("it holds a public key where a certificate should be; name such a file as `pkix`")]
    KeyAsRoot,
    #[error("it holds a secret key, which has no business here; give the certificate alone")]
    SecretRoot,
    #[error("certificate {number} of it {why}")]
    Root { number: usize, why: &'static str },
}

impl Key {
    /// Reads every certificate of a keyring, binary or armored, several blocks one after another
    /// too. Certificates that appear twice are merged.
    ///
    /// # Errors
    /// [`KeyError`]: nothing in it, a secret key, something that is no certificate, too much.
    pub fn openpgp(bytes: &[u8]) -> Result<Vec<Self>, KeyError> {
        let certs = certs(bytes)?;
        if certs.iter().any(Cert::is_tsk) {
            return Err(KeyError::Secret);
        }
        Ok(certs.into_iter().map(|cert| Self::OpenPgp(Arc::new(cert))).collect())
    }

    /// Reads one public key in PEM.
    ///
    /// # Errors
    /// [`KeyError`]: none or several in it, a secret key, a kind or size that is not accepted.
    pub fn pkix(pem: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::Pkix(Arc::new(PkixKey::from_pem(pem)?)))
    }

    /// Reads the roots of X.509 certificates in a PEM text.
    ///
    /// # Errors
    /// [`KeyError`]: none in it, a key, a certificate that no signature could ever be under.
    pub fn x509(pem: &[u8]) -> Result<Vec<Self>, KeyError> {
        Ok(Root::from_pem(pem)?.into_iter().map(|root| Self::X509(Arc::new(root))).collect())
    }

    /// What it is called: the certificate's fingerprint, or that of the PKIX key.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::OpenPgp(cert) => fingerprint(&cert.fingerprint()),
            Self::Pkix(key) => key.fingerprint(),
            Self::X509(root) => root.fingerprint(),
        }
    }
}

/// The certificates of a keyring, binary or armored, each once, secret halves included.
pub(super) fn certs(bytes: &[u8]) -> Result<Vec<Cert>, KeyError> {
    if bytes.len() > MAX_SIZE {
        return Err(KeyError::TooLarge { size: bytes.len() });
    }
    let mut certs: Vec<Cert> = Vec::new();
    for block in blocks(bytes)? {
        let parser = CertParser::from_bytes(&block).map_err(|_| KeyError::Empty)?;
        for cert in parser {
            let number = certs.len() + 1;
            if number > MAX_CERTS {
                return Err(KeyError::TooMany);
            }
            let cert =
                cert.map_err(|error| KeyError::Cert { number, reason: error.to_string() })?;
            certs.push(cert);
        }
    }
    if certs.is_empty() {
        return Err(KeyError::Empty);
    }
    Ok(merged(certs))
}

/// Certificates in the order given, each once, with all that is said of it anywhere: a revocation
/// in one copy holds for the other.
pub fn merged(certs: Vec<Cert>) -> Vec<Cert> {
    let mut once: Vec<Cert> = Vec::new();
    for cert in certs {
        match once.iter().position(|known| known.fingerprint() == cert.fingerprint()) {
            None => once.push(cert),
            Some(at) => {
                let known = once.remove(at);
                // It fails for certificates of different fingerprints only.
                let merged = known.clone().merge_public_and_secret(cert).unwrap_or(known);
                once.insert(at, merged);
            }
        }
    }
    once
}

/// A fingerprint in our own spelling.
pub fn fingerprint(fingerprint: &sequoia_openpgp::Fingerprint) -> Fingerprint {
    let bytes = fingerprint.as_bytes();
    if let Ok(v4) = bytes.try_into() {
        return Fingerprint::V4(v4);
    }
    let mut v6 = [0; 32];
    v6.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Fingerprint::V6(v6)
}

/// The packets of each armored block, or the binary ones as they are. A reader of armor stops
/// after its first block, and keys in a second one would silently not be there.
fn blocks(bytes: &[u8]) -> Result<Vec<Vec<u8>>, KeyError> {
    match bytes.first() {
        None => Err(KeyError::Empty),
        Some(0x80..) => Ok(vec![bytes.to_vec()]),
        Some(_) => {
            let starts: Vec<usize> = bytes
                .windows(armor::BEGIN.len())
                .enumerate()
                .filter_map(|(at, window)| (window == armor::BEGIN).then_some(at))
                .collect();
            let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
            starts
                .iter()
                .zip(ends)
                .map(|(start, end)| bytes.get(*start..end).unwrap_or_default().trim_ascii())
                .map(|block| armor::dearmor(block).map_err(KeyError::Armor))
                .collect()
        }
    }
}

/// The largest keyring; certificates with many certifications reach hundreds of kilobytes.
const MAX_SIZE: usize = 4 * 1024 * 1024;

/// The most certificates of one keyring.
const MAX_CERTS: usize = 256;
