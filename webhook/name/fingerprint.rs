//! What a key is called.

use std::{fmt, str::FromStr};

use super::{
    digest::{base16, decode},
    escape,
    serial::as_text,
};

/// The full fingerprint of a key, never the short ID that others can collide.
///
/// OpenPGP fingerprints are written in upper case (40 digits for version 4, 64 for version 6), the
/// SHA-256 of a PKIX key's `SubjectPublicKeyInfo` or of a certificate in lower case (64 digits), and read back so.
///
/// ```
/// use countersign::name::Fingerprint;
///
/// let fingerprint: Fingerprint = "ab".repeat(20).parse().unwrap();
/// assert_eq!(fingerprint.to_string(), "AB".repeat(20));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fingerprint {
    /// OpenPGP, version 4: SHA-1 over the public key packet.
    V4([u8; 20]),
    /// OpenPGP, version 6: SHA-256 over the public key packet.
    V6([u8; 32]),
    /// PKIX: SHA-256 over the DER of the `SubjectPublicKeyInfo`, or of a whole X.509 certificate.
    Pkix([u8; 32]),
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(bytes) => formatter.write_str(&base16(bytes).to_ascii_uppercase()),
            Self::V6(bytes) => formatter.write_str(&base16(bytes).to_ascii_uppercase()),
            Self::Pkix(bytes) => formatter.write_str(&base16(bytes)),
        }
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Reads 40 hex digits in any case; of 64, capitals mean OpenPGP and small letters PKIX.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let bad = |_| BadFingerprint(escape(text, 80));
        let lower = text.to_ascii_lowercase();
        if text.len() == 40 {
            decode(&lower).map(Self::V4).map_err(bad)
        } else if text == lower {
            decode(&lower).map(Self::Pkix).map_err(bad)
        } else if text == text.to_ascii_uppercase() {
            decode(&lower).map(Self::V6).map_err(bad)
        } else {
            Err(BadFingerprint(escape(text, 80)))
        }
    }
}

as_text!(Fingerprint);

/// A text that is no fingerprint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is not a fingerprint; give all of its 40 or 64 hex digits")]
pub struct BadFingerprint(String);
