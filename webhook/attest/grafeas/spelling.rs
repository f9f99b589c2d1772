//! Member names in one spelling.
//!
//! Protocol buffers' JSON knows every member by two names, `noteName` and `note_name`, and readers
//! must take both; ocibuilder posts the second.

use serde_json::{Map, Value};

/// One object has the same member in both spellings, so readers would disagree on its value.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("has {member} in two spellings; write it once")]
pub struct TwoSpellings {
    member: String,
}

/// Renames the members of all messages within `value` to camelCase; what stands in free-form maps
/// (labels, digests, build parameters) keeps its names.
///
/// # Errors
/// [`TwoSpellings`] where an object has both.
pub fn camel_case(value: Value) -> Result<Value, TwoSpellings> {
    match value {
        Value::Object(members) => {
            let mut renamed = Map::with_capacity(members.len());
            for (name, value) in members {
                let name = camel_name(&name);
                let value =
                    if FREE_FORM.contains(&name.as_str()) { value } else { camel_case(value)? };
                if renamed.insert(name.clone(), value).is_some() {
                    return Err(TwoSpellings { member: name });
                }
            }
            Ok(Value::Object(renamed))
        }
        Value::Array(items) => {
            items.into_iter().map(camel_case).collect::<Result<_, _>>().map(Value::Array)
        }
        other => Ok(other),
    }
}

/// `note_name` becomes `noteName`; `_type`, whose JSON name is that, stays.
fn camel_name(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for character in name.chars() {
        match character {
            '_' if !camel.is_empty() => upper = true,
            _ if upper => {
                camel.extend(character.to_uppercase());
                upper = false;
            }
            _ => camel.push(character),
        }
    }
    camel
}

/// Members whose values are maps or documents of the writer's.
const FREE_FORM: [&str; 10] = [
    "annotations",
    "buildConfig",
    "buildOptions",
    "digest",
    "environment",
    "externalParameters",
    "fileHashes",
    "internalParameters",
    "labels",
    "parameters",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_renamed_but_not_keys_of_maps() {
        let cases = [
            (
                "ocibuilder's attestation",
                json!({"note_name": "n", "attestation": {"attestation": {"pgp_signed_attestation": {"pgp_key_id": "A"}}}}),
                json!({"noteName": "n", "attestation": {"attestation": {"pgpSignedAttestation": {"pgpKeyId": "A"}}}}),
            ),
            (
                "lists and digits",
                json!({"built_artifacts": [{"v1_name": "x"}]}),
                json!({"builtArtifacts": [{"v1Name": "x"}]}),
            ),
            ("a leading underscore", json!({"_type": "t"}), json!({"_type": "t"})),
            (
                "labels of a source",
                json!({"source_provenance": {"labels": {"my_key": "v"}}}),
                json!({"sourceProvenance": {"labels": {"my_key": "v"}}}),
            ),
        ];
        for (name, given, want) in cases {
            assert_eq!(camel_case(given), Ok(want), "{name}");
        }
    }

    #[test]
    fn a_member_in_two_spellings_is_refused() {
        let error = camel_case(json!({"note_name": "a", "noteName": "b"})).unwrap_err();
        assert_eq!(error.to_string(), "has noteName in two spellings; write it once");
    }
}
