//! The certificate that the API server checks, and the CA of those who may call.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::expiry;
use crate::source::read_file;

/// The files of `tls:` in the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// PEM: the certificate, then those of its issuers.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: if given, only callers with a certificate of one of these are answered.
    pub client_ca: Option<PathBuf>,
}

/// What was in those files, as far as it is known to work together.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For the listener: HTTP/1.1 only.
    pub config: Arc<ServerConfig>,
    /// The end of the certificate's validity, where it can be read.
    pub expires: Option<Timestamp>,
}

/// The bytes of the files, to see whether they changed.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl TlsFiles {
    /// Reads the files and checks that they fit together.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be used.
    pub fn load(&self) -> Result<Tls, TlsError> {
        self.tls(&self.contents()?)
    }

    pub(super) fn contents(&self) -> Result<Contents, TlsError> {
        Ok(Contents {
            certificate: read(&self.certificate)?,
            key: zeroize::Zeroizing::new(read(&self.key)?),
            client_ca: self.client_ca.as_deref().map(read).transpose()?,
        })
    }

    pub(super) fn tls(&self, contents: &Contents) -> Result<Tls, TlsError> {
        let chain = certificates(&self.certificate, &contents.certificate)?;
        let expires = chain.first().and_then(|leaf| expiry::not_after(leaf));
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|source| TlsError::Key { path: self.key.clone(), source })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Protocol)?;
        let builder = match (&self.client_ca, &contents.client_ca) {
            (Some(path), Some(pem)) => {
                builder.with_client_cert_verifier(client_verifier(path, pem, provider)?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|source| TlsError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })?;
        // The API server speaks 1.1 to webhooks; what is not offered cannot be attacked.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), expires })
    }
}

/// Why the listener has no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not there, or not for us.
    #[error("{} is not readable", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// No PEM, or none of a certificate.
    #[error("{} is no list of certificates in PEM", path.display())]
    Certificates { path: PathBuf, source: rustls_pki_types::pem::Error },
    /// An empty list.
    #[error("{} holds no certificate; write PEM, the server's own first", path.display())]
    NoCertificate { path: PathBuf },
    /// No PEM, or none of a private key without a passphrase.
    #[error("{} is no private key in PEM; a key under a passphrase cannot be used", path.display())]
    Key { path: PathBuf, source: rustls_pki_types::pem::Error },
    /// They are not of each other.
    #[error("{} and {} do not fit together", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    /// A client CA that cannot vouch for anybody.
    #[error("{} holds a certificate that cannot be a CA", path.display())]
    ClientCa { path: PathBuf, source: rustls::Error },
    /// No client CA that can vouch for anybody.
    #[error("{} cannot be used to check clients", path.display())]
    ClientVerifier { path: PathBuf, source: rustls::server::VerifierBuilderError },
    /// The provider has no protocol version.
    #[error("no version of TLS can be spoken")]
    Protocol(#[source] rustls::Error),
}

fn client_verifier(
    path: &Path,
    pem: &[u8],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots
            .add(certificate)
            .map_err(|source| TlsError::ClientCa { path: path.to_owned(), source })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|source| TlsError::ClientVerifier { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Certificates { path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    read_file(path, LARGEST).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

/// Bytes of a chain of certificates, or of a key.
const LARGEST: u64 = 1 << 20;
