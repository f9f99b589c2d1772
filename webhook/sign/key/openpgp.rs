//! The secret key that CI signs with.
//!
//! A key that no verifier would count is refused here, before it has signed anything. Secrets
//! stay in sequoia's protected memory, which is wiped; what was read them from is the caller's.

use std::{fmt, io::Write as _, time::SystemTime};

use jiff::Timestamp;
use sequoia_openpgp::{
    Cert, KeyHandle,
    cert::{CertParser, amalgamation::key::PrimaryKey as _},
    crypto::{KeyPair, Password},
    parse::Parse as _,
    policy::StandardPolicy,
    serialize::{
        SerializeInto as _,
        stream::{LiteralWriter, Message, Signer},
    },
    types::{HashAlgorithm, RevocationStatus},
};

use crate::{name::Fingerprint, verify::openpgp_fingerprint};

/// An OpenPGP key that can sign now.
#[derive(Clone)]
pub struct SigningKey {
    cert: Cert,
    pair: KeyPair,
}

/// What unlocks a key. It has no way to be printed.
#[derive(Clone)]
pub struct Passphrase(Password);

/// Why there is nothing to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error(
        "no OpenPGP secret key; export one with `gpg --armor --export-secret-keys FINGERPRINT`"
    )]
    NoKey,
    #[error(
        "it is a certificate without its secret key; \
         export that with `gpg --armor --export-secret-keys FINGERPRINT`"
    )]
    PublicOnly,
    #[error("{count} secret keys in one file; export only the one to sign with")]
    Several { count: usize },
    #[error("key {fingerprint} has expired; extend it and hand the certificate to the verifiers")]
    Expired { fingerprint: Fingerprint },
    #[error("key {fingerprint} is revoked; sign with another")]
    Revoked { fingerprint: Fingerprint },
    #[error(
        "key {fingerprint} has no part that can sign and is strong enough; \
         make a signing key, as `countersign keys generate` does"
    )]
    NotForSigning { fingerprint: Fingerprint },
    #[error("the signing part of key {fingerprint} is not in the file, only its public half is")]
    NoSecret { fingerprint: Fingerprint },
    #[error("key {fingerprint} is locked; give its passphrase with `--passphrase`")]
    Locked { fingerprint: Fingerprint },
    #[error("the passphrase does not unlock key {fingerprint}")]
    WrongPassphrase { fingerprint: Fingerprint },
    #[error(
        "a key needs a user ID without control characters, like \"Acme builder <ci@acme.example>\""
    )]
    User,
    #[error("the key made no signature")]
    Signing(#[source] SigningFault),
}

impl SigningKeyError {
    pub(super) fn fault(error: impl fmt::Display) -> Self {
        Self::Signing(SigningFault(error.to_string()))
    }
}

/// A fault of the cryptographic library.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SigningFault(String);

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
        let certs: Vec<Cert> = CertParser::from_bytes(secret)
            .map_err(|_| SigningKeyError::NoKey)?
            .collect::<Result<_, _>>()
            .map_err(|_| SigningKeyError::NoKey)?;
        let count = certs.len();
        let [cert] = <[Cert; 1]>::try_from(certs).map_err(|_| match count {
            0 => SigningKeyError::NoKey,
            count => SigningKeyError::Several { count },
        })?;
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

    /// A signed message with `payload` inside, binary, as `gpg --sign` makes it: what podman
    /// keeps in a lookaside, and Grafeas in `pgpSignedAttestation` once it is armored.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`].
    pub fn sign_message(&self, payload: &[u8], at: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
        let mut signed = Vec::new();
        let message =
            self.signer(Message::new(&mut signed), at)?.build().map_err(SigningKeyError::fault)?;
        let mut literal = LiteralWriter::new(message).build().map_err(SigningKeyError::fault)?;
        literal.write_all(payload).map_err(SigningKeyError::fault)?;
        literal.finalize().map_err(SigningKeyError::fault)?;
        Ok(signed)
    }

    /// A detached signature over `data`, binary.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`].
    pub fn sign_detached(&self, data: &[u8], at: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
        let mut signature = Vec::new();
        let message = Message::new(&mut signature);
        let mut signer =
            self.signer(message, at)?.detached().build().map_err(SigningKeyError::fault)?;
        signer.write_all(data).map_err(SigningKeyError::fault)?;
        signer.finalize().map_err(SigningKeyError::fault)?;
        Ok(signature)
    }

    fn signer<'a>(&self, sink: Message<'a>, at: Timestamp) -> Result<Signer<'a>, SigningKeyError> {
        Signer::new(sink, self.pair.clone())
            .and_then(|signer| signer.hash_algo(HashAlgorithm::SHA512))
            .map(|signer| signer.creation_time(system_time(at)))
            .map_err(SigningKeyError::fault)
    }
}

impl Passphrase {
    pub(super) fn into_inner(self) -> Password {
        self.0
    }
}

impl From<&[u8]> for Passphrase {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
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
        .max_by_key(|key| (key.alive().is_ok(), !key.primary(), key.key().creation_time()))
        .ok_or(SigningKeyError::NotForSigning { fingerprint })?;
    newest.alive().map_err(|_| SigningKeyError::Expired { fingerprint })?;
    let name = KeyHandle::from(newest.key().fingerprint());
    let secret = cert
        .keys()
        .secret()
        .key_handle(name)
        .next()
        .ok_or(SigningKeyError::NoSecret { fingerprint })?;
    let mut secret = secret.key().clone();
    if secret.secret().is_encrypted() {
        let Passphrase(passphrase) = passphrase.ok_or(SigningKeyError::Locked { fingerprint })?;
        secret = secret
            .decrypt_secret(passphrase)
            .map_err(|_| SigningKeyError::WrongPassphrase { fingerprint })?;
    }
    secret.into_keypair().map_err(|_| SigningKeyError::NoSecret { fingerprint })
}

/// The time as sequoia takes it.
pub(super) fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::try_from(time).unwrap_or(SystemTime::UNIX_EPOCH)
}
