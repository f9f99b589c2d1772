//! Messages of one API version in the shape of the other.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::kinds::{Class, Kind, Version};

/// A note or occurrence of version `from` in the shape of version `to`, both in camelCase. What the
/// other version cannot say stays as it is.
pub fn convert(message: Value, class: Class, from: Version, to: Version) -> Value {
    let Value::Object(mut members) = message else { return message };
    if from == to {
        return Value::Object(members);
    }
    let kind = Kind::of(&members, class, from).next();
    if let Some(kind) = kind {
        let (old, new) = (kind.member(class, from), kind.member(class, to));
        if !new.is_empty()
            && let Some(details) = members.remove(old)
        {
            let details = match class {
                Class::Note => details,
                Class::Occurrence => details_in(kind.name, to, details),
            };
            members.insert(new.to_owned(), details);
        }
    }
    if class == Class::Occurrence {
        move_resource(&mut members, to);
    }
    Value::Object(members)
}

fn move_resource(members: &mut Map<String, Value>, to: Version) {
    match to {
        Version::V1 => {
            if let Some(resource) = members.remove("resource") {
                members
                    .insert("resourceUri".into(), resource.get("uri").cloned().unwrap_or_default());
            }
        }
        Version::V1Beta1 => {
            if let Some(uri) = members.remove("resourceUri") {
                members.insert("resource".into(), json!({"uri": uri}));
            }
        }
    }
}

fn details_in(kind: &str, to: Version, details: Value) -> Value {
    let nested = match kind {
        "IMAGE" => "derivedImage",
        "DISCOVERY" => return discovery(to, details),
        "DEPLOYMENT" => "deployment",
        "PACKAGE" => "installation",
        "ATTESTATION" => return attestation(to, &details),
        "VULNERABILITY" => return vulnerability(to, details),
        _ => return details,
    };
    nested_in(nested, to, details)
}

fn nested_in(member: &str, to: Version, details: Value) -> Value {
    match (to, details) {
        (Version::V1Beta1, details) => json!({member: details}),
        (Version::V1, Value::Object(mut members)) => members.remove(member).unwrap_or_default(),
        (Version::V1, details) => details,
    }
}

fn discovery(to: Version, mut details: Value) -> Value {
    let (old, new) = LAST_SCAN;
    match to {
        Version::V1 => {
            let mut details = nested_in("discovered", to, details);
            rename(&mut details, (old, new));
            details
        }
        Version::V1Beta1 => {
            rename(&mut details, (new, old));
            nested_in("discovered", to, details)
        }
    }
}

/// Gives a member of an object another name, unless there is one of that name.
pub(super) fn rename(object: &mut Value, (from, to): (&str, &str)) {
    if let Some(members) = object.as_object_mut()
        && !members.contains_key(to)
        && let Some(value) = members.remove(from)
    {
        members.insert(to.to_owned(), value);
    }
}

/// The time of the last scan: released servers of v1beta1 know only the older name.
pub(super) const LAST_SCAN: (&str, &str) = ("lastAnalysisTime", "lastScanTime");

/// v1 has no member for an OpenPGP message; there it is a signature without a payload beside it.
fn attestation(to: Version, details: &Value) -> Value {
    match to {
        Version::V1Beta1 => json!({"attestation": {"genericSignedAttestation": details}}),
        Version::V1 => {
            let empty = Value::Null;
            let inner = details.get("attestation").unwrap_or(&empty);
            if let Some(generic) = inner.get("genericSignedAttestation") {
                let mut generic = generic.clone();
                if let Some(members) = generic.as_object_mut() {
                    members.remove("contentType");
                }
                return generic;
            }
            let pgp = inner.get("pgpSignedAttestation").unwrap_or(&empty);
            let armor = pgp.get("signature").and_then(Value::as_str).unwrap_or_default();
            let mut signature = json!({"signature": STANDARD.encode(armor)});
            if let (Some(id), Some(members)) = (pgp.get("pgpKeyId"), signature.as_object_mut()) {
                members.insert("publicKeyId".into(), id.clone());
            }
            json!({"signatures": [signature]})
        }
    }
}

