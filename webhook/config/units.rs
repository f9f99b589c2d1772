//! Lengths of time and numbers of bytes as people write them.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::name::escape;

/// A length of time: a whole number and `ms`, `s`, `m` or `h`.
///
/// ```
/// use countersign::config::Span;
///
/// let span: Span = "5m".parse().unwrap();
/// assert_eq!(span.0.as_secs(), 300);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span(pub Duration);

/// A number of bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
///
/// ```
/// use countersign::config::Size;
///
/// let size: Size = "48MiB".parse().unwrap();
/// assert_eq!(size.0, 48 << 20);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size(pub u64);

impl FromStr for Span {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let bad = || BadUnit::Span(escape(text, SHOWN));
        let (number, unit) = split(text).ok_or_else(bad)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(bad()),
        };
        let whole = number.checked_mul(milliseconds).ok_or_else(bad)?;
        Ok(Self(Duration::from_millis(whole)))
    }
}

impl FromStr for Size {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let bad = || BadUnit::Size(escape(text, SHOWN));
        let (number, unit) = split(text).ok_or_else(bad)?;
        let bytes: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(bad()),
        };
        number.checked_mul(bytes).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

/// Why a text is no quantity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadUnit {
    /// Not a length of time.
    #[error("\"{0}\" is no length of time; write a whole number and ms, s, m or h, such as 8s")]
    Span(String),
    /// Not a number of bytes.
    #[error("\"{0}\" is no size; write a whole number and B, KiB, MiB or GiB, such as 48MiB")]
    Size(String),
}

/// The number and the unit after it.
fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

/// Implements reading and the schema of a unit, which is text in the file.
macro_rules! in_file {
    ($name:ident, $pattern:literal, $example:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "examples": [$example]})
            }
        }
    };
}

in_file!(Span, "^[0-9]+(ms|s|m|h)$", "8s");
in_file!(Size, "^[0-9]+(B|KiB|MiB|GiB)$", "48MiB");

/// How much of a wrong text an error quotes.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, want) in [("8s", 8_000), ("250ms", 250), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(want))), "{text}");
        }
        for text in ["", "8", "s", "8 s", "-8s", "1.5s", "8S", "8d", "99999999999999999999s"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.ends_with("and ms, s, m or h, such as 8s"), "{text}: {error}");
        }
    }

    #[test]
    fn sizes() {
        for (text, want) in [("1B", 1), ("8MiB", 8 << 20), ("1KiB", 1024), ("1GiB", 1 << 30)] {
            assert_eq!(text.parse(), Ok(Size(want)), "{text}");
        }
        for text in ["", "8", "MiB", "8 MiB", "-8MiB", "8MB", "8mib", "99999999999999999GiB"] {
            let error = text.parse::<Size>().unwrap_err().to_string();
            assert!(error.ends_with("B, KiB, MiB or GiB, such as 48MiB"), "{text}: {error}");
        }
    }
}
