//! From findings to the answer: modes, exceptions, break-glass, revocations, pins.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    admission::{Answer, Exception, Exemption, Patch, Phase, Pin, Violation, Workload},
    name::Code,
    verify::Verified,
};

use super::{
    Gate, Judgement, Mode, Permission, Templates,
    subject::{Obstacle, Subject},
};

/// What the answer depends on beside images and policies.
pub(super) struct Context<'a> {
    pub phase: Phase,
    pub workload: Workload,
    pub namespace: &'a str,
    /// The reason of who broke the glass and may.
    pub broken_glass: Option<String>,
    pub now: Timestamp,
}

impl Gate {
    /// P1: an image of a Pod that an enforcing policy applies to must name a digest at
    /// `/validate`, because whoever pulls would resolve the tag again. Such an image is not looked
    /// up, so that no exception, which is for a digest, covers it; break-glass does without.
    pub(super) fn require_digests(&self, subjects: &mut [Subject], context: &Context<'_>) {
        if context.broken_glass.is_some() {
            return;
        }
        for subject in subjects.iter_mut() {
            if self.wants_digest(subject, context) {
                subject.known = Err(Obstacle::new(Code::ImageUnpinned, UNPINNED, Some(PIN_IT)));
                subject.unpinned = true;
            }
        }
    }

    fn wants_digest(&self, subject: &Subject, context: &Context<'_>) -> bool {
        context.phase == Phase::Validate
            && !context.workload.is_template()
            && self.options.unpinned == Permission::Deny
            && subject.reference.as_ref().is_some_and(|image| image.digest().is_none())
            && self.strictest(subject) == Some(Mode::Enforce)
    }

    /// Weighs everything that was found.
    pub(super) fn rule(
        &self,
        context: &Context<'_>,
        subjects: &[Subject],
        judgement: &Judgement,
    ) -> Answer {
        let mut answer = Answer {
            images: subjects.iter().map(Subject::resolved).collect(),
            policies: self.names(subjects),
            signers: self.signers(subjects, judgement),
            ..Answer::default()
        };
        let mut weighing = Weighing { gate: self, context, subjects, answer: &mut answer };
        for finding in &judgement.findings {
            for (about, violation) in &finding.complaints {
                weighing.complain(finding.mode, *about, violation.clone());
            }
            answer_remarks(weighing.answer, &finding.remarks);
        }
        for (at, subject) in subjects.iter().enumerate() {
            weighing.weigh(at, subject);
        }
        if let (None, Some(reason)) = (&answer.exemption, &context.broken_glass)
            && subjects.iter().any(|subject| self.wants_digest(subject, context))
        {
            // Nothing else may stand against it, but the digest was waived (P12).
            answer.exemption = Some(Exemption::BreakGlass(reason.clone()));
        }
        answer.violations.sort();
        answer.violations.dedup();
        answer.patch = patch(context, subjects);
        answer
    }

    /// Finds out what is revoked of images, whatever becomes of what is known of them: too much
    /// evidence, or too little time for it, takes no revocation back (P16).
    pub(super) fn mark_revoked(&self, subjects: &mut [Subject]) {
        for subject in subjects {
            subject.mark_revoked(&self.options.revoked);
        }
    }

    /// The answer about a template that nobody judges: only a digest that it names and that is
    /// revoked stands against it (P16).
    pub(super) fn wave_through(&self, subjects: &mut [Subject]) -> Answer {
        self.mark_revoked(subjects);
        let violations = subjects.iter().filter_map(Subject::revocation).collect();
        Answer {
            violations,
            images: subjects.iter().map(Subject::resolved).collect(),
            ..Answer::default()
        }
    }

    fn names(&self, subjects: &[Subject]) -> Vec<String> {
        let applied: BTreeSet<usize> =
            subjects.iter().flat_map(|subject| subject.policies.iter().copied()).collect();
        let policies = applied.into_iter().filter_map(|at| self.options.policies.get(at));
        policies.map(|policy| policy.name.clone()).collect()
    }

    /// The fingerprints of those whose word a rule that was asked could take.
    fn signers(&self, subjects: &[Subject], judgement: &Judgement) -> Vec<String> {
        let mut signers = BTreeSet::new();
        for (subject, entries) in subjects.iter().zip(&judgement.entries) {
            let policies =
                || subject.policies.iter().filter_map(|at| self.options.policies.get(*at));
            for entry in entries.iter() {
                let counts = |verified: &&Verified| {
                    policies().any(|policy| {
                        let level = verified.subject().level;
                        let rules = &mut policy.rules.iter();
                        (!entry.is_in_index() || policy.platforms.count(level))
                            && rules.any(|rule| rule.uses.covers(verified.authority()))
                    })
                };
                let verified = entry.verified.iter().filter(counts);
                signers.extend(verified.map(|verified| verified.signer().fingerprint()));
            }
        }
        signers.into_iter().map(str::to_owned).collect()
    }

