//! Refuses members that another reader would take for ones that we read.
//!
//! Runtimes are written in Go, whose JSON decoder takes `Manifests` for `manifests` and lets the
//! last one win. A document with both would be one image to us and another to the node, so a member
//! that differs from a known one only by case makes the document malformed.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The member names of a kind of document.
pub(super) struct Vocabulary {
    /// Every member that a reader of it acts on.
    known: &'static [&'static str],
    /// The one of them whose own members are free text.
    free: &'static str,
}

impl Vocabulary {
    /// Fails on the first member of `bytes` that some readers take for another one.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        Unambiguous(self).deserialize(&mut reader)?;
        reader.end()
    }
}

/// Reads any JSON value and fails on the first ambiguous member name.
struct Unambiguous<'a>(&'a Vocabulary);

impl<'de> DeserializeSeed<'de> for Unambiguous<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous<'_> {
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
        while items.next_element_seed(Self(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == self.0.free {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if let Some(known) = self.0.known.iter().find(|known| folds_to(&name, known)) {
                return Err(A::Error::custom(format_args!(
                    "a member that some readers take for `{known}`"
                )));
            }
            members.next_value_seed(Self(self.0))?;
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

/// Manifests and indexes.
pub(super) const DOCUMENT: Vocabulary = Vocabulary {
    free: "annotations",
    known: &[
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
    ],
};

/// Configurations of images.
pub(super) const CONFIG: Vocabulary = Vocabulary {
    free: "Labels",
    known: &[
        "ArgsEscaped",
        "Cmd",
        "Entrypoint",
        "Env",
        "ExposedPorts",
        "Healthcheck",
        "Labels",
        "OnBuild",
        "Shell",
        "StopSignal",
        "User",
        "Volumes",
        "WorkingDir",
        "architecture",
        "config",
        "created",
        "diff_ids",
        "history",
        "os",
        "os.features",
        "os.version",
        "rootfs",
        "type",
        "variant",
    ],
};
