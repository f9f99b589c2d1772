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
