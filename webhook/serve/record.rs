//! The one log line of a review (P17).

use std::{borrow::Cow, time::Duration};

use crate::{
    admission::{Phase, Reply},
    name::{escape, escaped},
};

/// Writes who wanted what and what was decided by which revision, signed by whom: enough to judge
/// it again. What came from outside is escaped and cut (P13); bodies are never logged.
pub(super) fn record(phase: Phase, reply: &Reply, duration: Duration) {
    let outcome = &reply.outcome;
    tracing::info!(
        %phase,
        status = reply.status,
        decision = outcome.decision.map_or("none", crate::admission::Decision::as_str),
        uid = &*short(&outcome.uid),
        operation = outcome.operation,
        resource = &*short(&outcome.resource),
        namespace = &*short(&outcome.namespace),
        name = &*short(&outcome.name),
        user = &*short(&outcome.user),
        dry_run = outcome.dry_run,
        images = &*list(&outcome.images),
        codes = &*list(&outcome.codes),
        would_deny = &*list(&outcome.would_deny),
        policies = &*list(&outcome.policies),
        signers = &*list(&outcome.signers),
        revision = &*short(&outcome.revision),
        reason = outcome.reason.as_deref().map(|reason| escape(reason, LONG)),
        ms = millis(duration),
        "review"
    );
}

fn short(text: &str) -> Cow<'_, str> {
    escaped(text, SHORT)
}

fn list(texts: &[String]) -> Cow<'_, str> {
    if let [only] = texts {
        return escaped(only, LONG);
    }
    let mut list = String::new();
    for text in texts {
        if list.len() > LONG {
            list.push_str(",…");
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&escaped(text, LONG));
    }
    Cow::Owned(list)
}

/// Milliseconds with their microseconds, as a number that is easy to read and to sort.
fn millis(duration: Duration) -> f64 {
    u32::try_from(duration.as_micros()).map_or(f64::INFINITY, f64::from) / 1000.0
}

const SHORT: usize = 256;

/// Longest field, give or take one entry.
const LONG: usize = 4096;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;
    use crate::admission::{Answer, Exemption, Outcome};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn line(reply: &Reply) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone())
            .finish();
        with_default(subscriber, || {
            record(Phase::Validate, reply, Duration::from_nanos(1_800_420));
        });
        let written = written.0.lock().unwrap();
        String::from_utf8(written.clone()).unwrap()
    }

    #[test]
    fn p17_a_review_can_be_judged_again_from_its_line() {
        let asked = Outcome {
            uid: "u1".to_owned(),
            operation: "CREATE",
            resource: "pods".to_owned(),
            namespace: "shop".to_owned(),
            user: "evil\n{\"level\":\"ERROR\"}\u{202e}".to_owned(),
            dry_run: true,
            ..Outcome::default()
        };
        let answer = Answer {
            would_deny: vec!["fresh.old".to_owned()],
            exemption: Some(Exemption::Exception("OPS-17".to_owned())),
            images: vec!["a@sha256:00".to_owned(), "b@sha256:01".to_owned()],
            policies: vec!["production".to_owned()],
            signers: vec!["AA00".to_owned()],
            revision: "r1".to_owned(),
            ..Answer::default()
        };
        let line = line(&answer.into_reply(Phase::Validate, asked));
        assert_eq!(line.lines().count(), 1, "{line}");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        for (field, want) in [
            ("level", "INFO"),
            ("message", "review"),
            ("phase", "validate"),
            ("decision", "exception"),
            ("reason", "OPS-17"),
            ("uid", "u1"),
            ("operation", "CREATE"),
            ("resource", "pods"),
            ("namespace", "shop"),
            ("user", "evil\\n{\"level\":\"ERROR\"}\\u{202e}"),
            ("images", "a@sha256:00,b@sha256:01"),
            ("codes", ""),
            ("would_deny", "fresh.old"),
            ("policies", "production"),
            ("signers", "AA00"),
            ("revision", "r1"),
        ] {
            assert_eq!(line[field], want, "{field}");
        }
        assert_eq!(line["dry_run"], true);
        assert_eq!(line["ms"], 1.8);
    }

    #[test]
    fn p8_a_line_is_bounded() {
        let asked = Outcome {
            images: (0..500).map(|n| format!("registry.example/{n}@sha256:00")).collect(),
            name: "n".repeat(100_000),
            ..Outcome::default()
        };
        let line = line(&Reply { outcome: asked, ..Reply::not_a_review() });
        assert!(line.len() < 12_000, "{}", line.len());
    }
}
