//! The one log line of a review (P17).

use std::time::Duration;

use crate::admission::Phase;
use crate::admission::Reply;
use crate::name::escape;

/// Writes who wanted what and what was decided by which revision, signed by whom: enough to judge
/// it again. What came from outside is escaped and cut (P13); bodies are never logged.
pub(super) fn record(phase: Phase, reply: &Reply, duration: Duration) {
    let outcome = &reply.outcome;
    tracing::info!(
        %phase,
        status = reply.status,
        decision = outcome.decision.map_or("none", crate::admission::Decision::as_str),
        uid = short(&outcome.uid),
        operation = outcome.operation,
        resource = short(&outcome.resource),
        namespace = short(&outcome.namespace),
        name = short(&outcome.name),
        user = short(&outcome.user),
        dry_run = outcome.dry_run,
        images = list(&outcome.images),
        codes = list(&outcome.codes),
        would_deny = list(&outcome.would_deny),
        policies = list(&outcome.policies),
        signers = list(&outcome.signers),
        revision = short(&outcome.revision),
        reason = outcome.reason.as_deref().map(|reason| escape(reason, LONG)),
        ms = millis(duration),
        "review"
    );
}

fn short(text: &str) -> String {
    escape(text, SHORT)
}

fn list(texts: &[String]) -> String {
    let mut list = String::new();
    for text in texts {
        if list.len() > LONG {
            list.push_str(",…");
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&escape(text, LONG));
    }
    list
}

/// Milliseconds with their microseconds, as a number that is easy to read and to sort.
fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

const SHORT: usize = 256;

/// Longest field, give or take one entry.
const LONG: usize = 4096;
