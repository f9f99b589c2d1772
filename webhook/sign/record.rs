//! Facts that are filed without a signature: builds, derived images, vulnerabilities, scans.
//!
//! Only the store's access control vouches for them, so they go to a Grafeas server alone. They are
//! given in v1beta1's shape; the store's client writes them in the version that the server speaks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    attest::grafeas::ResourceUri,
    name::{BadName, NoteName, PinnedImage},
};

/// What kind of fact it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// How the image was built.
    Build,
    /// What the image was made from, layer by layer.
    Image,
    /// A vulnerability in a package of the image.
    Vulnerability,
    /// That somebody looked for vulnerabilities, and finished.
    Discovery,
}

impl RecordKind {
    /// As in the member `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Build => "BUILD",
            Self::Image => "IMAGE",
            Self::Vulnerability => "VULNERABILITY",
            Self::Discovery => "DISCOVERY",
        }
    }

    /// What its note is called after the attestations' one: a note has one kind.
    fn suffix(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "image",
            Self::Vulnerability => "vulnerabilities",
            Self::Discovery => "scan",
        }
    }

    /// The member that holds an occurrence's details.
    fn member(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "derivedImage",
            Self::Vulnerability => "vulnerability",
            Self::Discovery => "discovered",
        }
    }

    /// The member that holds a note's details.
    fn note_member(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "baseImage",
            Self::Vulnerability => "vulnerability",
            Self::Discovery => "discovery",
        }
    }
}

/// The note that a record is filed under.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordNote {
    /// This one.
    Named(NoteName),
    /// One that is named after the attestations' note and the kind: `N-build`, `N-scan`.
    Beside,
    /// The one of the attestations' project that has the name of the vulnerability.
    Vulnerability(String),
}

/// An unsigned occurrence of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What kind of fact it is.
    pub kind: RecordKind,
    /// The note that it is filed under.
    pub note: RecordNote,
    /// The details of that note, for when it has to be made.
    pub note_details: Value,
    /// The details of the occurrence: what stands under `build`, `derivedImage`, `vulnerability`,
    /// `discovered`.
    pub details: Value,
}

impl Record {
    /// The note that it is filed under, where attestations are filed under `attestations`.
    ///
    /// # Errors
    /// The name that comes out can be no note's.
    pub fn note_beside(&self, attestations: &NoteName) -> Result<NoteName, BadName> {
        match &self.note {
            RecordNote::Named(note) => Ok(note.clone()),
            RecordNote::Beside => format!("{attestations}-{}", self.kind.suffix()).parse(),
            RecordNote::Vulnerability(id) => attestations.project().note(id),
        }
    }

    /// The occurrence of `note`, without what the server sets.
    pub fn occurrence(&self, image: &PinnedImage, note: &NoteName) -> Value {
        json!({
            "resource": {"uri": ResourceUri::written_for(&image.repository, image.digest)},
            "noteName": note.as_str(),
            "kind": self.kind.name(),
            self.kind.member(): self.details,
        })
    }

    /// The note, without its name.
    pub(super) fn note_message(&self, note: &NoteName) -> Value {
        json!({
            "shortDescription": note.id(),
            "kind": self.kind.name(),
            self.kind.note_member(): self.note_details,
        })
    }
}
