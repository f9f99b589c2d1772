//! Notes and occurrences as writers post them, checked and completed.
//!
//! What the reference server demands is demanded here too; in addition `kind` always says what the
//! details are, since that server keeps any kind that a writer posts.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::Refusal;
use crate::{
    attest::grafeas::{Class, Kind, Version, camel_case},
    name::{NoteName, OccurrenceName, ProjectName},
};

/// A note that may be stored.
#[derive(Debug)]
pub struct Note {
    pub name: NoteName,
    pub kind: &'static str,
    pub version: Version,
    pub body: Value,
}

/// An occurrence that may be stored.
#[derive(Debug)]
pub struct Occurrence {
    pub name: OccurrenceName,
    pub note: NoteName,
    pub uri: String,
    pub kind: &'static str,
    pub version: Version,
    pub body: Value,
}

impl Note {
    /// Checks a posted note and sets what is the server's to set.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] names the member that is missing or wrong.
    pub fn accept(
        version: Version,
        name: NoteName,
        posted: Value,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut members = members(posted)?;
        let kind = check(&members, Class::Note, version, &NOTE_MEMBERS)?;
        let details = members.get(kind.member(Class::Note, version)).unwrap_or(&Value::Null);
        for path in required_of_note(kind.name, version) {
            require(details, path, kind.name)?;
        }
        stamp(&mut members, name.as_str(), kind.name, now);
        Ok(Self { name, kind: kind.name, version, body: Value::Object(members) })
    }
}

impl Occurrence {
    /// Checks a posted occurrence, names it and sets what else is the server's to set.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] names the member that is missing or wrong.
    pub fn accept(
        version: Version,
        project: &ProjectName,
        posted: Value,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut members = members(posted)?;
        let own = match version {
            Version::V1Beta1 => "resource",
            Version::V1 => "resourceUri",
        };
        let known = [&OCCURRENCE_MEMBERS[..], &[own]].concat();
        let kind = check(&members, Class::Occurrence, version, &known)?;

        let uri = match version {
            Version::V1Beta1 => members.get("resource").and_then(|resource| resource.get("uri")),
            Version::V1 => members.get("resourceUri"),
        };
        let uri = uri.and_then(Value::as_str).filter(|uri| !uri.is_empty());
        let uri = uri.ok_or_else(|| invalid("the occurrence needs the URI of a resource"))?;
        let uri = uri.to_owned();
        let note = members.get("noteName").and_then(Value::as_str).unwrap_or_default();
        let note: NoteName =
            note.parse().map_err(|error| Refusal::Invalid(format!("noteName: {error}")))?;

        let details = members.get(kind.member(Class::Occurrence, version)).unwrap_or(&Value::Null);
        check_details(kind.name, version, details, members.contains_key("envelope"))?;
        let name = format!("{project}/occurrences/{}", Uuid::new_v4());
        let name: OccurrenceName = name.parse().map_err(|_| Refusal::Internal)?;
        stamp(&mut members, name.as_str(), kind.name, now);
        Ok(Self { name, note, uri, kind: kind.name, version, body: Value::Object(members) })
    }
}

/// The members in camelCase, without those that are null.
fn members(posted: Value) -> Result<Map<String, Value>, Refusal> {
    match camel_case(posted).map_err(|error| Refusal::Invalid(format!("the message {error}")))? {
        Value::Object(mut members) => {
            members.retain(|_, value| !value.is_null());
            Ok(members)
        }
        _ => Err(invalid("the message is no JSON object")),
    }
}

fn check(
    members: &Map<String, Value>,
    class: Class,
    version: Version,
    known: &[&str],
) -> Result<&'static Kind, Refusal> {
    let unknown = members
        .keys()
        .find(|name| !known.contains(&name.as_str()) && !Kind::has_member(name, class, version));
    if let Some(name) = unknown {
        return Err(Refusal::Invalid(format!("unknown field {name:?} in {version}")));
    }
    let mut kinds = Kind::of(members, class, version);
    let kind = kinds.next().ok_or_else(|| invalid("the message has no details of any kind"))?;
    match kinds.next() {
        None => Ok(kind),
        Some(other) => Err(Refusal::Invalid(format!(
            "the message has details of two kinds, {} and {}",
            kind.name, other.name
        ))),
    }
}

fn stamp(members: &mut Map<String, Value>, name: &str, kind: &str, now: Timestamp) {
    members.insert("name".into(), name.into());
    members.insert("kind".into(), kind.into());
    members.insert("createTime".into(), now.to_string().into());
    members.insert("updateTime".into(), now.to_string().into());
}

fn required_of_note(kind: &str, version: Version) -> &'static [&'static str] {
    match (kind, version) {
        ("BUILD", _) => &["builderVersion"],
        ("IMAGE", _) => &["resourceUrl", "fingerprint/v1Name", "fingerprint/v2Blob"],
        ("DEPLOYMENT", _) => &["resourceUri"],
        ("DISCOVERY", _) => &["analysisKind"],
        _ => &[],
    }
}

fn check_details(
    kind: &str,
    version: Version,
    details: &Value,
    has_envelope: bool,
) -> Result<(), Refusal> {
    let required: &[&str] = match (kind, version) {
        ("BUILD", Version::V1Beta1) => &["provenance/id"],
        ("IMAGE", Version::V1Beta1) => {
            &["derivedImage/fingerprint/v1Name", "derivedImage/fingerprint/v2Blob"]
        }
        ("IMAGE", Version::V1) => &["fingerprint/v1Name", "fingerprint/v2Blob"],
        ("DEPLOYMENT", Version::V1Beta1) => &["deployment/deployTime"],
        ("DEPLOYMENT", Version::V1) => &["deployTime"],
        ("ATTESTATION", _) => return check_attestation(version, details, has_envelope),
        _ => &[],
    };
    required.iter().try_for_each(|path| require(details, path, kind))
}

fn check_attestation(version: Version, details: &Value, enveloped: bool) -> Result<(), Refusal> {
    let signed = match version {
        Version::V1 => enveloped || filled(details, "signatures") || filled(details, "jwts"),
        Version::V1Beta1 => [
            "attestation/pgpSignedAttestation/signature",
            "attestation/genericSignedAttestation/signatures",
        ]
        .iter()
        .any(|path| filled(details, path)),
    };
    if signed { Ok(()) } else { Err(invalid("an attestation needs a signature")) }
}

fn require(details: &Value, path: &str, kind: &str) -> Result<(), Refusal> {
    if filled(details, path) {
        Ok(())
    } else {
        Err(Refusal::Invalid(format!("details of kind {kind} need {}", path.replace('/', "."))))
    }
}

/// Whether there is something at the end of the path.
fn filled(details: &Value, path: &str) -> bool {
    match details.pointer(&format!("/{path}")) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

fn invalid(text: &str) -> Refusal {
    Refusal::Invalid(text.to_owned())
}

const NOTE_MEMBERS: [&str; 9] = [
    "name",
    "shortDescription",
    "longDescription",
    "kind",
    "relatedUrl",
    "expirationTime",
    "createTime",
    "updateTime",
    "relatedNoteNames",
];

const OCCURRENCE_MEMBERS: [&str; 7] =
    ["name", "noteName", "kind", "remediation", "createTime", "updateTime", "envelope"];
