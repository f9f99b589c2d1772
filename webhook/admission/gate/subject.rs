//! One image of a request on its way through the gate: parsed, resolved, looked up.

use std::{collections::HashSet, iter, sync::Arc, time::Instant};

use jiff::Timestamp;
use tokio::time::timeout_at;

use crate::{
    admission::{ImageUse, Violation},
    name::{Code, Digest, ImageRef, PinnedImage},
    source::{Deadline, FetchError, Gathered, ImageError, join_few},
};

use super::{Gate, Policy};

/// An image of the request and what is known of it.
#[derive(Debug)]
pub struct Subject {
    /// Where it stands in the object.
    pub image: ImageUse,
    /// What it names, if that can be read.
    pub reference: Option<ImageRef>,
    /// What it resolved to, as far as it did.
    pub pinned: Option<PinnedImage>,
    /// The numbers of the policies that apply to it.
    pub policies: Vec<usize>,
    /// What of it is revoked, as far as it was ever known.
    pub revoked: Option<Digest>,
    /// It must name a digest and does not, so nobody looks it up.
    pub unpinned: bool,
    /// What is known of it, or why nothing is.
    pub known: Result<Arc<Gathered>, Obstacle>,
}

/// Why an image cannot be judged.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what} ({code})")]
pub struct Obstacle {
    /// The stable reason code.
    pub code: Code,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: Option<String>,
}

impl Obstacle {
    /// An obstacle that is all that is to be said.
    pub fn new(code: Code, what: impl Into<String>, todo: Option<&str>) -> Self {
        Self { code, what: what.into(), todo: todo.map(str::to_owned) }
    }
}

impl From<&FetchError> for Obstacle {
    fn from(error: &FetchError) -> Self {
        Self::told(error.code(), &error.to_string())
    }
}

impl From<ImageError> for Obstacle {
    fn from(error: ImageError) -> Self {
        Self::told(error.code(), &error.to_string())
    }
}

impl Obstacle {
    /// Texts of errors say what is wrong, then `; ` and what to do.
    fn told(code: Code, text: &str) -> Self {
        match text.split_once("; ") {
            Some((what, todo)) => Self { code, what: what.into(), todo: Some(todo.into()) },
            None => Self { code, what: text.into(), todo: None },
        }
    }
}

impl Subject {
    /// The violation of `policy` by this image for an obstacle.
    pub fn violation(&self, policy: &str, obstacle: &Obstacle) -> Violation {
        Violation {
            policy: policy.into(),
            path: self.image.path.clone(),
            given: self.image.given.clone(),
            reference: self.pinned.as_ref().map(ToString::to_string),
            what: obstacle.what.clone(),
            code: obstacle.code.as_str().into(),
            todo: obstacle.todo.clone(),
            retryable: obstacle.code.retryable(),
        }
    }

    /// Notes down the first digest of it, of an index in it, or of a platform of it that can run or
    /// that platform's config, that is revoked; by whichever algorithm it is written, but for a config.
    pub(super) fn mark_revoked(&mut self, revoked: &HashSet<Digest>) {
        if revoked.is_empty() {
            return;
        }
        let named = self.reference.as_ref().and_then(ImageRef::digest);
        let resolved = self.pinned.as_ref().map(|pinned| pinned.digest);
        let platforms = self.known.iter().flat_map(|gathered| &gathered.description.platforms);
        let platforms = platforms.flat_map(|runnable| {
            let equals = runnable.equals.iter().flat_map(|(one, other)| [*one, *other]);
            iter::once(runnable.manifest).chain(runnable.config).chain(equals)
        });
        let indexes = self.known.iter().flat_map(|gathered| &gathered.description.indexes);
        let indexes = indexes.flat_map(|(one, other)| [*one, *other]);
        let mut digests = named.into_iter().chain(resolved).chain(platforms).chain(indexes);
        self.revoked = self.revoked.or_else(|| digests.find(|digest| revoked.contains(digest)));
    }

    /// What stands against an image that is revoked, whatever the modes.
    pub(super) fn revocation(&self) -> Option<Violation> {
        let what = format!("{} is revoked", self.revoked?);
        let todo = Some("deploy a version that is not; `revoked:` names it");
        Some(self.violation("", &Obstacle::new(Code::ImageRevoked, what, todo)))
    }

    /// The reference as far as it was resolved, for the audit log.
    pub fn resolved(&self) -> String {
        match &self.pinned {
            Some(pinned) => pinned.to_string(),
            None => self.image.given.clone(),
        }
    }

    /// There was no time to put what is known before any rule.
    pub(super) fn leave_unjudged(&mut self) {
        if self.known.is_ok() {
            self.known = Err(Obstacle::new(Code::ReviewDeadline, UNJUDGED, Some(AGAIN)));
        }
    }

    /// Whether anybody wants to know of it what only a lookup can tell: it can be read, a policy
    /// applies to it, and it is not denied without.
    fn is_wanted(&self) -> bool {
        self.reference.is_some() && !self.unpinned && !self.policies.is_empty()
    }

