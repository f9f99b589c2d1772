//! Certificates, from that of a signature's key up to a root.
//!
//! The Notary Project's `signature-specification.md`, "Certificate Requirements". Its chains are
//! ordered and whole, so that the last one must be a root that an authority has, bit for bit, and
//! nothing has to be searched for. The links are webpki's to check; what it leaves out or would
//! forgive is checked here before.

use bytes::Bytes;
use jiff::Timestamp;
use p521::ecdsa::signature::Verifier as _;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use spki::ObjectIdentifier;
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert};

use super::standing::Worthless;
use crate::{attest::x509::X509, name::Code};

/// What a chain comes to: the certificate of its key, and when all of its certificates are valid.
#[derive(Debug)]
pub struct Chain {
    pub leaf: X509,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Chain {
    /// Follows certificates that are ordered from that of a key to a root, which is trusted: of the
    /// right kinds, each issued by the next. No clock is looked at.
    ///
    /// # Errors
    /// [`Worthless`]: a key that may not sign, or certificates that make no chain.
    pub fn follow(certificates: &[Bytes]) -> Result<Self, Worthless> {
        let parsed: Result<Vec<X509>, _> =
            certificates.iter().map(|der| X509::from_der(der)).collect();
        let unread = |_| worthless(Code::SignatureMalformed, "a certificate of it does not parse");
        let parsed = parsed.map_err(unread)?;
        let none = || worthless(Code::SignatureMalformed, "it has no certificate");
        let (leaf, issuers) = parsed.split_first().ok_or_else(none)?;
        let not_for_signing = |why: &str| worthless(Code::KeyNotForSigning, why);
        signs(leaf).map_err(not_for_signing)?;
        issuers.iter().try_for_each(issues).map_err(not_for_signing)?;
        are_near(issuers).map_err(not_for_signing)?;
        let from = parsed.iter().map(|one| one.not_before).max().ok_or_else(none)?;
        let until = parsed.iter().map(|one| one.not_after).min().ok_or_else(none)?;
        if from > until {
            let why = "there is no time at which all of its certificates are valid";
            return Err(worthless(Code::KeyExpired, why));
        }
        if !issuers.is_empty() {
            link(certificates, from).map_err(|error| broken(&error))?;
        }
        Ok(Self { leaf: leaf.clone(), from, until })
    }
}

/// What the certificate of a key that signs has to be.
///
/// # Errors
/// What it is instead.
pub fn signs(leaf: &X509) -> Result<(), &'static str> {
    if leaf.basic_constraints.is_some_and(|constraints| constraints.authority) {
        return Err("its certificate is one of an authority, which may not sign");
    }
    if !leaf.key_usage.is_some_and(|usage| usage.critical && usage.bits & !MAY_BE == SIGNS) {
        return Err("its certificate is not for signing alone, by its critical keyUsage");
    }
    match &leaf.purposes {
        None => Ok(()),
        Some(purposes) if purposes.iter().any(|purpose| FORBIDDEN.contains(purpose)) => {
            Err("its certificate is for another purpose too, by its extendedKeyUsage")
        }
        Some(purposes) if purposes.contains(&CODE_SIGNING) => Ok(()),
        Some(_) => Err("its certificate is not for signing code, by its extendedKeyUsage"),
    }
}

/// What the certificate of an authority has to be.
///
/// # Errors
/// What it is instead.
pub fn issues(issuer: &X509) -> Result<(), &'static str> {
    let constraints = issuer.basic_constraints;
    if !constraints.is_some_and(|found| found.critical && found.authority) {
        return Err("a certificate that issued another is none of an authority, by its critical \
                    basicConstraints");
    }
    if !issuer.key_usage.is_some_and(|usage| usage.critical && usage.bits & ISSUES != 0) {
        return Err("a certificate that issued another may not, by its critical keyUsage");
    }
    Ok(())
}

/// Whether each authority may stand as far above the key as it does; webpki asks no root.
fn are_near(issuers: &[X509]) -> Result<(), &'static str> {
    let allows = |(between, issuer): (usize, &X509)| {
        let most = issuer.basic_constraints.and_then(|constraints| constraints.between);
        most.is_none_or(|most| between <= usize::from(most))
    };
    if issuers.iter().enumerate().all(allows) {
        return Ok(());
    }
    Err("an authority allows no chain of this length, by the pathLenConstraint of its \
         basicConstraints")
}

/// Whether each certificate is issued by the next, at a time when all of them are valid.
fn link(certificates: &[Bytes], at: Timestamp) -> Result<(), Error> {
    let ders: Vec<CertificateDer<'_>> =
        certificates.iter().map(|der| CertificateDer::from(&**der)).collect();
    let [leaf, between @ .., root] = ders.as_slice() else { return Err(Error::UnknownIssuer) };
    let anchors = [anchor_from_trusted_cert(root)?];
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let in_order = |path: &VerifiedPath<'_>| {
        let used = path.intermediate_certificates().map(webpki::Cert::der);
        if used.eq(between.iter().cloned()) { Ok(()) } else { Err(Error::UnknownIssuer) }
    };
    let usage = KeyUsage::required_if_present(CODE_SIGNING_DER);
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(ALGORITHMS, &anchors, between, time, usage, None, Some(&in_order))
        .map(drop)
}

fn broken(error: &Error) -> Worthless {
    let code = match error {
        Error::RequiredEkuNotFoundContext(_) => Code::KeyNotForSigning,
        _ => Code::SignatureCertificate,
    };
    worthless(code, &format!("its certificates make no chain: {error:?}"))
}

fn worthless(code: Code, detail: &str) -> Worthless {
    Worthless { code, detail: detail.to_owned() }
}

/// ECDSA on P-521, which ring does not know.
#[derive(Debug)]
struct P521;

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature =
            p521::ecdsa::Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

/// How certificates may be signed. SHA-1 is not among it.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512,
    webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    webpki::ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    webpki::ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
    webpki::ring::ED25519,
    &P521,
];

/// `digitalSignature`, which a key that signs must have,
const SIGNS: u16 = 0x8000;
/// `nonRepudiation`, which it may have,
const MAY_BE: u16 = 0x4000;
/// and `keyCertSign`, which an authority must.
const ISSUES: u16 = 0x0400;

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
/// The same as its DER has it.
const CODE_SIGNING_DER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// Any purpose, servers, clients, mail and timestamps.
const FORBIDDEN: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8"),
];
