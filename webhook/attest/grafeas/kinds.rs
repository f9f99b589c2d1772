//! Kinds of notes and occurrences, and what their details are called in either version.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An API version of Grafeas.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// Of the open reference server.
    #[default]
    V1Beta1,
    /// Of Google's Artifact Analysis.
    V1,
}

/// A row of the table.
#[derive(Debug)]
pub struct Kind {
    /// As in the member `kind`.
    pub name: &'static str,
    note: Names,
    occurrence: Names,
}

/// A member's name in v1beta1 and in v1, empty where the version has none.
#[derive(Debug)]
struct Names {
    v1beta1: &'static str,
    v1: &'static str,
}

/// Notes and occurrences name their details differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    Note,
    Occurrence,
}

impl Version {
    /// As in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1 => "v1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Kind {
    /// The member that holds the details, empty where the version does not know this kind.
    pub fn member(&self, class: Class, version: Version) -> &'static str {
        let names = match class {
            Class::Note => &self.note,
            Class::Occurrence => &self.occurrence,
        };
        match version {
            Version::V1Beta1 => names.v1beta1,
            Version::V1 => names.v1,
        }
    }

    /// The kinds of whose details a message has some: one, if it is right.
    pub fn of(
        members: &Map<String, Value>,
        class: Class,
        version: Version,
    ) -> impl Iterator<Item = &'static Self> {
        KINDS.iter().filter(move |kind| members.contains_key(kind.member(class, version)))
    }

    /// Whether any kind calls its details so.
    pub fn has_member(name: &str, class: Class, version: Version) -> bool {
        !name.is_empty() && KINDS.iter().any(|kind| kind.member(class, version) == name)
    }
}

const fn kind(
    name: &'static str,
    [note_v1beta1, note_v1]: [&'static str; 2],
    [v1beta1, v1]: [&'static str; 2],
) -> Kind {
    Kind {
        name,
        note: Names { v1beta1: note_v1beta1, v1: note_v1 },
        occurrence: Names { v1beta1, v1 },
    }
}

const KINDS: [Kind; 17] = [
    kind("VULNERABILITY", ["vulnerability"; 2], ["vulnerability"; 2]),
    kind("BUILD", ["build"; 2], ["build"; 2]),
    kind("IMAGE", ["baseImage", "image"], ["derivedImage", "image"]),
    kind("PACKAGE", ["package"; 2], ["installation", "package"]),
    kind("DEPLOYMENT", ["deployable", "deployment"], ["deployment"; 2]),
    kind("DISCOVERY", ["discovery"; 2], ["discovered", "discovery"]),
    kind("ATTESTATION", ["attestationAuthority", "attestation"], ["attestation"; 2]),
    kind("INTOTO", ["intoto", ""], ["intoto", ""]),
    kind("SBOM", ["sbom", ""], ["sbom", ""]),
    kind("SPDX_PACKAGE", ["spdxPackage", ""], ["spdxPackage", ""]),
    kind("SPDX_FILE", ["spdxFile", ""], ["spdxFile", ""]),
    kind("SPDX_RELATIONSHIP", ["spdxRelationship", ""], ["spdxRelationship", ""]),
    kind("UPGRADE", ["", "upgrade"], ["", "upgrade"]),
    kind("COMPLIANCE", ["", "compliance"], ["", "compliance"]),
    kind("DSSE_ATTESTATION", ["", "dsseAttestation"], ["", "dsseAttestation"]),
    kind("VULNERABILITY_ASSESSMENT", ["vulnerabilityAssessment"; 2], ["", ""]),
    kind("SBOM_REFERENCE", ["sbomReference"; 2], ["sbomReference"; 2]),
];