    /// Whether that is still to be looked up.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_wanted() && self.known.is_err()
    }

    /// When the oldest of what was looked up was.
    pub fn oldest(&self) -> Option<Instant> {
        let gathered = self.known.as_ref().ok()?;
        let answers = gathered.answers.iter().flatten();
        answers.filter_map(|answered| Some(answered.outcome.as_ref().ok()?.looked_up)).min()
    }
}

impl Gate {
    /// Parses the images of a request and finds the policies that apply to each.
    pub(super) fn subjects(&self, uses: Vec<ImageUse>, namespace: &str) -> Vec<Subject> {
        let here: Vec<(usize, &Policy)> = self
            .options
            .policies
            .iter()
            .enumerate()
            .filter(|(_, policy)| policy.in_namespace(namespace))
            .collect();
        uses.into_iter()
            .map(|image| {
                let parsed = image.given.parse::<ImageRef>();
                // What cannot be read may be anything: every policy here applies to it.
                let applies = |policy: &Policy| {
                    parsed.as_ref().map_or(true, |image| policy.of_images(image.repository()))
                };
                let policies =
                    here.iter().filter(|(_, policy)| applies(policy)).map(|(at, _)| *at).collect();
                let known = Err(match &parsed {
                    Ok(_) => Obstacle::new(Code::ReviewDeadline, NOT_YET, None),
                    Err(error) => Obstacle::told(Code::ImageReference, &error.to_string()),
                });
                let reference = parsed.ok();
                Subject {
                    image,
                    reference,
                    pinned: None,
                    policies,
                    revoked: None,
                    unpinned: false,
                    known,
                }
            })
            .collect()
    }

    /// Takes what is known of images that name a digest from other reviews of this second.
    pub(super) fn recall(&self, subjects: &mut [Subject], now: Timestamp) {
        // Whether layers must be compared is found out while looking up.
        if self.options.trust.asks_for_layers() {
            return;
        }
        for subject in subjects.iter_mut().filter(|subject| subject.is_wanted()) {
            let Some(pinned) = subject.reference.as_ref().and_then(ImageRef::pinned) else {
                continue;
            };
            if let Some(gathered) = self.recent.gathered(&pinned, now) {
                (subject.pinned, subject.known) = (Some(pinned), Ok(gathered));
            }
        }
    }

    /// Resolves and looks up all images that any policy applies to, side by side: those of which
    /// nothing is known, or all, where what was looked up before `not_before` does not count.
    pub(super) async fn look_up(
        &self,
        subjects: Vec<Subject>,
        not_before: Option<Instant>,
        deadline: Deadline,
    ) -> Vec<Subject> {
        let looked_up = subjects.into_iter().map(|mut subject| async move {
            if subject.is_unknown() || (not_before.is_some() && subject.is_wanted()) {
                // What is known of one image is not lost because another one is late, and of one
                // that waited for the others until now nothing is begun any more.
                let end = deadline.instant().into();
                let late = deadline.passed()
                    || timeout_at(end, self.learn(&mut subject, not_before)).await.is_err();
                if late {
                    subject.known = Err(Obstacle::new(Code::ReviewDeadline, LATE, Some(LATER)));
                }
                self.check_layers(&mut subject, deadline).await;
            }
            subject
        });
        join_few(looked_up, IMAGES_AT_A_TIME).await
    }

    async fn learn(&self, subject: &mut Subject, not_before: Option<Instant>) {
        let Some(reference) = &subject.reference else { return };
        let pinned = match &subject.pinned {
            Some(pinned) => pinned.clone(),
            None => match self.options.evidence.resolve(reference).await {
                Ok(pinned) => pinned,
                Err(error) => {
                    subject.known = Err(Obstacle::from(&*error));
                    return;
                }
            },
        };
        subject.pinned = Some(pinned.clone());
        let gathered = self
            .options
            .evidence
            .gather(&pinned, &self.options.cluster_platforms, not_before)
            .await;
        subject.known = gathered.map(Arc::new).map_err(Obstacle::from);
    }
}

/// How many images of one review are looked up at a time. Pods have one to ten.
const IMAGES_AT_A_TIME: usize = 32;

const NOT_YET: &str = "it was not looked up";

const LATE: &str = "its registry and stores did not answer within the time for one review";

const UNJUDGED: &str = "too much else was being judged within the time for one review";

const AGAIN: &str = "try again";

const LATER: &str = "try again; the lookups go on and their answers are kept";

#[cfg(test)]
impl Subject {
    /// An image of a Pod, and what is known of it.
    pub(super) fn of(reference: &ImageRef, gathered: Gathered) -> Self {
        use crate::admission::{Container, ContainerKind};

        Self {
            image: ImageUse {
                path: "spec.containers[0].image".to_owned(),
                container: Container { name: "shop".to_owned(), kind: ContainerKind::Container },
                given: reference.as_str().to_owned(),
            },
            reference: Some(reference.clone()),
            pinned: reference.pinned(),
            policies: vec![0],
            revoked: None,
            unpinned: false,
            known: Ok(Arc::new(gathered)),
        }
    }
}
