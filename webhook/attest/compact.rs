//! JSON that is kept for long and never changed, in as little memory as it takes.
//!
//! The first member of a `serde_json` object takes room for eleven, some 600 bytes. What is kept
//! for each of ten thousand images cannot be that generous.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};
use serde_json::{Number, Value};

/// A JSON value that takes no more room than it needs.
///
/// ```
/// use countersign::attest::CompactJson;
/// use serde_json::json;
///
/// let value = json!({"optional": {"creator": "ci", "timestamp": 1_700_000_000}});
/// let kept = CompactJson::from(value.clone());
/// assert_eq!(kept, value);
/// assert_eq!(serde_json::to_value(&kept).unwrap(), value);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum CompactJson {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Box<[Self]>),
    /// By name.
    Object(Box<[(Box<str>, Self)]>),
}

impl CompactJson {
    /// Bytes that it occupies, itself included.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.beside()
    }

    /// Bytes that it points to.
    fn beside(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(Self::weight).sum(),
            Self::Object(members) => {
                let beside = |(name, value): &(Box<str>, Self)| name.len() + value.beside();
                size_of_val(&**members) + members.iter().map(beside).sum::<usize>()
            }
        }
    }
}

impl From<Value> for CompactJson {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => {
                let member = |(name, value): (String, Value)| (name.into(), Self::from(value));
                Self::Object(members.into_iter().map(member).collect())
            }
        }
    }
}

impl PartialEq<Value> for CompactJson {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(one), Value::Bool(other)) => one == other,
            (Self::Number(one), Value::Number(other)) => one == other,
            (Self::Text(one), Value::String(other)) => **one == **other,
            (Self::List(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
            }
            // Both are in the order of their names.
            (Self::Object(one), Value::Object(other)) => {
                let equal =
                    |((name, value), (other, theirs)): (&(Box<str>, Self), (&String, _))| {
                        **name == **other && value == theirs
                    };
                one.len() == other.len() && one.iter().zip(other).all(equal)
            }
            _ => false,
        }
    }
}

impl Serialize for CompactJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn p6_what_is_kept_says_what_was_read() {
        for (name, value) in [
            ("null", json!(null)),
            ("numbers", json!([0, -1, 18_446_744_073_709_551_615_u64, 1.5, 1e300])),
            ("text", json!("a\n\u{202e}\"")),
            ("empty", json!([{}, [], ""])),
            ("an object", json!({"b": 1, "a": {"z": [true, null], "A": "x"}})),
        ] {
            let kept = CompactJson::from(value.clone());
            assert_eq!(kept, value, "{name}");
            let (one, other) = (serde_json::to_string(&kept), serde_json::to_string(&value));
            assert_eq!(one.unwrap(), other.unwrap(), "{name}");
        }
        for (name, one, other) in [
            ("a member more", json!({"a": 1}), json!({"a": 1, "b": 2})),
            ("another name", json!({"a": 1}), json!({"b": 1})),
            ("another value", json!({"a": 1}), json!({"a": "1"})),
            ("an item more", json!([1]), json!([1, 2])),
            ("another kind", json!({}), json!([])),
            ("whole or not", json!(1), json!(1.0)),
        ] {
            assert_ne!(CompactJson::from(one), other, "{name}");
        }
    }
}
