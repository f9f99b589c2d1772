//! What unlocks a key.

use std::fmt;

use sequoia_openpgp::crypto::Password;

/// A passphrase. It has no way to be printed, and is wiped when it is no longer needed.
#[derive(Clone)]
pub struct Passphrase(Password);

impl Passphrase {
    pub(in crate::sign) fn into_inner(self) -> Password {
        self.0
    }

    pub(super) fn password(&self) -> &Password {
        &self.0
    }

    /// Lends the bytes.
    pub(super) fn with<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        self.0.map(|bytes| read(bytes))
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
