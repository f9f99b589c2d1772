//! A key for a first try.
//!
//! People who run a pipeline in earnest make their keys where they keep them, by gpg or a token.

use std::time::Duration;

use jiff::Timestamp;
use sequoia_openpgp::{
    Profile,
    cert::prelude::{CertBuilder, CipherSuite},
    serialize::SerializeInto as _,
    types::KeyFlags,
};

use super::key::{Passphrase, SigningKeyError, system_time};
use crate::{name::Fingerprint, verify::openpgp_fingerprint};

/// A key that was just made.
pub struct GeneratedKey {
    pub fingerprint: Fingerprint,
    /// The secret key, armored; locked where a passphrase was given.
    pub secret: Vec<u8>,
    /// The certificate for the verifiers, armored.
    pub certificate: Vec<u8>,
}

/// Makes an Ed25519 key that certifies and signs.
///
/// # Errors
/// A user ID that is empty or has control characters, a fault of the cryptographic library.
pub fn generate_key(
    user: &str,
    passphrase: Option<Passphrase>,
    life: Option<Duration>,
    now: Timestamp,
) -> Result<GeneratedKey, SigningKeyError> {
    if user.trim().is_empty() || user.chars().any(char::is_control) {
        return Err(SigningKeyError::User);
    }
    let fault = SigningKeyError::fault;
    let (cert, _) = CertBuilder::new()
        .set_creation_time(system_time(now))
        .set_profile(Profile::RFC4880)
        .map_err(fault)?
        .set_cipher_suite(CipherSuite::Cv25519)
        .add_userid(user)
        .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
        .set_validity_period(life)
        .set_password(passphrase.map(Passphrase::into_inner))
        .generate()
        .map_err(fault)?;
    Ok(GeneratedKey {
        fingerprint: openpgp_fingerprint(&cert.fingerprint()),
        secret: cert.as_tsk().armored().to_vec().map_err(fault)?,
        certificate: cert.armored().to_vec().map_err(fault)?,
    })
}
