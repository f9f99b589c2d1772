//! How many vulnerabilities of which severity there are, for each resource.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    answer::{Answer, Message, Refusal},
    api::Api,
    database::{self, Listing, Of},
    filter::Filter,
    lists::{self, ListQuery},
};
use crate::attest::grafeas::{Class, Version};

/// Counts the vulnerability occurrences of a project.
///
/// # Errors
/// [`Refusal`] of the filter or of the database.
pub async fn vulnerabilities(api: &Api, project: String, query: ListQuery) -> Answer {
    let mut filter =
        Filter::parse(&query.filter).map_err(|error| Refusal::Invalid(error.to_string()))?;
    filter.condition.push_str(" AND kind = 'VULNERABILITY'");
    let to = api.version;
    api.data
        .run(move |data| {
            let mut counts = BTreeMap::<(String, String), (u64, u64)>::new();
            let mut after = 0;
            loop {
                let of = Of::Occurrences { project: project.clone() };
                let filter = filter.clone();
                let listed = database::list(data, Listing { of, filter, after, limit: 1000 })?;
                for row in &listed.rows {
                    let found = lists::read(row, Class::Occurrence, Version::V1)?;
                    let (fixable, total) = counts.entry(key(&found)).or_default();
                    *total += 1;
                    *fixable += u64::from(is_fixable(&found));
                }
                match listed.rows.last() {
                    Some(last) if listed.more => after = last.position,
                    _ => break,
                }
            }
            let counts: Vec<_> = counts.into_iter().map(|count| entry(to, count)).collect();
            Ok(Message(lists::members("counts", counts).into()))
        })
        .await
}

fn key(found: &Value) -> (String, String) {
    let text = |pointer| found.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let severity = text("/vulnerability/effectiveSeverity")
        .or_else(|| text("/vulnerability/severity"))
        .unwrap_or_else(|| "SEVERITY_UNSPECIFIED".to_owned());
    (text("/resourceUri").unwrap_or_default(), severity)
}

fn is_fixable(found: &Value) -> bool {
    let issues = found.pointer("/vulnerability/packageIssue").and_then(Value::as_array);
    issues.is_some_and(|issues| {
        !issues.is_empty()
            && issues.iter().all(|issue| {
                issue.pointer("/fixedVersion").is_some()
                    && issue.pointer("/fixedVersion/kind") != Some(&json!("MAXIMUM"))
            })
    })
}

fn entry(
    to: Version,
    ((uri, severity), (fixable, total)): ((String, String), (u64, u64)),
) -> Value {
    // 64-bit numbers are texts in protocol buffers' JSON.
    let counts = (fixable.to_string(), total.to_string());
    match to {
        Version::V1Beta1 => json!({"resource": {"uri": uri}, "severity": severity,
            "fixableCount": counts.0, "totalCount": counts.1}),
        Version::V1 => json!({"resourceUri": uri, "severity": severity,
            "fixableCount": counts.0, "totalCount": counts.1}),
    }
}
