//! Something that went into a build.

use std::{fmt, str::FromStr};

/// A URI and the digest of what stood there: `pkg:docker/alpine@3.20@sha256:…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Material {
    pub(super) uri: String,
    pub(super) algorithm: String,
    pub(super) hex: String,
}

impl FromStr for Material {
    type Err = BadMaterial;

    fn from_str(text: &str) -> Result<Self, BadMaterial> {
        let bad = || BadMaterial(crate::name::escape(text, SHOWN));
        let (uri, digest) = text.rsplit_once('@').ok_or_else(bad)?;
        let (algorithm, hex) = digest.split_once(':').ok_or_else(bad)?;
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_hex = hex.len() >= SHORTEST
            && hex.len().is_multiple_of(2)
            && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_named =
            !algorithm.is_empty() && (algorithm == "gitCommit" || algorithm.bytes().all(word));
        if !is_hex || !is_named || !uri.contains(':') || uri.chars().any(char::is_control) {
            return Err(bad());
        }
        Ok(Self { uri: uri.into(), algorithm: algorithm.into(), hex: hex.into() })
    }
}

impl fmt::Display for Material {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}:{}", self.uri, self.algorithm, self.hex)
    }
}

/// What is no material.
#[derive(Debug, thiserror::Error)]
#[error(
    "\"{0}\" is no material; write it as URI@ALGORITHM:HEX, as in pkg:npm/left-pad@1.3.0@sha512:…"
)]
pub struct BadMaterial(String);

/// SHA-1 is the shortest that is met.
const SHORTEST: usize = 40;

/// How much of a wrong text a message shows.
const SHOWN: usize = 256;
