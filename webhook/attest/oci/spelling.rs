//! Refuses members that another reader would take for ones that we read.
//!
//! Runtimes are written in Go, whose JSON decoder takes `Manifests` for `manifests` and lets the
//! last one win. A document with both would be one image to us and another to the node, so a member
//! that differs from a known one only by case makes the document malformed.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads any JSON value and fails on the first ambiguous member name.
pub(super) struct Unambiguous;

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "annotations" {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if let Some(known) = KNOWN.iter().find(|known| folds_to(&name, known)) {
                return Err(A::Error::custom(format_args!(
                    "a member that some readers take for `{known}`"
                )));
            }
            members.next_value_seed(Self)?;
        }
        Ok(())
    }
}

/// Whether Go would take `name`, which is not `known`, for it: simple case folding, which for ASCII
/// letters knows two signs beyond ASCII.
fn folds_to(name: &str, known: &str) -> bool {
    name != known
        && name
            .chars()
            .map(|sign| match sign {
                '\u{17f}' => 's',
                '\u{212a}' => 'k',
                other => other.to_ascii_lowercase(),
            })
            .eq(known.chars().map(|sign| sign.to_ascii_lowercase()))
}

/// Every member that a reader of manifests and indexes acts on.
const KNOWN: &[&str] = &[
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "data",
    "digest",
    "features",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "os.features",
    "os.version",
    "platform",
    "schemaVersion",
    "size",
    "subject",
    "urls",
    "variant",
];
