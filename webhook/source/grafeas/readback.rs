//! Whether a store kept what it was given.

use jiff::Timestamp;
use serde_json::Value;

/// Whether everything that was `sent` is in what the store `kept`, save for what is the server's to
/// set. Servers leave out what is empty and add members of their own.
pub(super) fn keeps(kept: &Value, sent: &Value) -> bool {
    match (kept, sent) {
        (Value::Object(kept), Value::Object(sent)) => sent
            .iter()
            .filter(|(name, _)| !SERVERS.contains(&name.as_str()))
            .all(|(name, sent)| keeps_member(kept.get(name), sent)),
        _ => false,
    }
}

/// Whether everything that is in `wanted` is in `known` too.
pub(super) fn holds(known: &Value, wanted: &Value) -> bool {
    keeps_member(Some(known), wanted)
}

fn keeps_member(kept: Option<&Value>, sent: &Value) -> bool {
    match (kept, sent) {
        (None, sent) => is_empty(sent),
        (Some(Value::Object(kept)), Value::Object(sent)) => {
            sent.iter().all(|(name, sent)| keeps_member(kept.get(name), sent))
        }
        (Some(Value::Array(kept)), Value::Array(sent)) => {
            kept.len() == sent.len()
                && kept.iter().zip(sent).all(|(kept, sent)| keeps_member(Some(kept), sent))
        }
        (Some(kept), sent) => kept == sent || is_same_time(kept, sent),
    }
}

/// Servers write the fractions of a second in threes of digits, whoever sent them how.
fn is_same_time(kept: &Value, sent: &Value) -> bool {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    time(kept).is_some_and(|kept| time(sent) == Some(kept))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
    }
}

const SERVERS: [&str; 4] = ["name", "kind", "createTime", "updateTime"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn p14_what_a_store_changed_is_seen() {
        let sent = json!({"noteName": "n", "kind": "ATTESTATION", "resource": {"uri": "u"},
            "at": "2026-11-20T08:00:00.5Z",
            "attestation": {"signatures": [{"signature": "c2ln", "publicKeyId": ""}]}});
        let cases = [
            ("the same", json!({}), true),
            ("a name, times and a kind", json!({"name": "x", "createTime": "t", "kind": 7}), true),
            ("a time with more zeros", json!({"at": "2026-11-20T08:00:00.500Z"}), true),
            ("another time", json!({"at": "2026-11-20T08:00:00.501Z"}), false),
            ("another note", json!({"noteName": "m"}), false),
            ("another image", json!({"resource": {"uri": "v"}}), false),
            ("nothing signed", json!({"attestation": {}}), false),
            (
                "one more signature",
                json!({"attestation": {"signatures": [{"signature": "c2ln"}, {}]}}),
                false,
            ),
            (
                "without what is empty",
                json!({"attestation": {"signatures": [{"signature": "c2ln"}]}}),
                true,
            ),
            (
                "another signature",
                json!({"attestation": {"signatures": [{"signature": "AAAA"}]}}),
                false,
            ),
        ];
        for (name, change, want) in cases {
            let mut kept = sent.clone();
            for (member, value) in change.as_object().unwrap() {
                kept[member] = value.clone();
            }
            assert_eq!(keeps(&kept, &sent), want, "{name}");
        }
        assert!(!keeps(&json!([]), &sent));
    }
}
