//! JSON with one reading: no member twice, nothing after the value, bounded size and depth.
//!
//! Parsers disagree about a member that appears twice, so a signed payload that repeats one could
//! say one thing to its signer and another to us.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why bytes are not a JSON document with one reading.
#[derive(Debug, thiserror::Error)]
pub enum BadJson {
    /// More bytes than the caller allows.
    #[error("{size} bytes of JSON, at most {limit} are read")]
    TooLarge { size: usize, limit: usize },
    /// A syntax error, a member that appears twice, too deep, or something after the value.
    #[error("no JSON with one reading: {0}")]
    Syntax(serde_json::Error),
}

/// Reads one JSON value.
///
/// ```
/// # use countersign::attest::parse_json;
/// assert!(parse_json(br#"{"a": 1}"#, 100).is_ok());
/// assert!(parse_json(br#"{"a": 1, "a": 2}"#, 100).is_err());
/// assert!(parse_json(br#"{"a": 1} {}"#, 100).is_err());
/// ```
///
/// # Errors
/// Larger than `limit` bytes, deeper than [`MAX_DEPTH`], a repeated member, trailing data, or no
/// JSON at all.
pub fn parse_json(bytes: &[u8], limit: usize) -> Result<Value, BadJson> {
    if bytes.len() > limit {
        return Err(BadJson::TooLarge { size: bytes.len(), limit });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value =
        Strict { depth: MAX_DEPTH }.deserialize(&mut deserializer).map_err(BadJson::Syntax)?;
    deserializer.end().map_err(BadJson::Syntax)?;
    Ok(value)
}

/// Builds a [`Value`] and refuses what has two readings.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("nested more than {MAX_DEPTH} levels deep")))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("member {name:?} appears twice")));
            }
            let value = access.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// The deepest nesting that is read; real provenance stays below 20.
const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_json_has_one_reading() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for (name, text, want) in [
            ("an object", r#" {"a": [1, -2, 3.5, null, true, "x"]} "#.to_owned(), None),
            ("a member twice", r#"{"a": 1, "a": 1}"#.into(), Some("member \"a\" appears twice")),
            ("twice, escaped", r#"{"a": 1, "\u0061": 2}"#.into(), Some("appears twice")),
            ("twice, deep", r#"{"x": [{"b": {}, "b": {}}]}"#.into(), Some("appears twice")),
            ("trailing data", "{} {}".into(), Some("trailing characters")),
            ("half a surrogate", r#""\ud800""#.into(), Some("no JSON with one reading")),
            ("a byte order mark", "\u{feff}{}".into(), Some("expected value")),
            ("nothing", String::new(), Some("EOF")),
            ("as deep as allowed", nested(MAX_DEPTH), None),
            ("too deep", nested(MAX_DEPTH + 1), Some("nested more than 64 levels deep")),
            ("much too deep", nested(100_000), Some("levels deep")),
            ("too large", "1".repeat(200_001), Some("200001 bytes of JSON, at most 200000")),
        ] {
            match (parse_json(text.as_bytes(), 200_000), want) {
                (Ok(_), None) => {}
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
