//! OpenPGP: an unlocked secret key, and what every OpenPGP key here does alike.
//!
//! Secrets stay in sequoia's protected memory, which is wiped; what they were read from is the
//! caller's.

use std::{fmt, io::Write as _, time::SystemTime};

use jiff::Timestamp;
use sequoia_openpgp::{
    Cert, KeyHandle, Packet,
    cert::{CertParser, amalgamation::key::PrimaryKey as _},
    crypto::KeyPair,
    packet::{Literal, OnePassSig, signature::SignatureBuilder},
    parse::Parse as _,
    policy::StandardPolicy,
    serialize::{
        Serialize as _, SerializeInto as _,
        stream::{Message, Signer},
    },
    types::{DataFormat, HashAlgorithm, RevocationStatus, SignatureType},
};

use super::{Passphrase, SigningKeyError};
use crate::{name::Fingerprint, verify::openpgp_fingerprint};

/// An OpenPGP key that can sign now.
#[derive(Clone)]
pub struct SigningKey {
    cert: Cert,
    pair: KeyPair,
}

impl SigningKey {
    /// Reads a secret key, armored or binary, and picks the part of it that signs: the newest
    /// signing subkey, else the primary key.
    ///
    /// # Errors
    /// [`SigningKeyError`]: no key, several, one that is expired, revoked or may not sign at
    /// `now`, one that is locked.
    pub fn load(
        secret: &[u8],
        passphrase: Option<&Passphrase>,
        now: Timestamp,
    ) -> Result<Self, SigningKeyError> {
        let cert = only_cert(secret)?;
        if !cert.is_tsk() {
            return Err(SigningKeyError::PublicOnly);
        }
        let pair = signing_pair(&cert, passphrase, now)?;
        Ok(Self { cert: cert.strip_secret_key_material(), pair })
    }

    /// The fingerprint of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        openpgp_fingerprint(&self.cert.fingerprint())
    }

    /// The fingerprint of the part that signs.
    pub fn subkey(&self) -> Fingerprint {
        openpgp_fingerprint(&self.pair.public().fingerprint())
    }

    /// The certificate, binary, as a verifier takes it.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`], when the library cannot write it.
    pub fn certificate(&self) -> Result<Vec<u8>, SigningKeyError> {
        self.cert.to_vec().map_err(SigningKeyError::fault)
    }

    /// The certificate.
    pub(super) fn cert(&self) -> &Cert {
        &self.cert
    }

    /// A signed message with `payload` inside, binary, as `gpg --sign` makes it: what podman
    /// keeps in a lookaside, and Grafeas in `pgpSignedAttestation` once it is armored.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`].
    pub fn sign_message(&self, payload: &[u8], at: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
        attached(payload, &self.sign_detached(payload, at)?)
    }

    /// A detached signature over `data`, binary.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`].
    pub fn sign_detached(&self, data: &[u8], at: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
        self.detached(SignatureType::Binary, data, at)
    }

    /// A detached signature over a text, binary.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`], when the library makes none.
    pub fn sign_text(&self, text: &[u8], at: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
        self.detached(SignatureType::Text, text, at)
    }

    fn detached(
        &self,
        kind: SignatureType,
        data: &[u8],
        at: Timestamp,
    ) -> Result<Vec<u8>, SigningKeyError> {
        let mut signature = Vec::new();
        let message = Message::new(&mut signature);
        let signer = self.signer(kind, message, at)?;
        let mut signer = signer.detached().build().map_err(SigningKeyError::fault)?;
        signer.write_all(data).map_err(SigningKeyError::fault)?;
        signer.finalize().map_err(SigningKeyError::fault)?;
        Ok(signature)
    }

    fn signer<'a>(
        &self,
        kind: SignatureType,
        sink: Message<'a>,
        at: Timestamp,
    ) -> Result<Signer<'a>, SigningKeyError> {
        Signer::with_template(sink, self.pair.clone(), SignatureBuilder::new(kind))
            .and_then(|signer| signer.hash_algo(HashAlgorithm::SHA512))
            .map(|signer| signer.creation_time(system_time(at)))
            .map_err(SigningKeyError::fault)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, [secret])", self.fingerprint())
    }
}

