//! JSON with one reading: no member twice, nothing after the value, bounded size, depth and memory.
//!
//! Parsers disagree about a member that appears twice, so a signed payload that repeats one could
//! say one thing to its signer and another to us.

use std::{cell::Cell, fmt};

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
/// Larger than `limit` bytes, deeper than [`MAX_DEPTH`], a repeated member, more memory than
/// [`MAX_MEMORY`] to hold it, trailing data, or no JSON at all.
pub fn parse_json(bytes: &[u8], limit: usize) -> Result<Value, BadJson> {
    if bytes.len() > limit {
        return Err(BadJson::TooLarge { size: bytes.len(), limit });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: MAX_DEPTH, room: &Cell::new(MAX_MEMORY) };
    let value = strict.deserialize(&mut deserializer).map_err(BadJson::Syntax)?;
    deserializer.end().map_err(BadJson::Syntax)?;
    Ok(value)
}

/// Builds a [`Value`] and refuses what has two readings.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// Bytes that may still be taken: an object of two bytes takes hundreds.
    room: &'a Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("nested more than {MAX_DEPTH} levels deep")))?;
        Ok(Self { depth, ..self })
    }

    fn take<E: serde::de::Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.room.get().checked_sub(bytes).ok_or_else(|| {
            E::custom(format_args!("it takes more than {MAX_MEMORY} bytes of memory"))
        })?;
        self.room.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.take(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            self.take(if items.is_empty() { FIRST_ITEM } else { ITEM })?;
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
            self.take(name.len())?;
            if members.len().is_multiple_of(MEMBERS_OF_A_NODE) {
                self.take(NODE)?;
            }
            let value = access.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// The deepest nesting that is read; real provenance stays below 20.
const MAX_DEPTH: usize = 64;

/// Most bytes that a document may take when it is read: room for the longest that is read, if its
/// objects have some seventy bytes of text each, as those of reports do or more.
const MAX_MEMORY: usize = 96 * 1024 * 1024;

/// Bytes of an item in an array that grows, at most, and of the room that the first one makes.
const ITEM: usize = 2 * size_of::<Value>();
const FIRST_ITEM: usize = 4 * size_of::<Value>();

/// Bytes of a node of an object, as its map makes them, and the members that it holds at least.
const NODE: usize = 640;
const MEMBERS_OF_A_NODE: usize = 6;

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
    #[test]
    fn p8_small_things_are_counted_as_what_they_take() {
        use regorus_mimalloc::current_thread_live_bytes as live;
        let many = |one: &str, times: usize| format!("[{}]", vec![one; times].join(","));
        for (name, text) in [
            ("objects", many(r#"{"a":1}"#, 50_000)),
            ("objects of seven", many(r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}"#, 10_000)),
            ("numbers", many("1", 300_000)),
            ("texts", many(&format!("{:?}", "x".repeat(100)), 20_000)),
            ("lists", many("[1]", 100_000)),
        ] {
            let room = Cell::new(MAX_MEMORY);
            let mut deserializer = serde_json::Deserializer::from_str(&text);
            let before = live();
            let strict = Strict { depth: MAX_DEPTH, room: &room };
            let _held = strict.deserialize(&mut deserializer).unwrap();
            let (held, counted) = (live() - before, MAX_MEMORY - room.get());
            let held = usize::try_from(held).unwrap();
            assert!(counted * 10 >= held * 8, "{name}: {counted} counted, {held} held");
            assert!(counted <= held * 3, "{name}: {counted} counted, {held} held");
        }
    }

    #[test]
    fn p8_json_takes_no_more_memory_than_there_is_for_it() {
        const LONGEST: usize = 8 * 1024 * 1024;
        let filled =
            |one: &str| format!("[{}]", vec![one; LONGEST / (one.len() + 1) - 1].join(","));
        let relationship = format!(
            r#"{{"element": "SPDXRef-{0}", "related": "SPDXRef-{0}", "type": "CONTAINS"}}"#,
            "abc"
        );
        for (name, text, want) in [
            ("a report", filled(&relationship), None),
            ("tiny objects", filled(r#"{"a":1}"#), Some("more than 100663296 bytes of memory")),
            ("numbers", filled("1"), Some("more than 100663296 bytes of memory")),
        ] {
            let read = parse_json(text.as_bytes(), LONGEST).map(drop);
            match (read.map_err(|bad| bad.to_string()), want) {
                (Ok(()), None) => {}
                (Err(bad), Some(want)) => assert!(bad.contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
