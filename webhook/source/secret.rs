//! Text that must not be seen.

use std::fmt;

use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A password or token. It has no `Display`, and is wiped when dropped.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text, which the caller must not keep.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `Authorization: Bearer …`, or `None` if the text cannot stand in a header.
    pub fn bearer(&self) -> Option<HeaderValue> {
        header(&Zeroizing::new(format!("Bearer {}", self.reveal())))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// A header value that is never printed.
pub(super) fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
