//! The uid of a review that cannot be read as a whole.
//!
//! A denial is an answer that the API server must take as one, so it has to name the uid; a body
//! that is cut off, or of a wrong type somewhere, still has it near its beginning.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::review::{KIND, LONGEST_UID, Text};

/// What was seen of a review before its end, or before what broke it.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    kind: Option<String>,
    uid: Option<String>,
}

impl Salvaged {
    /// Reads until nothing more can be read; the error at that place is of no interest.
    pub fn from(body: &[u8]) -> Self {
        let mut salvaged = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let _ = deserializer.deserialize_map(Envelope(&mut salvaged));
        salvaged
    }

    /// The uid, unless what was seen is something else than a review.
    pub fn review_uid(self) -> Option<String> {
        if self.kind.is_some_and(|kind| kind != KIND) {
            return None;
        }
        self.uid.filter(|uid| !uid.is_empty() && uid.len() <= LONGEST_UID)
    }
}

struct Envelope<'s>(&'s mut Salvaged);

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an AdmissionReview")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.0.as_ref() {
                "kind" => self.0.kind = Some(map.next_value()?),
                "request" => map.next_value_seed(Request(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Request<'s>(&'s mut Salvaged);

impl<'de> DeserializeSeed<'de> for Request<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Request<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an admission request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0 == "uid" {
                self.0.uid = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
