//! Content digests.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256, Sha512};

use super::{escape, serial::as_text};

/// The digest of a manifest, a config or a blob: `sha256:` and 64, or `sha512:` and 128 lowercase
/// hex digits.
///
/// Holds the bytes, so there is one value per digest and no spelling to normalize. Other algorithms
/// and uppercase digits are refused, as go-digest does.
///
/// ```
/// use countersign::name::Digest;
///
/// let digest = Digest::sha256(b"");
/// assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
/// assert!(digest.covers(b""));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Digest {
    /// SHA-256, what everybody uses.
    Sha256([u8; 32]),
    /// SHA-512.
    Sha512([u8; 64]),
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(bytes).into())
    }

    /// The SHA-512 digest of `bytes`.
    pub fn sha512(bytes: &[u8]) -> Self {
        Self::Sha512(Sha512::digest(bytes).into())
    }

    /// Whether `bytes` hash to this digest under its own algorithm.
    pub fn covers(&self, bytes: &[u8]) -> bool {
        *self == self.of_same_kind(bytes)
    }

    /// `bytes` hashed under the algorithm of this digest.
    #[must_use]
    pub fn of_same_kind(&self, bytes: &[u8]) -> Self {
        match self {
            Self::Sha256(_) => Self::sha256(bytes),
            Self::Sha512(_) => Self::sha512(bytes),
        }
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The digest's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }

    /// The digest without its algorithm: 64 or 128 lowercase hex digits.
    pub fn hex(&self) -> String {
        base16(self.as_bytes())
    }

    /// The tag under which a registry without the referrers API keeps the referrers of this
    /// digest: `sha256-<hex>`, the hex cut to 64 digits (OCI distribution 1.1, referrers tag
    /// schema).
    pub fn fallback_tag(&self) -> String {
        let mut tag = format!("{}-{}", self.algorithm(), self.hex());
        tag.truncate(self.algorithm().len() + 1 + 64);
        tag
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm(), self.hex())
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let (algorithm, hex) =
            text.split_once(':').ok_or_else(|| BadDigest::Shape(escape(text, SHOWN)))?;
        match algorithm {
            "sha256" => decode(hex).map(Self::Sha256),
            "sha512" => decode(hex).map(Self::Sha512),
            _ => Err(BadDigest::Algorithm(escape(algorithm, SHOWN))),
        }
    }
}

as_text!(Digest);

/// Why a text is no digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadDigest {
    /// No colon.
    #[error("digest \"{0}\" has no algorithm; write it as sha256:<64 hex digits>")]
    Shape(String),
    /// Known to nobody, or too weak.
    #[error("digest algorithm \"{0}\" is not supported; use sha256 or sha512")]
    Algorithm(String),
    /// The number of digits is not that of the algorithm.
    #[error("digest has {found} characters after its algorithm; it needs {wanted} hex digits")]
    Length { found: usize, wanted: usize },
    /// Not hex, or in upper case.
    #[error("digest \"{0}\" is not made of lowercase hex digits")]
    Hex(String),
}

/// Lowercase hex.
pub(super) fn base16(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        hex.push(nibble(byte >> 4));
        hex.push(nibble(byte & 0xf));
        hex
    })
}

/// The digit of a value below 16.
fn nibble(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 })
}

/// The bytes of exactly `2 * N` lowercase hex digits.
pub(super) fn decode<const N: usize>(hex: &str) -> Result<[u8; N], BadDigest> {
    if hex.len() != 2 * N {
        return Err(BadDigest::Length { found: hex.chars().count(), wanted: 2 * N });
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { continue };
        *byte = match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => high << 4 | low,
            _ => return Err(BadDigest::Hex(escape(hex, SHOWN))),
        };
    }
    Ok(bytes)
}

/// The value of a lowercase hex digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// How much of a wrong text an error quotes.
const SHOWN: usize = 140;
