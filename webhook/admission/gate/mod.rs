//! The gate: one review in, one decision out.
//!
//! ```text
//! review ──▶ images that change ──▶ digests ──▶ evidence ──▶ rules ──▶ decision
//!            (images.rs)            (subject.rs, side by side)  (judge.rs)  (ruling.rs)
//! ```
//!
//! A gate is one revision of policy and trust. It never changes; a reload makes another.

mod entry;
mod judge;
mod laps;
mod layers;
mod policy;
mod recent;
mod room;
mod ruling;
mod subject;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout_at};

use crate::{
    admission::{
        Answer, BreakGlass, Change, Exception, Images, Object, Outcome, Phase, Reply, Review, Stage,
    },
    attest::oci::Platform,
    name::{Code, Digest},
    policy::{Kind, Request, RequestPart, Resource, User},
    source::{Deadline, Evidence, landed},
    verify::{Rejection, Trust, Verified},
};

pub use entry::Entry;
pub use judge::Judgement;
pub use policy::{Mode, Platforms, Policy, PolicyRule, Uses};
pub use subject::{Obstacle, Subject};

use super::violation::Violation;
use laps::Laps;
use recent::Recent;
use room::Room;

/// What a [`Gate`] is made of.
pub struct GateOptions {
    /// The revision of policy and trust, which every answer names.
    pub revision: String,
    /// Whose signatures count for what.
    pub trust: Arc<Trust>,
    /// Where evidence comes from.
    pub evidence: Evidence,
    /// The stores whose unsigned occurrences rules may read.
    pub recording: Vec<Arc<str>>,
    /// The policies, in the order of the configuration.
    pub policies: Vec<Policy>,
    /// What becomes of an image that no enforcing policy applies to.
    pub unmatched: Permission,
    /// What becomes of a Pod's image without a digest at `/validate`.
    pub unpinned: Permission,
    /// How complaints about templates are taken.
    pub templates: Templates,
    /// Platforms that can run here; any, if empty.
    pub cluster_platforms: Vec<Platform>,
    /// Digests that are denied at once.
    pub revoked: HashSet<Digest>,
    /// Images that are let in whatever a policy says.
    pub exceptions: Vec<Exception>,
    /// Who may let a Pod in by annotating it.
    pub break_glass: Option<BreakGlass>,
    /// Most images in one review.
    pub most_images: usize,
    /// How old an answer may be that an image is denied for.
    pub none: Duration,
    /// Longest time for one review.
    pub deadline: Duration,
}

/// Whether something is let pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permission {
    Deny,
    Allow,
}

/// How complaints about Pod templates are taken: the Pods made from them are judged anyway.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Templates {
    #[default]
    Deny,
    Warn,
    Ignore,
}

/// Judges reviews by one revision of policy and trust.
pub struct Gate {
    options: GateOptions,
    /// For each policy, the sources that can matter to it.
    sources: Vec<BTreeSet<Arc<str>>>,
    reads_object: bool,
    reads_request: bool,
    recent: Recent,
    /// As many as there are processors.
    judges: Arc<Semaphore>,
    room: Room,
}

/// A decision with what led to it, for people who look behind it.
pub struct Inspection {
    /// The decision.
    pub answer: Answer,
    /// The images of the request.
    pub subjects: Vec<Subject>,
    /// What was made of them.
    pub judgement: Judgement,
    /// The request as rules see it.
    pub request: RequestPart,
    /// How long it took.
    laps: Laps,
}