fn signing_pair(
    cert: &Cert,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
) -> Result<KeyPair, SigningKeyError> {
    let fingerprint = openpgp_fingerprint(&cert.fingerprint());
    let secret = cert
        .keys()
        .secret()
        .key_handle(KeyHandle::from(signing_part(cert, None, now)?))
        .next()
        .ok_or(SigningKeyError::NoSecret { fingerprint })?;
    let mut secret = secret.key().clone();
    if secret.secret().is_encrypted() {
        let passphrase = passphrase.ok_or(SigningKeyError::Locked { fingerprint })?;
        secret = secret
            .decrypt_secret(passphrase.password())
            .map_err(|_| SigningKeyError::WrongPassphrase { fingerprint })?;
    }
    secret.into_keypair().map_err(|_| SigningKeyError::NoSecret { fingerprint })
}

/// The one certificate or secret key in a file.
///
/// # Errors
/// None in it, or several.
pub(super) fn only_cert(bytes: &[u8]) -> Result<Cert, SigningKeyError> {
    let certs: Vec<Cert> = CertParser::from_bytes(bytes)
        .map_err(|_| SigningKeyError::NoKey)?
        .collect::<Result<_, _>>()
        .map_err(|_| SigningKeyError::NoKey)?;
    let count = certs.len();
    let [cert] = <[Cert; 1]>::try_from(certs).map_err(|_| match count {
        0 => SigningKeyError::NoKey,
        count => SigningKeyError::Several { count },
    })?;
    Ok(cert)
}

/// Which part of a certificate signs at `now`: `only` that one, or the newest signing subkey, else
/// the primary key.
///
/// # Errors
/// The certificate is expired or revoked, or has no such part.
pub(super) fn signing_part(
    cert: &Cert,
    only: Option<&sequoia_openpgp::Fingerprint>,
    now: Timestamp,
) -> Result<sequoia_openpgp::Fingerprint, SigningKeyError> {
    let fingerprint = openpgp_fingerprint(&cert.fingerprint());
    let policy = StandardPolicy::at(system_time(now));
    let valid = cert
        .with_policy(&policy, system_time(now))
        .map_err(|_| SigningKeyError::NotForSigning { fingerprint })?;
    if let RevocationStatus::Revoked(_) = valid.revocation_status() {
        return Err(SigningKeyError::Revoked { fingerprint });
    }
    valid.alive().map_err(|_| SigningKeyError::Expired { fingerprint })?;
    let newest = valid
        .keys()
        .for_signing()
        .revoked(false)
        .supported()
        .filter(|key| only.is_none_or(|only| key.key().fingerprint() == *only))
        .max_by_key(|key| (key.alive().is_ok(), !key.primary(), key.key().creation_time()))
        .ok_or(SigningKeyError::NotForSigning { fingerprint })?;
    newest.alive().map_err(|_| SigningKeyError::Expired { fingerprint })?;
    Ok(newest.key().fingerprint())
}

/// The message that carries `payload` under a detached signature over it.
///
/// # Errors
/// `detached` is no signature packet.
pub(super) fn attached(payload: &[u8], detached: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
    let Packet::Signature(signature) =
        Packet::from_bytes(detached).map_err(SigningKeyError::fault)?
    else {
        return Err(SigningKeyError::fault("something else than a signature was made"));
    };
    let mut before = OnePassSig::try_from(&signature).map_err(SigningKeyError::fault)?;
    before.set_last(true);
    let mut literal = Literal::new(DataFormat::Binary);
    literal.set_body(payload.to_vec());
    let mut message = Vec::new();
    for packet in [before.into(), literal.into(), Packet::from(signature)] {
        packet.serialize(&mut message).map_err(SigningKeyError::fault)?;
    }
    Ok(message)
}

/// A certificate as text.
pub(super) fn armored(cert: &Cert) -> Result<String, SigningKeyError> {
    let bytes = cert.armored().to_vec().map_err(SigningKeyError::fault)?;
    String::from_utf8(bytes).map_err(SigningKeyError::fault)
}

/// The time as sequoia takes it.
pub(in crate::sign) fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::try_from(time).unwrap_or(SystemTime::UNIX_EPOCH)
}
