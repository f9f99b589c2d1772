//! Unsigned occurrences, as rules see them under `records`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value, json};

use super::convert::{LAST_SCAN, rename};
use crate::name::NoteName;

/// An unsigned occurrence. Only the store's access control vouches for it.
///
/// Serialized it has `source`, `name`, `note`, `resource`, `recordedAt` and the details under the
/// name and in the shape that v1 gives them, whichever version they came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub(super) kind: Kind,
    pub(super) source: Arc<str>,
    pub(super) name: String,
    pub(super) note: Option<NoteName>,
    pub(super) resource: Option<String>,
    pub(super) recorded_at: Option<Timestamp>,
    pub(super) details: Value,
}

impl Record {
    /// The list of `records` that it belongs to: `builds`, `vulnerabilities`, ….
    pub fn list(&self) -> &'static str {
        self.kind.list()
    }

    /// The note that it is of.
    pub fn note(&self) -> Option<&NoteName> {
        self.note.as_ref()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("note", &self.note.as_ref().map(ToString::to_string))?;
        map.serialize_entry("resource", &self.resource)?;
        map.serialize_entry("recordedAt", &self.recorded_at)?;
        map.serialize_entry(self.kind.member(), &self.details)?;
        map.end()
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Build,
    Image,
    Vulnerability,
    Discovery,
    Package,
    Deployment,
    SbomReference,
}

impl Kind {
    /// By the member that holds an occurrence's details, in either version.
    pub(super) fn of(field: &str) -> Option<Self> {
        Some(match field {
            "build" => Self::Build,
            "derivedImage" | "image" => Self::Image,
            "vulnerability" => Self::Vulnerability,
            "discovered" | "discovery" => Self::Discovery,
            "installation" | "package" => Self::Package,
            "deployment" => Self::Deployment,
            "sbomReference" => Self::SbomReference,
            _ => return None,
        })
    }

    fn list(self) -> &'static str {
        match self {
            Self::Build => "builds",
            Self::Image => "derived",
            Self::Vulnerability => "vulnerabilities",
            Self::Discovery => "discoveries",
            Self::Package => "packages",
            Self::Deployment => "deployments",
            Self::SbomReference => "sbomReferences",
        }
    }

    fn member(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Image => "image",
            Self::Vulnerability => "vulnerability",
            Self::Discovery => "discovery",
            Self::Package => "package",
            Self::Deployment => "deployment",
            Self::SbomReference => "sbomReference",
        }
    }

    /// The details in v1's shape.
    pub(super) fn details(self, details: Value) -> Value {
        let nested = match self {
            Self::Image => "derivedImage",
            Self::Discovery => "discovered",
            Self::Package => "installation",
            Self::Deployment => "deployment",
            Self::Vulnerability => return vulnerability(details),
            Self::Build | Self::SbomReference => return details,
        };
        let mut details = match details {
            Value::Object(mut outer) => match outer.remove(nested) {
                Some(inner @ Value::Object(_)) => inner,
                Some(other) => {
                    outer.insert(nested.to_owned(), other);
                    Value::Object(outer)
                }
                None => Value::Object(outer),
            },
            other => other,
        };
        if let Some(status) = details.get_mut("analysisStatus") {
            name_number(status, &ANALYSIS_STATUS);
        }
        if self == Self::Discovery {
            rename(&mut details, LAST_SCAN);
        }
        details
    }
}

/// v1beta1 keeps two locations for each affected package where v1 has plain members.
fn vulnerability(mut details: Value) -> Value {
    let Some(members) = details.as_object_mut() else { return details };
    for severity in ["severity", "effectiveSeverity"] {
        if let Some(severity) = members.get_mut(severity) {
            name_number(severity, &SEVERITY);
        }
    }
    if let Some(Value::Array(issues)) = members.get_mut("packageIssue") {
        let mut all_fixable = !issues.is_empty();
        for issue in issues.iter_mut().filter_map(Value::as_object_mut) {
            flatten_locations(issue);
            if let Some(severity) = issue.get_mut("effectiveSeverity") {
                name_number(severity, &SEVERITY);
            }
            all_fixable &= issue.get("fixAvailable") == Some(&Value::Bool(true));
        }
        members.entry("fixAvailable").or_insert(Value::Bool(all_fixable));
    }
    details
}

fn flatten_locations(issue: &mut Map<String, Value>) {
    let names = [
        ("affectedLocation", "affectedCpeUri", "affectedPackage", "affectedVersion"),
        ("fixedLocation", "fixedCpeUri", "fixedPackage", "fixedVersion"),
    ];
    for (location, cpe, package, version) in names {
        if let Some(Value::Object(mut found)) = issue.remove(location) {
            for (from, to) in [("cpeUri", cpe), ("package", package), ("version", version)] {
                if let Some(value) = found.remove(from) {
                    issue.entry(to).or_insert(value);
                }
            }
        }
    }
    let fixed = issue.get("fixedVersion").and_then(Value::as_object);
    let fixable = fixed.is_some_and(|version| {
        !matches!(version.get("kind"), Some(kind) if *kind == json!("MAXIMUM") || *kind == json!(3))
    });
    issue.entry("fixAvailable").or_insert(Value::Bool(fixable));
}

/// Enumerations may come as numbers; rules compare names.
fn name_number(value: &mut Value, names: &[&str]) {
    let name = value.as_u64().and_then(|number| names.get(usize::try_from(number).ok()?));
    if let Some(name) = name {
        *value = Value::from(*name);
    }
}

const SEVERITY: [&str; 6] =
    ["SEVERITY_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

const ANALYSIS_STATUS: [&str; 6] = [
    "ANALYSIS_STATUS_UNSPECIFIED",
    "PENDING",
    "SCANNING",
    "FINISHED_SUCCESS",
    "FINISHED_FAILED",
    "FINISHED_UNSUPPORTED",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_one_shape() {
        let cases = [
            (
                "discovered",
                json!({"discovered": {"analysisStatus": 3, "lastAnalysisTime": "t"}}),
                json!({"analysisStatus": "FINISHED_SUCCESS", "lastScanTime": "t"}),
            ),
            (
                "discovery",
                json!({"analysisStatus": "SCANNING"}),
                json!({"analysisStatus": "SCANNING"}),
            ),
            ("deployment", json!({"deployment": {"address": "a"}}), json!({"address": "a"})),
            ("derivedImage", json!({"derivedImage": {"distance": 1}}), json!({"distance": 1})),
            (
                "vulnerability",
                json!({"severity": 5, "packageIssue": [{"affectedLocation": {"cpeUri": "c", "package": "p", "version": {"name": "1"}},
                    "fixedLocation": {"cpeUri": "c", "package": "p", "version": {"name": "2", "kind": "NORMAL"}}}]}),
                json!({"severity": "CRITICAL", "fixAvailable": true, "packageIssue": [{"affectedCpeUri": "c", "affectedPackage": "p",
                    "affectedVersion": {"name": "1"}, "fixedCpeUri": "c", "fixedPackage": "p",
                    "fixedVersion": {"name": "2", "kind": "NORMAL"}, "fixAvailable": true}]}),
            ),
            (
                "vulnerability",
                json!({"packageIssue": [{"affectedPackage": "p", "fixedVersion": {"kind": "MAXIMUM"}}]}),
                json!({"fixAvailable": false, "packageIssue": [{"affectedPackage": "p",
                    "fixedVersion": {"kind": "MAXIMUM"}, "fixAvailable": false}]}),
            ),
        ];
        for (field, given, want) in cases {
            assert_eq!(Kind::of(field).unwrap().details(given), want, "{field}");
        }
    }
}
