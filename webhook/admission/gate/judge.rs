//! What the rules make of the images: pure, CPU only, off the async threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    admission::Violation,
    name::Code,
    policy::{ImagePart, Input, InputError, RequestPart, Rule, RuleFault, Verdict},
    source::MissingParent,
};

use super::{
    Gate, Policy,
    entry::Entry,
    policy::{Mode, Platforms, PolicyRule},
    subject::{Obstacle, Subject},
};

/// What a rule came to, or that it was given up.
type Evaluated<E> = Result<Result<Verdict, RuleFault>, E>;

/// Judging takes longer than a moment, so it belongs on a thread of its own.
pub(super) struct TooLong;

/// What one policy has to say about the images that it applies to.
#[derive(Debug)]
pub struct Finding {
    /// How it takes its own complaints.
    pub mode: Mode,
    /// The policy's name.
    pub policy: String,
    /// Complaints, each with the number of the image that it is about, if it is about one.
    pub complaints: Vec<(Option<usize>, Violation)>,
    /// What it wants people to know, whatever is decided.
    pub remarks: Vec<Violation>,
}

/// What was judged, and what came of it.
#[derive(Debug)]
pub struct Judgement {
    /// One for each policy that applies to any image.
    pub findings: Vec<Finding>,
    /// For each image, what counts on each platform of it.
    pub entries: Vec<Arc<[Entry]>>,
}

impl Judgement {
    /// Of so many images, which nobody judged.
    pub(super) fn of_none(images: usize) -> Self {
        Self { findings: Vec::new(), entries: vec![Arc::from([]); images] }
    }
}

impl Gate {
    /// Puts the images before every policy that applies to them.
    pub(super) fn judge(
        &self,
        request: &RequestPart,
        subjects: &[Subject],
        now: Timestamp,
    ) -> Judgement {
        let whole = |rule: &Rule, input: &Input| Ok::<_, Infallible>(rule.evaluate(input.value()));
        let Ok(judgement) = self.judge_by(whole, request, subjects, now);
        judgement
    }

    /// The same, if that takes no more than a moment.
    pub(super) fn judge_briefly(
        &self,
        request: &RequestPart,
        subjects: &[Subject],
        now: Timestamp,
    ) -> Result<Judgement, TooLong> {
        let evidence = subjects.iter().filter_map(|subject| subject.known.as_ref().ok());
        // An object may be of any size.
        if self.reads_object
            || evidence.map(|gathered| gathered.weight()).sum::<usize>() > MOST_FOR_A_MOMENT
        {
            return Err(TooLong);
        }
        let brief =
            |rule: &Rule, input: &Input| rule.evaluate_briefly(input.value()).ok_or(TooLong);
        self.judge_by(brief, request, subjects, now)
    }

    fn judge_by<E>(
        &self,
        evaluate: impl Fn(&Rule, &Input) -> Evaluated<E>,
        request: &RequestPart,
        subjects: &[Subject],
        now: Timestamp,
    ) -> Result<Judgement, E> {
        let trust = &self.options.trust;
        let entries: Vec<Arc<[Entry]>> =
            subjects.iter().map(|subject| self.recent.entries(trust, subject, now)).collect();
        let mut case = Case { request, subjects, entries: &entries, parts: BTreeMap::new() };
        let mut findings = Vec::new();
        for (number, policy) in self.options.policies.iter().enumerate() {
            findings.extend(self.finding(&evaluate, &mut case, number, policy)?);
        }
        Ok(Judgement { findings, entries })
    }

    fn finding<E>(
        &self,
        evaluate: impl Fn(&Rule, &Input) -> Evaluated<E>,
        case: &mut Case<'_>,
        number: usize,
        policy: &Policy,
    ) -> Result<Option<Finding>, E> {
        let trust = &self.options.trust;
        let applies = |subject: &Subject| subject.policies.contains(&number);
        let known: Vec<usize> = case
            .numbered()
            .filter(|(_, subject)| applies(subject) && subject.known.is_ok())
            .map(|(at, _)| at)
            .collect();
        if known.is_empty() {
            return Ok(None);
        }
        let mut finding = Finding {
            mode: policy.mode,
            policy: policy.name.clone(),
            complaints: Vec::new(),
            remarks: Vec::new(),
        };
        match case.input(&known, policy.platforms) {
            Ok(input) => {
                for rule in &policy.rules {
                    let outcome = evaluate(&rule.rule, &input)?;
                    let earlier = finding.complaints.len();
                    case.take(outcome, policy, rule, &known, &mut finding);
                    for (about, violation) in finding.complaints.iter_mut().skip(earlier) {
                        let missing = case.missing(*about, |one| rule.misses(one, trust));
                        if !missing.is_empty() {
                            violation.what = format!("{} ({missing})", violation.what);
                        }
                    }
                }
                finding.complaints.sort();
                finding.complaints.dedup();
            }
            Err(error) => {
                let todo = Some("this is a fault of countersign, please report it");
                let obstacle = Obstacle::new(Code::PolicyError, error.to_string(), todo);
                finding.complaints.push((None, Violation::of_policy(&policy.name, &obstacle)));
            }
        }
        self.report_failures(case, number, policy, &known, &mut finding);
        Ok(Some(finding))
    }