impl Gate {
    /// A gate of these parts.
    pub fn new(options: GateOptions) -> Self {
        let known: Vec<Arc<str>> = options.evidence.sources().collect();
        let sources = options
            .policies
            .iter()
            .map(|policy| policy.sources(&options.trust, &known, &options.recording))
            .collect();
        let rules = || options.policies.iter().flat_map(|policy| &policy.rules);
        let reads_object = rules().any(|rule| rule.rule.reads().object);
        let reads_request = rules().any(|rule| rule.rule.reads().request);
        let judges = Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from)));
        let recent = Recent::default();
        Self { options, sources, reads_object, reads_request, recent, judges, room: Room::new() }
    }

    /// The revision of policy and trust.
    pub fn revision(&self) -> &str {
        &self.options.revision
    }

    /// The longest time for one review.
    pub fn deadline(&self) -> Duration {
        self.options.deadline
    }

    /// Most images in one review.
    pub fn most_images(&self) -> usize {
        self.options.most_images
    }

    /// What every policy that applies to `subject` counts of `entry`, and why not the rest.
    pub fn counted(&self, subject: &Subject, entry: &Entry) -> (Vec<Verified>, Vec<Rejection>) {
        let policies = subject.policies.iter().filter_map(|at| self.options.policies.get(*at));
        entry.counted(policies.map(|policy| policy.platforms))
    }

    /// Where evidence comes from, and what is kept of it.
    pub fn evidence(&self) -> &Evidence {
        &self.options.evidence
    }

    /// Answers one review by `deadline`.
    pub async fn review(self: &Arc<Self>, phase: Phase, body: Bytes, deadline: Deadline) -> Reply {
        let begun = Instant::now();
        let read = if self.reads_object { Review::parse } else { Review::skim };
        let review = match read(&body) {
            Ok(review) => review,
            Err(unreadable) => return Reply::unreadable(phase, unreadable, &self.options.revision),
        };
        let mut asked = Outcome::of(&review);
        asked.stages.push((Stage::Decode, begun.elapsed()));
        let mut answer = match review.change(self.options.most_images) {
            Err(violation) => Answer::deny(*violation),
            Ok(Change::Nothing(_)) => Answer::default(),
            Ok(Change::Images(images)) if self.waves_through(&images) => {
                self.wave_through(&mut self.subjects(images.uses, &review.namespace))
            }
            Ok(Change::Images(images)) => {
                let now = Timestamp::now();
                let request = if self.reads_request {
                    self.request_part(&review, now)
                } else {
                    Ok(RequestPart::unread())
                };
                match request {
                    Ok(request) => {
                        let decided =
                            self.decide(phase, &review, images, request, now, deadline).await;
                        asked.stages.extend(decided.laps.stages());
                        decided.answer
                    }
                    Err(violation) => Answer::deny(*violation),
                }
            }
        };
        answer.revision.clone_from(&self.options.revision);
        answer.into_reply(phase, asked)
    }

    /// Decides on the `images` that a review brings in, and keeps what led to it, the request as
    /// rules see it whether any of them reads it or not.
    ///
    /// # Errors
    /// The violation of a request that cannot be put before a rule.
    pub async fn inspect(
        self: &Arc<Self>,
        phase: Phase,
        review: &Review<'_>,
        images: Images,
        deadline: Deadline,
    ) -> Result<Inspection, Box<Violation>> {
        let now = Timestamp::now();
        let request = self.request_part(review, now)?;
        if self.waves_through(&images) {
            let mut subjects = self.subjects(images.uses, &review.namespace);
            let answer = self.wave_through(&mut subjects);
            let judgement = Judgement::of_none(subjects.len());
            return Ok(Inspection { answer, subjects, judgement, request, laps: Laps::start() });
        }
        Ok(self.decide(phase, review, images, request, now, deadline).await)
    }

    async fn decide(
        self: &Arc<Self>,
        phase: Phase,
        review: &Review<'_>,
        images: Images,
        request: RequestPart,
        now: Timestamp,
        deadline: Deadline,
    ) -> Inspection {
        let mut laps = Laps::start();
        let workload = images.workload;
        let context = ruling::Context {
            phase,
            workload,
            namespace: review.namespace.as_ref(),
            broken_glass: self
                .options
                .break_glass
                .as_ref()
                .and_then(|glass| glass.reason(review, now)),
            now,
        };
        let mut subjects = self.subjects(images.uses, &review.namespace);
        self.require_digests(&mut subjects, &context);
        self.recall(&mut subjects, now);
        if subjects.iter().any(Subject::is_unknown) {
            subjects = Box::pin(self.look_up(subjects, None, deadline)).await;
        }
        self.mark_revoked(&mut subjects);
        laps.gathered();
        let (subjects, judgement) = self.judge_aside(&request, subjects, now, deadline).await;
        let answer = self.rule(&context, &subjects, &judgement);
        laps.evaluated();
        let Some(not_before) = self.not_before(&answer, &subjects) else {
            return Inspection { answer, subjects, judgement, request, laps };
        };
        // Nobody is denied for an answer that a fresh look may correct (P6). What came of the old ones
        // takes more room than they do.
        drop((answer, judgement));
        let mut subjects = Box::pin(self.look_up(subjects, Some(not_before), deadline)).await;
        self.mark_revoked(&mut subjects);
        laps.gathered();
        let (subjects, judgement) = self.judge_aside(&request, subjects, now, deadline).await;
        let answer = self.rule(&context, &subjects, &judgement);
        laps.evaluated();
        Inspection { answer, subjects, judgement, request, laps }
    }

    fn waves_through(&self, images: &Images) -> bool {
        images.workload.is_template() && self.options.templates == Templates::Ignore
    }

    /// Before which moment answers must be asked for again, if a denial rests on any such.
    fn not_before(&self, answer: &Answer, subjects: &[Subject]) -> Option<Instant> {
        if answer.violations.is_empty() {
            return None;
        }
        let not_before = Instant::now().checked_sub(self.options.none)?;
        let stale = |subject: &Subject| subject.oldest().is_some_and(|oldest| oldest < not_before);
        subjects.iter().any(stale).then_some(not_before)
    }

    /// Judges at once what takes a moment only, and anything else on a thread of its own, few at a
    /// time: rules are given time by the clock.
    async fn judge_aside(
        self: &Arc<Self>,
        request: &RequestPart,
        mut subjects: Vec<Subject>,
        now: Timestamp,
        deadline: Deadline,
    ) -> (Vec<Subject>, Judgement) {
        if let Ok(judgement) = self.judge_briefly(request, &subjects, now) {
            return (subjects, judgement);
        }
        let aside = async move {
            let (gate, request) = (Arc::clone(self), request.clone());
            let held = room::bounded(&mut subjects);
            let turn = async {
                let room = self.room.take(held).await;
                (room, Arc::clone(&self.judges).acquire_owned().await)
            };
            let Ok(turn) = timeout_at(deadline.instant().into(), turn).await else {
                subjects.iter_mut().for_each(Subject::leave_unjudged);
                let judgement = self.judge(&request, &subjects, now);
                return (subjects, judgement);
            };
            let judging = spawn_blocking(move || {
                // Until it is done, whoever has given up waiting for it.
                let _turn = turn;
                let judgement = gate.judge(&request, &subjects, now);
                (subjects, judgement)
            });
            landed(judging).await
        };
        // The usual review has no need of the room for it.
        Box::pin(aside).await
    }

    /// An object as rules see it: nothing, where none of them looks.
    fn whole<'a>(
        &self,
        object: Option<&Object<'a>>,
    ) -> Result<Option<&'a RawValue>, Box<Violation>> {
        match object.filter(|_| self.reads_object) {
            None => Ok(None),
            Some(Object::Whole(object)) => Ok(Some(object)),
            Some(Object::Skimmed(_)) => {
                Err(Box::new(Violation::of_review(Code::ReviewInvalid, NOT_WHOLE, Some(FAULT))))
            }
        }
    }

    fn request_part(
        &self,
        review: &Review<'_>,
        now: Timestamp,
    ) -> Result<RequestPart, Box<Violation>> {
        let groups: Vec<String> =
            review.user.groups.iter().map(|group| group.0.clone().into_owned()).collect();
        let request = Request {
            uid: &review.uid,
            time: now,
            operation: review.operation.as_str(),
            namespace: &review.namespace,
            name: &review.name,
            kind: Kind {
                group: &review.kind.group,
                version: &review.kind.version,
                kind: &review.kind.kind,
            },
            resource: Resource {
                group: &review.resource.group,
                version: &review.resource.version,
                resource: &review.resource.resource,
            },
            sub_resource: &review.sub_resource,
            user: User { username: &review.user.username, groups: &groups },
            dry_run: review.dry_run,
            namespace_labels: None,
            object: self.whole(review.object.as_ref())?,
            old_object: self.whole(review.old_object.as_ref())?,
        };
        RequestPart::new(&request).map_err(|error| {
            let todo = Some("write the object with fewer levels and plain numbers");
            Box::new(Violation::of_review(Code::ReviewInvalid, error.to_string(), todo))
        })
    }
}

const NOT_WHOLE: &str = "a rule looks at the object, of which only the images were read";
const FAULT: &str = "this is a fault of countersign, please report it";