fn vulnerability(to: Version, mut details: Value) -> Value {
    if let Some(Value::Array(issues)) = details.get_mut("packageIssue") {
        for issue in issues.iter_mut().filter_map(Value::as_object_mut) {
            for (location, flat) in LOCATIONS {
                match to {
                    Version::V1 => flatten(issue, location, flat),
                    Version::V1Beta1 => nest(issue, location, flat),
                }
            }
        }
    }
    details
}

fn flatten(issue: &mut Map<String, Value>, location: &str, flat: [&str; 3]) {
    if let Some(Value::Object(mut found)) = issue.remove(location) {
        for (name, flat) in PARTS.iter().zip(flat) {
            if let Some(value) = found.remove(*name) {
                issue.insert(flat.to_owned(), value);
            }
        }
    }
}

fn nest(issue: &mut Map<String, Value>, location: &str, flat: [&str; 3]) {
    let mut found = Map::new();
    for (name, flat) in PARTS.iter().zip(flat) {
        if let Some(value) = issue.remove(flat) {
            found.insert((*name).to_owned(), value);
        }
    }
    if !found.is_empty() {
        issue.insert(location.to_owned(), Value::Object(found));
    }
}

const PARTS: [&str; 3] = ["cpeUri", "package", "version"];

const LOCATIONS: [(&str, [&str; 3]); 2] = [
    ("affectedLocation", ["affectedCpeUri", "affectedPackage", "affectedVersion"]),
    ("fixedLocation", ["fixedCpeUri", "fixedPackage", "fixedVersion"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_change_their_version() {
        let cases = [
            (
                "a discovery",
                json!({"resource": {"uri": "u"}, "discovered": {"discovered": {"analysisStatus": "PENDING", "lastAnalysisTime": "t"}}}),
                json!({"resourceUri": "u", "discovery": {"analysisStatus": "PENDING", "lastScanTime": "t"}}),
            ),
            (
                "a generic attestation",
                json!({"resource": {"uri": "u"}, "attestation": {"attestation": {"genericSignedAttestation": {"serializedPayload": "e30=", "signatures": []}}}}),
                json!({"resourceUri": "u", "attestation": {"serializedPayload": "e30=", "signatures": []}}),
            ),
            (
                "a vulnerability",
                json!({"resource": {"uri": "u"}, "vulnerability": {"packageIssue": [{"affectedLocation": {"package": "p"}}]}}),
                json!({"resourceUri": "u", "vulnerability": {"packageIssue": [{"affectedPackage": "p"}]}}),
            ),
        ];
        for (name, v1beta1, v1) in cases {
            let to_v1 = convert(v1beta1.clone(), Class::Occurrence, Version::V1Beta1, Version::V1);
            assert_eq!(to_v1, v1, "{name}");
            let back = convert(v1, Class::Occurrence, Version::V1, Version::V1Beta1);
            assert_eq!(back, v1beta1, "{name}");
        }
    }

    #[test]
    fn an_openpgp_message_is_a_signature_in_v1() {
        let pgp = json!({"resource": {"uri": "u"}, "attestation": {"attestation":
            {"pgpSignedAttestation": {"signature": "armor", "pgpKeyId": "AB"}}}});
        let v1 = convert(pgp, Class::Occurrence, Version::V1Beta1, Version::V1);
        let want = json!({"signatures": [{"signature": "YXJtb3I=", "publicKeyId": "AB"}]});
        assert_eq!(v1["attestation"], want);
    }

    #[test]
    fn notes_change_their_version() {
        let note =
            json!({"name": "n", "attestationAuthority": {"hint": {"humanReadableName": "qa"}}});
        let v1 = convert(note.clone(), Class::Note, Version::V1Beta1, Version::V1);
        assert_eq!(v1, json!({"name": "n", "attestation": {"hint": {"humanReadableName": "qa"}}}));
        assert_eq!(convert(v1, Class::Note, Version::V1, Version::V1Beta1), note);
    }
}
