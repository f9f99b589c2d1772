//! Facts that are filed without a signature: builds, derived images, vulnerabilities.
//!
//! Only the store's access control vouches for them, so they go to a Grafeas server alone. They are
//! given in v1beta1's shape; the store's client writes them in the version that the server speaks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    attest::grafeas::ResourceUri,
    name::{NoteName, PinnedImage},
};

/// What kind of fact it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// How the image was built.
    Build,
    /// What the image was made from, layer by layer.
    Image,
    /// A flaw in a package of the image.
    Vulnerability,
}

impl RecordKind {
    /// As in the member `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Build => "BUILD",
            Self::Image => "IMAGE",
            Self::Vulnerability => "VULNERABILITY",
        }
    }

    /// The member that holds an occurrence's details.
    fn member(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "derivedImage",
            Self::Vulnerability => "vulnerability",
        }
    }

    /// The member that holds a note's details.
    fn note_member(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "baseImage",
            Self::Vulnerability => "vulnerability",
        }
    }
}

/// An unsigned occurrence of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What kind of fact it is.
    pub kind: RecordKind,
    /// The note that it is filed under.
    pub note: NoteName,
    /// The details of that note, for when it has to be made.
    pub note_details: Value,
    /// The details of the occurrence: what stands under `build`, `derivedImage`, `vulnerability`.
    pub details: Value,
}

impl Record {
    /// The occurrence, without what the server sets.
    pub fn occurrence(&self, image: &PinnedImage) -> Value {
        json!({
            "resource": {"uri": ResourceUri::written_for(&image.repository, image.digest)},
            "noteName": self.note.as_str(),
            "kind": self.kind.name(),
            self.kind.member(): self.details,
        })
    }

    /// The note, without its name.
    pub(super) fn note_message(&self) -> Value {
        json!({
            "shortDescription": self.note.id(),
            "kind": self.kind.name(),
            self.kind.note_member(): self.note_details,
        })
    }
}
