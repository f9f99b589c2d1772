//! A key with certificates up to a root, which signs as Notation does.

use ::base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};

use crate::{Content, Evidence, base64};

/// An ECDSA P-256 key and its chain.
pub struct Notary {
    key: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

impl Notary {
    /// A key of `acme.example`'s, under a root of its own.
    #[expect(clippy::new_without_default, reason = "each one has other keys")]
    pub fn new() -> Self {
        Self::made(vec![Self::leaf(), Self::issuer("root")])
    }

    /// A chain of certificates as these parameters say, the key's first, the root's last.
    pub fn made(params: Vec<CertificateParams>) -> Self {
        let keys: Vec<KeyPair> =
            params.iter().map(|_| KeyPair::generate().expect("an ECDSA key")).collect();
        let key = keys.first().expect("a certificate").serialize_der();
        let mut issuer: Option<Issuer<'static, KeyPair>> = None;
        let mut chain = Vec::new();
        for (params, key) in params.into_iter().zip(keys).rev() {
            let certificate = match &issuer {
                Some(issuer) => params.signed_by(&key, issuer),
                None => params.self_signed(&key),
            };
            chain.insert(0, certificate.expect("a certificate").der().to_vec());
            issuer = Some(Issuer::new(params, key));
        }
        Self { key, chain }
    }

    /// What the certificate of a key that signs has to say.
    pub fn leaf() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = name("builder");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params
    }

    /// What the certificate of an authority has to say.
    pub fn issuer(common: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(common);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    /// The last certificate, PEM.
    pub fn root_pem(&self) -> String {
        pem("CERTIFICATE", self.chain.last().expect("a root"))
    }

    /// All certificates, PEM, the key's first.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// The secret key, PKCS#8 PEM.
    pub fn secret_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key)
    }

    /// The certificates in DER, the key's first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// A signature over the image's descriptor.
    pub fn sign(&self, image: &Content) -> Evidence {
        let mut target = image.descriptor();
        target
            .as_object_mut()
            .expect("a descriptor")
            .retain(|name, _| ["mediaType", "digest", "size"].contains(&name.as_str()));
        self.sign_as(&Self::header(), &json!({ "targetArtifact": target }))
    }

    /// The header of what it signs.
    pub fn header() -> Value {
        json!({
            "alg": "ES256",
            "cty": "application/vnd.cncf.notary.payload.v1+json",
            "crit": ["io.cncf.notary.signingScheme"],
            "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": "2026-01-02T03:04:05Z",
        })
    }

    /// A signature over whatever this says.
    pub fn sign_as(&self, header: &Value, payload: &Value) -> Evidence {
        let (protected, payload) = (header.to_string(), payload.to_string());
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(&protected), part(&payload));
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key, &random);
        let signature = key.expect("a key").sign(&random, signed.as_bytes()).expect("a signature");
        Evidence::Jws {
            protected: protected.into(),
            payload: payload.into(),
            signature: signature.as_ref().to_vec(),
            chain: self.chain.clone(),
        }
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", base64(der))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "US");
    name.push(DnType::OrganizationName, "acme.example");
    name.push(DnType::CommonName, common);
    name
}
