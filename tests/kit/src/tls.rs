//! Certificates: a CA of one's own, and what it issues.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

/// A certificate authority, ECDSA P-256. Clones are the same authority.
#[derive(Clone)]
pub struct Ca(Arc<CertifiedIssuer<'static, KeyPair>>);

/// A certificate with its chain, and its key, both in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its PKCS#8 key.
    pub key: String,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ca")
    }
}

impl Ca {
    /// A new authority with a key of its own.
    #[expect(clippy::new_without_default, reason = "each one has another key")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kit CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("an ECDSA key");
        Self(Arc::new(CertifiedIssuer::self_signed(params, key).expect("a CA certificate")))
    }

    /// Its certificate, PEM: what a caller must trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for these names and addresses (`127.0.0.1`, `localhost`,
    /// `countersign.countersign.svc`).
    pub fn server(&self, names: &[&str]) -> Certificate {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// The same, valid from the beginning of one year to that of another.
    pub fn server_between(&self, names: &[&str], years: [i32; 2]) -> Certificate {
        self.issue_with(names, ExtendedKeyUsagePurpose::ServerAuth, |params| {
            [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        })
    }

    /// A client's certificate with this common name.
    pub fn client(&self, name: &str) -> Certificate {
        self.issue(&[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Certificate {
        self.issue_with(names, usage, |_| {})
    }

    fn issue_with(
        &self,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let common = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).expect("names for a certificate");
        params.distinguished_name.push(DnType::CommonName, common);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.insert_extended_key_usage(usage);
        change(&mut params);
        let key = KeyPair::generate().expect("an ECDSA key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Certificate { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A server's TLS settings.
pub(crate) fn server_config(issued: &Certificate, client_ca: Option<&str>) -> ServerConfig {
    let chain = certificates(&issued.certificate);
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key in PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3");
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(pem));
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a client CA"))
        }
    };
    builder.with_single_cert(chain, key).expect("a certificate with its key")
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(|c| c.expect("PEM")).collect()
}
