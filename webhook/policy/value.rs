//! Turns what serializes into the engine's values, without the detour over JSON text.

use std::fmt;

use regorus::{Value, value::Object};
use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};

/// `item` as a value of the engine.
///
/// # Errors
/// [`NoValue`] for what JSON has no form for: maps whose keys are not text, enums with contents.
/// Nothing of the input document is like that.
pub(super) fn of<T: Serialize + ?Sized>(item: &T) -> Result<Value, NoValue> {
    item.serialize(Build)
}

/// Makes what is equal in both, down to this depth, one and the same.
pub(super) fn share(mine: &mut Value, other: &Value, depth: usize) {
    if mine == other {
        *mine = other.clone();
        return;
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    if let (Ok(members), Value::Object(others)) = (mine.as_object_mut(), other) {
        for (name, member) in members.iter_mut() {
            others.get(name).into_iter().for_each(|other| share(member, other, depth));
        }
    } else if let (Ok(items), Value::Array(others)) = (mine.as_array_mut(), other) {
        items.iter_mut().zip(others.iter()).for_each(|(item, other)| share(item, other, depth));
    }
}

/// Something has no form as a value.
#[derive(Debug, thiserror::Error)]
#[error("no value can hold it: {0}")]
pub struct NoValue(String);

impl ser::Error for NoValue {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

struct Build;

struct List(Vec<Value>);

#[derive(Default)]
struct Members {
    members: Object,
    key: Option<Value>,
}

impl Serializer for Build {
    type Ok = Value;
    type Error = NoValue;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = Impossible<Value, NoValue>;
    type SerializeTupleVariant = Impossible<Value, NoValue>;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Impossible<Value, NoValue>;

    fn serialize_bool(self, item: bool) -> Result<Value, NoValue> {
        Ok(Value::Bool(item))
    }

    fn serialize_i8(self, item: i8) -> Result<Value, NoValue> {
        self.serialize_i64(item.into())
    }

    fn serialize_i16(self, item: i16) -> Result<Value, NoValue> {
        self.serialize_i64(item.into())
    }

    fn serialize_i32(self, item: i32) -> Result<Value, NoValue> {
        self.serialize_i64(item.into())
    }

    fn serialize_i64(self, item: i64) -> Result<Value, NoValue> {
        Ok(item.into())
    }

    fn serialize_u8(self, item: u8) -> Result<Value, NoValue> {
        self.serialize_u64(item.into())
    }

    fn serialize_u16(self, item: u16) -> Result<Value, NoValue> {
        self.serialize_u64(item.into())
    }

    fn serialize_u32(self, item: u32) -> Result<Value, NoValue> {
        self.serialize_u64(item.into())
    }

    fn serialize_u64(self, item: u64) -> Result<Value, NoValue> {
        Ok(item.into())
    }

    fn serialize_f32(self, item: f32) -> Result<Value, NoValue> {
        self.serialize_f64(item.into())
    }

    fn serialize_f64(self, item: f64) -> Result<Value, NoValue> {
        Ok(item.into())
    }

    fn serialize_char(self, item: char) -> Result<Value, NoValue> {
        Ok(item.to_string().into())
    }

    fn serialize_str(self, item: &str) -> Result<Value, NoValue> {
        Ok(item.into())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, NoValue> {
        Err(NoValue("bytes".to_owned()))
    }

    fn serialize_none(self) -> Result<Value, NoValue> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, item: &T) -> Result<Value, NoValue> {
        item.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, NoValue> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, NoValue> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Value, NoValue> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        item: &T,
    ) -> Result<Value, NoValue> {
        item.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, NoValue> {
        Err(NoValue(name.to_owned()))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List, NoValue> {
        Ok(List(Vec::with_capacity(length.unwrap_or_default().min(1024))))
    }

    fn serialize_tuple(self, length: usize) -> Result<List, NoValue> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NoValue> {
        Err(NoValue(name.to_owned()))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoValue> {
        Err(NoValue(name.to_owned()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members, NoValue> {
        Ok(Members::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members, NoValue> {
        Ok(Members::default())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoValue> {
        Err(NoValue(name.to_owned()))
    }
}

impl SerializeSeq for List {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        self.0.push(of(item)?);
        Ok(())
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.0.into())
    }
}

impl SerializeTuple for List {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        SerializeSeq::serialize_element(self, item)
    }

    fn end(self) -> Result<Value, NoValue> {
        SerializeSeq::end(self)
    }
}

impl SerializeMap for Members {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoValue> {
        match of(key)? {
            key @ Value::String(_) => self.key = Some(key),
            other => return Err(NoValue(format!("the key {other}"))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        let key = self.key.take().ok_or_else(|| NoValue("a member without key".to_owned()))?;
        self.members.insert(key, of(item)?);
        Ok(())
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.members.into())
    }
}

impl SerializeStruct for Members {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        item: &T,
    ) -> Result<(), NoValue> {
        self.members.insert(key.into(), of(item)?);
        Ok(())
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.members.into())
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use serde_json::json;

    use super::*;

    #[test]
    fn p8_what_two_images_say_alike_is_held_once_and_unchanged() {
        let one = json!({"path": "a", "records": {"builds": [{"id": 1}, {"id": 2}]}, "rejected": [["x"]]});
        let other = json!({"path": "b", "records": {"builds": [{"id": 1}, {"id": 3}]}, "rejected": [["x"]]});
        let (first, mut second) = (of(&one).unwrap(), of(&other).unwrap());
        share(&mut second, &first, 3);
        assert_eq!(second, of(&other).unwrap());
        let same = |one: &Value, other: &Value| match (one, other) {
            (Value::Object(one), Value::Object(other)) => ptr::eq(one.as_ref(), other.as_ref()),
            (Value::Array(one), Value::Array(other)) => ptr::eq(one.as_ref(), other.as_ref()),
            _ => false,
        };
        let build = |image: &Value, at: usize| image["records"]["builds"][at].clone();
        assert!(same(&build(&first, 0), &build(&second, 0)));
        assert!(!same(&build(&first, 1), &build(&second, 1)));
        assert!(same(&first["rejected"], &second["rejected"]));
    }
}
