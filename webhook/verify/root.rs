//! Roots: certificates that an authority trusts others by, or that signed themselves.

use rustls_pki_types::{
    SubjectPublicKeyInfoDer,
    pem::{PemObject as _, SectionKind},
};
use sha2::{Digest as _, Sha256};

use super::{KeyError, chain, material::Material, pkix::PkixKey, subject::Subject};
use crate::{attest::x509::X509, name::Fingerprint};

/// A certificate at the top of chains; or one that signed itself and signs images, alone.
#[derive(Clone, Debug)]
pub struct Root {
    der: Vec<u8>,
    pub certificate: X509,
    key: PkixKey,
}

impl Root {
    /// Reads every certificate of a PEM text.
    ///
    /// # Errors
    /// [`KeyError`]: none or too many in it, a key, a certificate that no signature could ever be
    /// under.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, KeyError> {
        let mut roots: Vec<Self> = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            let number = roots.len() + 1;
            match section.map_err(|_| KeyError::NoRoot)? {
                _ if number > MAX_ROOTS => return Err(KeyError::TooManyRoots),
                (SectionKind::Certificate, der) => {
                    roots.push(Self::from_der(der).map_err(|why| KeyError::Root { number, why })?);
                }
                (SectionKind::PublicKey, _) => return Err(KeyError::KeyAsRoot),
                (
                    SectionKind::PrivateKey
                    | SectionKind::RsaPrivateKey
                    | SectionKind::EcPrivateKey,
                    _,
                ) => return Err(KeyError::SecretRoot),
                _ => return Err(KeyError::NoRoot),
            }
        }
        if roots.is_empty() { Err(KeyError::NoRoot) } else { Ok(roots) }
    }

    fn from_der(der: Vec<u8>) -> Result<Self, &'static str> {
        let certificate = X509::from_der(&der).map_err(|_| "does not parse as X.509 version 3")?;
        if certificate.subject != certificate.issuer {
            return Err("is issued by another one; name the root at the top of its chain");
        }
        let info = SubjectPublicKeyInfoDer::from(certificate.key.as_slice());
        let key = PkixKey::from_der(&info).map_err(|_| "has a key of a kind that is not taken")?;
        if chain::issues(&certificate).is_err() && chain::signs(&certificate).is_err() {
            return Err("may neither issue others (critical basicConstraints CA, keyUsage \
                        keyCertSign) nor sign (critical keyUsage digitalSignature)");
        }
        Ok(Self { der, certificate, key })
    }

    /// The SHA-256 of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.der)
    }

    /// Whether this is it, bit for bit.
    pub fn is(&self, der: &[u8]) -> bool {
        self.der == der
    }

    /// Whom it is for.
    pub fn subject(&self) -> Subject {
        Subject::new(self.certificate.attributes.clone())
    }

    /// What kind of key it has, for people.
    pub fn kind(&self) -> String {
        self.key.kind()
    }

    pub(super) fn material(&self) -> Material {
        self.key.material()
    }
}

/// What certificates are called: by the SHA-256 of all of it.
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint::Pkix(Sha256::digest(der).into())
}

/// More roots than an authority has.
pub(super) const MAX_ROOTS: usize = 64;