    /// What the strictest of the policies that apply does with complaints.
    fn strictest(&self, subject: &Subject) -> Option<Mode> {
        let policies = subject.policies.iter().filter_map(|at| self.options.policies.get(*at));
        policies.map(|policy| policy.mode).min()
    }

    /// The policy that speaks for all where an image cannot even be judged.
    fn speaker(&self, subject: &Subject) -> (&str, Mode) {
        let policies = subject.policies.iter().filter_map(|at| self.options.policies.get(*at));
        policies
            .min_by_key(|policy| policy.mode)
            .map_or(("", Mode::Enforce), |policy| (policy.name.as_str(), policy.mode))
    }
}

struct Weighing<'a> {
    gate: &'a Gate,
    context: &'a Context<'a>,
    subjects: &'a [Subject],
    answer: &'a mut Answer,
}

impl Weighing<'_> {
    /// What is wrong with an image beside what policies say of it.
    fn weigh(&mut self, at: usize, subject: &Subject) {
        self.answer.violations.extend(subject.revocation());
        let mode = self.gate.strictest(subject);
        if mode != Some(Mode::Enforce) && self.gate.options.unmatched == Permission::Deny {
            let obstacle = Obstacle::new(Code::ReviewUnmatched, UNMATCHED, Some(MATCH_IT));
            self.complain(Mode::Enforce, Some(at), subject.violation("", &obstacle));
        }
        if let (Err(obstacle), Some(_)) = (&subject.known, mode) {
            let (policy, mode) = self.gate.speaker(subject);
            self.complain(mode, Some(at), subject.violation(policy, obstacle));
        }
    }

    /// Takes a complaint as its policy's mode says, unless the image is exempt (P12).
    fn complain(&mut self, mode: Mode, about: Option<usize>, violation: Violation) {
        let template_warns =
            self.context.workload.is_template() && self.gate.options.templates == Templates::Warn;
        let mode = if template_warns { mode.max(Mode::Warn) } else { mode };
        if mode == Mode::Enforce {
            match self.exemption(about) {
                Some(exemption) => self.answer.exemption = Some(exemption),
                None => self.answer.violations.push(violation),
            }
            return;
        }
        self.answer.would_deny.push(violation.code.clone());
        if mode == Mode::Warn {
            self.answer.warnings.push(violation);
        }
    }

    fn exemption(&self, about: Option<usize>) -> Option<Exemption> {
        if let Some(reason) = &self.context.broken_glass {
            return Some(Exemption::BreakGlass(reason.clone()));
        }
        let exceptions = |subject: &Subject| {
            let pinned = subject.pinned.as_ref()?;
            let Context { namespace, now, .. } = *self.context;
            Exception::find(&self.gate.options.exceptions, pinned, namespace, now)
        };
        // A complaint about no image in particular is about all of them.
        let mut found = None;
        let about = about.map_or(0..self.subjects.len(), |at| at..at + 1);
        for subject in self.subjects.get(about)? {
            found = Some(exceptions(subject)?);
        }
        found.map(|exception| Exemption::Exception(exception.reason.clone()))
    }
}

fn patch(context: &Context<'_>, subjects: &[Subject]) -> Option<Patch> {
    let pins: Vec<Pin<'_>> = subjects
        .iter()
        .filter_map(|subject| {
            let (reference, pinned) = (subject.reference.as_ref()?, subject.pinned.as_ref()?);
            let pinned = match reference.digest() {
                Some(_) => return None,
                None => reference.with_digest(pinned.digest),
            };
            Some(Pin { image: &subject.image, pinned })
        })
        .collect();
    Patch::new(context.workload, &pins)
}

fn answer_remarks(answer: &mut Answer, remarks: &[Violation]) {
    answer.warnings.extend(remarks.iter().cloned());
}

const UNPINNED: &str = "it names no digest, so whoever pulls it would resolve its tag again";

const PIN_IT: &str =
    "name it by digest, or let the mutating webhook do so (`unpinned: allow` does without)";

const UNMATCHED: &str = "no enforcing policy applies to it";

const MATCH_IT: &str = "add a policy that matches it, or say `unmatched: allow`";
