//! JSON objects of what there is: what is not known is absent, not null.

use serde_json::{Map, Value};

/// An object of the members that have a value.
pub fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

/// Nothing for an object of nothing.
pub fn filled(object: Value) -> Option<Value> {
    object.as_object().is_none_or(|members| !members.is_empty()).then_some(object)
}
