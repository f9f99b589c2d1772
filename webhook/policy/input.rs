//! The document that rules judge: the request and its images, with what was found out about them.
//!
//! Only what the verifier vouched for can stand under `attestations`, because the field takes
//! nothing else. The parts are made once and shared between the rules and policies of a review.

use regorus::{Value, value::Object};
use serde::Serialize;

use super::{
    Container, ImageEntry, Request,
    value::{self, NoValue},
};
use crate::name::ImageRef;

/// The JSON Schema of the input document.
pub const INPUT_SCHEMA: &str = include_str!("input.schema.json");

/// One input document. Cheap to clone.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Input(Value);

/// The request as a part of documents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestPart(Value);

/// One entry of `images` as a part of documents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImagePart(Value);

/// Why a document cannot be built. The request is not to be admitted then.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A rule over no images would be content, whatever it says.
    #[error("there is no image to judge")]
    NoImages,
    /// An object of the request holds what the engine's values cannot: nested too deep, or a
    /// number that is none.
    #[error("the object of the request cannot be put before a rule: {0}")]
    Object(String),
    /// A member has no form as a value.
    #[error("the input cannot be put before a rule")]
    Value(#[from] NoValue),
}

impl Input {
    /// The document for one policy: `images` are those that it matches.
    ///
    /// # Errors
    /// [`InputError::NoImages`].
    pub fn new(request: &RequestPart, images: &[ImagePart]) -> Result<Self, InputError> {
        if images.is_empty() {
            return Err(InputError::NoImages);
        }
        let images: Vec<Value> = images.iter().map(|image| image.0.clone()).collect();
        let members = [("request", request.0.clone()), ("images", images.into())];
        let members = members.into_iter().map(|(key, part)| (Value::from(key), part));
        Ok(Self(members.collect::<Object>().into()))
    }

    /// The document as the engine takes it.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl RequestPart {
    /// The part where no rule reads anything of it ([`super::Reads::request`]): null.
    pub fn unread() -> Self {
        Self(Value::Null)
    }

    /// Makes the part; the objects are parsed here, if they are given.
    ///
    /// # Errors
    /// [`InputError::Object`].
    pub fn new(request: &Request<'_>) -> Result<Self, InputError> {
        let mut part = value::of(request)?;
        for (name, object) in [("object", request.object), ("oldObject", request.old_object)] {
            let object = match object {
                None => Value::Null,
                Some(raw) => Value::from_json_str(raw.get())
                    .map_err(|error| InputError::Object(error.to_string()))?,
            };
            if let Ok(members) = part.as_object_mut() {
                members.insert(name.into(), object);
            }
        }
        Ok(Self(part))
    }
}

impl ImagePart {
    /// Makes the part.
    ///
    /// # Errors
    /// [`InputError::Value`], which no evidence should cause.
    pub fn new(entry: &ImageEntry<'_>) -> Result<Self, InputError> {
        Ok(Self(value::of(entry)?))
    }

    /// Takes from the same image on another platform what both say in the same words in the same
    /// place, so that memory holds it once.
    pub fn share(&mut self, other: &Self) {
        value::share(&mut self.0, &other.0, DEPTH_OF_LISTS);
    }

    /// The same image where another place names it. What was found out about it is shared, however
    /// much that is.
    ///
    /// # Errors
    /// [`InputError::Value`], which no place should cause.
    pub fn at(
        &self,
        path: &str,
        container: Container<'_>,
        given: &ImageRef,
    ) -> Result<Self, InputError> {
        let mut part = self.0.clone();
        if let Ok(members) = part.as_object_mut() {
            members.insert("path".into(), path.into());
            members.insert("container".into(), value::of(&container)?);
            members.insert("given".into(), given.as_str().into());
            members.insert("tag".into(), value::of(&given.tag())?);
        }
        Ok(Self(part))
    }
}

/// How deep the elements of lists stand in an image: those of records and metadata are in an object.
const DEPTH_OF_LISTS: usize = 3;
