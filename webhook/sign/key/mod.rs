//! Keys that sign, wherever they are kept.
//!
//! Three kinds: an OpenPGP secret that was read into memory, one that the user's gpg-agent keeps (on
//! disk or on a card), and a private key in PEM. The first two say the same by the same bytes. A key
//! that no verifier would count is refused before it has signed anything.

mod agent;
mod error;
mod openpgp;
mod passphrase;
mod pem;
mod sigstore;

use jiff::Timestamp;

use crate::{
    attest::{Envelope, EnvelopeSignature, IN_TOTO, RawSignature, Signed, pae},
    name::Fingerprint,
    verify::Key,
};

pub use agent::AgentKey;
pub use error::{SigningFault, SigningKeyError};
pub use openpgp::SigningKey;
pub(super) use openpgp::system_time;
pub use passphrase::Passphrase;
pub use pem::PemKey;

/// A key that signs.
#[derive(Clone, Debug)]
pub enum Signer {
    /// An OpenPGP secret in our memory.
    OpenPgp(SigningKey),
    /// An OpenPGP key in the user's gpg-agent.
    Agent(AgentKey),
    /// A private key in PEM, of PKIX.
    Pem(PemKey),
}

impl Signer {
    /// Reads a secret key: OpenPGP, armored or binary, or a private key in PEM.
    ///
    /// # Errors
    /// [`SigningKeyError`]: no key, several, one that may not sign at `now`, one that is locked.
    pub fn load(
        secret: &[u8],
        passphrase: Option<&Passphrase>,
        now: Timestamp,
    ) -> Result<Self, SigningKeyError> {
        if pem::is_pem(secret) {
            return PemKey::load(secret, passphrase).map(Self::Pem);
        }
        SigningKey::load(secret, passphrase, now).map(Self::OpenPgp)
    }

    /// The fingerprint of the certificate, or of the PKIX key.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::OpenPgp(key) => key.fingerprint(),
            Self::Agent(key) => key.fingerprint(),
            Self::Pem(key) => key.fingerprint(),
        }
    }

    /// The public half as a verifier takes it.
    ///
    /// # Errors
    /// [`SigningKeyError`], where the library cannot write it or a verifier would refuse it.
    pub fn verifying(&self) -> Result<Vec<Key>, SigningKeyError> {
        Ok(match self {
            Self::OpenPgp(key) => Key::openpgp(&key.certificate()?)?,
            Self::Agent(key) => Key::openpgp(&key.certificate()?)?,
            Self::Pem(key) => vec![Key::pkix(key.public_pem().as_bytes())?],
        })
    }

    /// The public half as a file: a certificate in armor, or a public key in PEM.
    ///
    /// # Errors
    /// [`SigningKeyError::Signing`], when the library cannot write it.
    pub fn public(&self) -> Result<String, SigningKeyError> {
        match self {
            Self::OpenPgp(key) => openpgp::armored(key.cert()),
            Self::Agent(key) => openpgp::armored(key.cert()),
            Self::Pem(key) => Ok(key.public_pem().to_owned()),
        }
    }

    /// Whether it makes OpenPGP messages, the one form of simple signing that a registry holds.
    pub fn makes_messages(&self) -> bool {
        !matches!(self, Self::Pem(_))
    }

    /// Signs simple signing: as an OpenPGP message, which podman and Kritis read, or with a PKIX key
    /// as a signature beside its payload, which Kritis and Binary Authorization read from Grafeas.
    ///
    /// # Errors
    /// [`SigningKeyError`], if the key makes no signature.
    pub fn sign_simple(&self, payload: Vec<u8>, at: Timestamp) -> Result<Signed, SigningKeyError> {
        Ok(match self {
            Self::OpenPgp(key) => Signed::OpenPgpMessage(key.sign_message(&payload, at)?.into()),
            Self::Agent(key) => Signed::OpenPgpMessage(key.sign_message(&payload)?.into()),
            Self::Pem(key) => {
                let bytes = key.sign(&payload)?.into();
                let signature = RawSignature { bytes, key_id: Some(key.named_information()) };
                Signed::Raw { payload: payload.into(), signatures: vec![signature] }
            }
        })
    }

    /// Signs an image ID as ocibuilder does: a detached signature over its text.
    ///
    /// # Errors
    /// [`SigningKeyError`], if the key makes no signature, or is none of OpenPGP.
    pub fn sign_image_id(&self, id: &[u8], at: Timestamp) -> Result<Signed, SigningKeyError> {
        Ok(Signed::OpenPgpDetached(match self {
            Self::OpenPgp(key) => key.sign_text(id, at)?.into(),
            Self::Agent(key) => key.sign_text(id)?.into(),
            Self::Pem(_) => return Err(SigningKeyError::PemImageId),
        }))
    }

    /// Signs an in-toto statement in a DSSE envelope.
    ///
    /// # Errors
    /// [`SigningKeyError`], if the key makes no signature.
    pub fn sign_statement(
        &self,
        statement: Vec<u8>,
        at: Timestamp,
    ) -> Result<Envelope, SigningKeyError> {
        let signed = pae(IN_TOTO, &statement);
        let signature = match self {
            Self::OpenPgp(key) => key.sign_detached(&signed, at)?,
            Self::Agent(key) => key.sign_detached(&signed)?,
            Self::Pem(key) => key.sign(&signed)?,
        };
        let key_id = Some(self.fingerprint().to_string());
        let signature = EnvelopeSignature { key_id, signature: signature.into() };
        Ok(Envelope::new(IN_TOTO.into(), statement.into(), vec![signature]))
    }
}