    /// P5: of an image whose evidence could not all be read only that is said, unless the rules
    /// are content with what was found and more could only help.
    fn report_failures(
        &self,
        case: &Case<'_>,
        number: usize,
        policy: &Policy,
        known: &[usize],
        finding: &mut Finding,
    ) {
        let Some(sources) = self.sources.get(number) else { return };
        for at in known {
            let (Some(subject), Some(entries)) = (case.subjects.get(*at), case.entries.get(*at))
            else {
                continue;
            };
            let failures = entries.iter().flat_map(|entry| entry.failures(sources));
            let Some(error) = failures.into_iter().min_by_key(|error| error.code()) else {
                continue;
            };
            let objected =
                finding.complaints.iter().any(|(image, _)| image.is_none() || *image == Some(*at));
            if objected || !policy.needs_presence() {
                finding.complaints.retain(|(image, _)| *image != Some(*at));
                let violation = subject.violation(&policy.name, &Obstacle::from(&**error));
                finding.complaints.push((Some(*at), violation));
            }
        }
    }
}

impl Violation {
    /// A violation that is about no image in particular.
    fn of_policy(policy: &str, obstacle: &Obstacle) -> Self {
        let todo = obstacle.todo.as_deref();
        Self { policy: policy.into(), ..Self::of_review(obstacle.code, &obstacle.what, todo) }
    }
}

/// One request before the policies; parts of inputs are made once and shared.
struct Case<'a> {
    request: &'a RequestPart,
    subjects: &'a [Subject],
    entries: &'a [Arc<[Entry]>],
    parts: BTreeMap<(usize, &'static str), Vec<ImagePart>>,
}

impl<'a> Case<'a> {
    fn numbered(&self) -> impl Iterator<Item = (usize, &'a Subject)> + use<'a> {
        self.subjects.iter().enumerate()
    }

    /// The document about the images with these numbers.
    fn input(&mut self, known: &[usize], platforms: Platforms) -> Result<Input, InputError> {
        let mut images = Vec::new();
        for at in known {
            let key = (*at, platforms.as_str());
            if !self.parts.contains_key(&key) {
                let made = self.make_parts(*at, platforms)?;
                self.parts.insert(key, made);
            }
            images.extend(self.parts.get(&key).into_iter().flatten().cloned());
        }
        Input::new(self.request, &images)
    }

    fn make_parts(&self, at: usize, platforms: Platforms) -> Result<Vec<ImagePart>, InputError> {
        let (Some(subject), Some(entries)) = (self.subjects.get(at), self.entries.get(at)) else {
            return Ok(Vec::new());
        };
        entries.iter().filter_map(|entry| entry.part(subject, platforms).transpose()).collect()
    }

    /// Takes up what a rule came to.
    fn take(
        &self,
        outcome: Result<Verdict, RuleFault>,
        policy: &Policy,
        rule: &PolicyRule,
        known: &[usize],
        finding: &mut Finding,
    ) {
        match outcome {
            Ok(verdict) => {
                let said = |said| self.said(policy, said, known);
                finding.complaints.extend(verdict.deny.into_iter().map(said));
                finding.remarks.extend(verdict.warn.into_iter().map(|warning| said(warning).1));
            }
            Err(fault) => finding.complaints.push((None, faulty(policy, &rule.name, &fault))),
        }
    }

    /// What stores do not know of what they were asked about an image, which may be a name that was
    /// mistyped (P5).
    fn missing(&self, about: Option<usize>, matters: impl Fn(&MissingParent) -> bool) -> String {
        let entries = about.and_then(|at| self.entries.get(at)).into_iter();
        let missing = entries.flat_map(|entries| entries.iter()).flat_map(|entry| &entry.missing);
        let texts: BTreeSet<String> =
            missing.filter(|one| matters(one)).map(ToString::to_string).collect();
        Vec::from_iter(texts).join(", ")
    }

    /// What a rule said, for people. Two platforms of one image may give the same complaint.
    fn said(
        &self,
        policy: &Policy,
        said: crate::policy::Violation,
        known: &[usize],
    ) -> (Option<usize>, Violation) {
        let (what, todo) = match said.msg.rsplit_once("; ") {
            Some((what, todo)) => (what.to_owned(), Some(todo.to_owned())),
            None => (said.msg, None),
        };
        let about = said.image.and_then(|path| {
            let here = |at: &&usize| self.subjects.get(**at).is_some_and(|s| s.image.path == path);
            known.iter().find(here).copied()
        });
        let subject = about.and_then(|at| self.subjects.get(at));
        let violation = Violation {
            policy: policy.name.clone(),
            path: subject.map(|subject| subject.image.path.clone()).unwrap_or_default(),
            given: subject.map(|subject| subject.image.given.clone()).unwrap_or_default(),
            reference: subject.and_then(|s| s.pinned.as_ref().map(ToString::to_string)),
            what,
            code: said.code,
            todo,
            retryable: false,
        };
        (about, violation)
    }
}

fn faulty(policy: &Policy, rule: &str, fault: &RuleFault) -> Violation {
    let what = format!("rule {rule}: {fault}");
    let todo = Some("ask whoever wrote the rule");
    Violation::of_policy(&policy.name, &Obstacle::new(fault.code(), what, todo))
}

/// Bytes of evidence that are read and put before rules in less than a millisecond.
const MOST_FOR_A_MOMENT: usize = 32 * 1024;
