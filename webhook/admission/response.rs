//! The AdmissionReview that goes back, within what the API server takes.

use std::{borrow::Cow, collections::BTreeSet, fmt::Write as _};

use bytes::Bytes;
use serde::Serialize;

use super::{
    review::{API_VERSION, KIND},
    violation::Violation,
};
use crate::name::escaped;

/// The `response` of a review.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    pub uid: &'a str,
    pub allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub audit_annotations: AuditAnnotations<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<&'a str>,
    /// With a patch, `JSONPatch`; without one it must be absent too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_type: Option<&'static str>,
}

/// Keys without a slash: the API server puts the webhook's name and one before them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditAnnotations<'a> {
    pub decision: &'static str,
    pub images: Cow<'a, str>,
    pub codes: Cow<'a, str>,
    pub would_deny: Cow<'a, str>,
    pub policies: Cow<'a, str>,
    pub signers: Cow<'a, str>,
    pub revision: Cow<'a, str>,
}

/// What the person at `kubectl` gets to see: `metav1.Status`.
#[derive(Serialize)]
pub(super) struct Status {
    #[serde(rename = "status")]
    result: &'static str,
    code: u16,
    reason: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    retry_after_seconds: u32,
}

impl Response<'_> {
    /// The review as JSON.
    pub fn body(&self) -> Bytes {
        let review = Review { api_version: API_VERSION, kind: KIND, response: self };
        // Strings, maps of strings and numbers cannot fail to serialize; an empty body, which is
        // no answer at all, would let nothing in either.
        let mut body = Vec::with_capacity(USUAL_LENGTH);
        serde_json::to_writer(&mut body, &review).map(|()| Bytes::from(body)).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: &'a Response<'a>,
}

impl Status {
    /// `None` if nothing is violated. 503 if a retry can help against every violation.
    pub fn of(violations: &[Violation]) -> Option<Self> {
        let first = violations.first()?;
        let message = message(first, violations);
        if violations.iter().all(|violation| violation.retryable) {
            return Some(Self {
                result: FAILURE,
                code: 503,
                reason: "ServiceUnavailable",
                message,
                details: Some(Details { retry_after_seconds: 1 }),
            });
        }
        Some(Self { result: FAILURE, code: 403, reason: "Forbidden", message, details: None })
    }
}

/// One line per violation, sorted, as many as fit.
fn message(first: &Violation, violations: &[Violation]) -> String {
    let lines: BTreeSet<String> = violations.iter().map(Violation::to_string).collect();
    let mut message = String::new();
    for (shown, line) in lines.iter().enumerate() {
        if message.len() + line.len() + ROOM_FOR_REST > LONGEST_MESSAGE {
            let _ = write!(message, "… and {} more", lines.len() - shown);
            break;
        }
        message.push_str(line);
        message.push('\n');
    }
    if message.starts_with('…') {
        // One line that is longer than all may be: its short form is not.
        return first.brief(LONGEST_TEXT);
    }
    message.truncate(message.trim_end().len());
    message
}

/// The first few, short; the API server drops what has control characters in it.
pub(super) fn warnings(violations: &[Violation]) -> Vec<String> {
    let lines: BTreeSet<String> =
        violations.iter().map(|violation| violation.brief(LONGEST_WARNING)).collect();
    let more = lines.len().saturating_sub(MOST_WARNINGS - 1);
    if more <= 1 {
        return lines.into_iter().collect();
    }
    let rest = format!("… and {more} more; see the audit annotation wouldDeny");
    lines.into_iter().take(MOST_WARNINGS - 1).chain([rest]).collect()
}

/// The values of an audit annotation, comma separated, as many as fit.
pub(super) fn joined(values: &[String]) -> Cow<'_, str> {
    if let [only] = values {
        return escaped(only, LONGEST_TEXT);
    }
    let mut joined = String::new();
    for value in values {
        let value = escaped(value, LONGEST_TEXT);
        if joined.len() + value.len() + ROOM_FOR_REST > LONGEST_MESSAGE {
            joined.push_str(",…");
            break;
        }
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&value);
    }
    Cow::Owned(joined)
}

const FAILURE: &str = "Failure";

/// Bytes that most reviews that let something in fit into.
const USUAL_LENGTH: usize = 1024;

/// Longest message and longest value of an audit annotation, in bytes.
const LONGEST_MESSAGE: usize = 8192;

/// For `… and 12345 more`.
const ROOM_FOR_REST: usize = 32;

/// Longest single value, in characters.
const LONGEST_TEXT: usize = 1024;

/// What kubectl shows of a response is limited in all; a few short lines always get through.
const MOST_WARNINGS: usize = 5;

/// In characters; `k8s.io/api` asks for no more.
const LONGEST_WARNING: usize = 120;
