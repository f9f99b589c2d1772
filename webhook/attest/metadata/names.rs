//! What metadata is called, and what its bytes are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::attest::json::parse_json;

/// A type of metadata: letters, digits, `.`, `_` and `-`, at most 128 of them, as in a tag.
///
/// ```
/// use countersign::attest::metadata::MetadataType;
///
/// assert!("approval".parse::<MetadataType>().is_ok());
/// assert!("metadata/approval".parse::<MetadataType>().is_err());
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetadataType(String);

/// A media type without parameters: `application/json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(String);

/// A text that names no type of metadata.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no type of metadata; use up to 128 letters, digits, `.`, `_` and `-`")]
pub struct BadMetadataType(String);

/// A text that is no media type.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no media type; write one such as application/json, without parameters")]
pub struct BadMediaType(String);

impl MetadataType {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MediaType {
    /// What bytes that nobody named look like: JSON, text, or just bytes.
    pub fn detect(bytes: &[u8]) -> Self {
        let is_text = |text: &str| {
            !text.chars().any(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t'))
        };
        let found = if parse_json(bytes, bytes.len()).is_ok() {
            "application/json"
        } else if str::from_utf8(bytes).is_ok_and(is_text) {
            "text/plain"
        } else {
            "application/octet-stream"
        };
        Self(found.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says that the bytes are JSON.
    pub fn is_json(&self) -> bool {
        self.0.eq_ignore_ascii_case("application/json")
            || self.0.to_ascii_lowercase().ends_with("+json")
    }
}

impl FromStr for MetadataType {
    type Err = BadMetadataType;

    fn from_str(text: &str) -> Result<Self, BadMetadataType> {
        let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-');
        if (1..=128).contains(&text.len()) && text.chars().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadMetadataType(text.to_owned()))
    }
}

impl FromStr for MediaType {
    type Err = BadMediaType;

    /// RFC 6838, section 4.2.
    fn from_str(text: &str) -> Result<Self, BadMediaType> {
        let plain = |one: char| one.is_ascii_alphanumeric() || "!#$&-^_.+".contains(one);
        let is_name = |name: &str| {
            (1..=127).contains(&name.len())
                && name.starts_with(|first: char| first.is_ascii_alphanumeric())
                && name.chars().all(plain)
        };
        match text.split_once('/') {
            Some((top, sub)) if is_name(top) && is_name(sub) => Ok(Self(text.to_owned())),
            _ => Err(BadMediaType(text.to_owned())),
        }
    }
}

impl TryFrom<String> for MetadataType {
    type Error = BadMetadataType;

    fn try_from(text: String) -> Result<Self, BadMetadataType> {
        text.parse()
    }
}

impl TryFrom<String> for MediaType {
    type Error = BadMediaType;

    fn try_from(text: String) -> Result<Self, BadMediaType> {
        text.parse()
    }
}

impl From<MetadataType> for String {
    fn from(kind: MetadataType) -> Self {
        kind.0
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0
    }
}

impl fmt::Display for MetadataType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bytes_look_like() {
        for (bytes, want) in [
            (&b"{\"a\": 1}\n"[..], "application/json"),
            (b"{\"a\": 1, \"a\": 2}", "text/plain"),
            (b"call\tthe desk\n", "text/plain"),
            (b"", "text/plain"),
            (b"\x1b[2J", "application/octet-stream"),
            (b"\xff\xfe", "application/octet-stream"),
        ] {
            assert_eq!(MediaType::detect(bytes).as_str(), want, "{bytes:?}");
        }
    }

    #[test]
    fn names_are_plain() {
        for (text, good) in [
            ("application/json", true),
            ("application/vnd.acme.x+json", true),
            ("json", false),
            ("application/", false),
            ("a/b/c", false),
            ("text/plain; charset=utf-8", false),
            ("text/pl\nain", false),
        ] {
            assert_eq!(text.parse::<MediaType>().is_ok(), good, "{text}");
        }
        for (text, good) in [("a", true), ("", false), ("*", false), ("a b", false)] {
            assert_eq!(text.parse::<MetadataType>().is_ok(), good, "{text}");
        }
    }
}
