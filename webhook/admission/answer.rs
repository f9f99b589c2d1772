//! What was decided about a review, and how it reads to the API server and to people (P13, P17).

use std::slice;

use super::{
    patch::Patch,
    reply::{Decision, Outcome, Phase, Reply},
    response,
    response::{AuditAnnotations, Response, Status},
    review::{Review, Unreadable},
    violation::Violation,
};

/// The decision about one review, with what led to it.
///
/// What is violated denies; there is no other way to deny, and none to let a violation pass.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What stands against the request.
    pub violations: Vec<Violation>,
    /// What policies of `mode: warn` found.
    pub warnings: Vec<Violation>,
    /// The codes of what `warn` and `audit` policies would have denied.
    pub would_deny: Vec<String>,
    /// How images came past a policy.
    pub exemption: Option<Exemption>,
    /// The references as they were resolved.
    pub images: Vec<String>,
    /// The policies that judged.
    pub policies: Vec<String>,
    /// The fingerprints that counted.
    pub signers: Vec<String>,
    /// The revision of policy and trust that judged.
    pub revision: String,
    /// What pins the images; only `/mutate` sends it, and only if nothing is violated.
    pub patch: Option<Patch>,
}

/// A way past a policy that was taken, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Exemption {
    /// An exception of the configuration, with its reason.
    Exception(String),
    /// The annotation, with its reason.
    BreakGlass(String),
}

impl Answer {
    /// An answer that denies for one reason.
    pub fn deny(violation: Violation) -> Self {
        Self { violations: vec![violation], ..Self::default() }
    }

    /// Allowed or not, and how.
    pub fn decision(&self) -> Decision {
        match &self.exemption {
            _ if !self.violations.is_empty() => Decision::Denied,
            Some(Exemption::Exception(_)) => Decision::Exception,
            Some(Exemption::BreakGlass(_)) => Decision::BreakGlass,
            None => Decision::Allowed,
        }
    }

    /// The reply to the review that `asked` describes: the body to send, and the outcome to log.
    pub fn into_reply(self, phase: Phase, asked: Outcome) -> Reply {
        let decision = self.decision();
        let codes =
            distinct(self.violations.iter().map(|violation| violation.code.clone()).collect());
        let would_deny = distinct(self.would_deny);
        let (policies, signers) = (distinct(self.policies), distinct(self.signers));
        let patch = self
            .patch
            .as_ref()
            .filter(|_| phase == Phase::Mutate && self.violations.is_empty())
            .map(Patch::as_str);
        let response = Response {
            uid: &asked.uid,
            allowed: self.violations.is_empty(),
            status: Status::of(&self.violations),
            warnings: response::warnings(&self.warnings),
            audit_annotations: AuditAnnotations {
                decision: decision.as_str(),
                images: response::joined(&self.images),
                codes: response::joined(&codes),
                would_deny: response::joined(&would_deny),
                policies: response::joined(&policies),
                signers: response::joined(&signers),
                revision: response::joined(slice::from_ref(&self.revision)),
            },
            patch,
            patch_type: patch.map(|_| "JSONPatch"),
        };
        let body = response.body();
        let outcome = Outcome {
            decision: Some(decision),
            codes,
            would_deny,
            images: self.images,
            policies,
            signers,
            revision: self.revision,
            reason: self.exemption.map(|exemption| match exemption {
                Exemption::Exception(reason) | Exemption::BreakGlass(reason) => reason,
            }),
            ..asked
        };
        Reply { status: 200, body, outcome }
    }
}

impl Reply {
    /// The reply to a body that a gate of this `revision` cannot judge.
    pub fn unreadable(phase: Phase, unreadable: Unreadable, revision: &str) -> Self {
        match unreadable {
            Unreadable::Foreign => Self::not_a_review(),
            Unreadable::Invalid { uid, violation } => {
                let answer = Answer { revision: revision.to_owned(), ..Answer::deny(*violation) };
                answer.into_reply(phase, Outcome { uid, ..Outcome::default() })
            }
        }
    }

    /// The denial of a review of which only the `beginning` of its body is known, where a gate of
    /// this `revision` is in force; `None` if its uid is not in there.
    pub fn denied(
        phase: Phase,
        beginning: &[u8],
        violation: Violation,
        revision: &str,
    ) -> Option<Self> {
        let uid = Review::uid_of(beginning)?;
        let answer = Answer { revision: revision.to_owned(), ..Answer::deny(violation) };
        Some(answer.into_reply(phase, Outcome { uid, ..Outcome::default() }))
    }
}

fn distinct(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts.dedup();
    texts
}
