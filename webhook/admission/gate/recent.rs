//! What was found out about an image and made of it, remembered for the rest of the second.
//!
//! When a Deployment rolls out, the same image comes many times a second. What its sources have is
//! the same for all these reviews, as long as it may be believed. What counts of that depends on the
//! trust, which a gate never changes, on the evidence and what is known of the layers, and on the
//! time, which OpenPGP counts in seconds. So for the same evidence within the same second the answer
//! is the same; where either differs, everything is checked anew (P6).

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use jiff::Timestamp;

use super::{
    entry::{Entry, entries},
    subject::Subject,
};
use crate::{
    name::PinnedImage,
    source::{Answered, Gathered, LayerCheck},
    verify::Trust,
};

/// The images that were judged in this second.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    number: i64,
    known: HashMap<PinnedImage, Stages>,
    /// Bytes of the evidence behind them.
    weight: usize,
}

/// An image before its layers were compared, and after.
#[derive(Debug, Default)]
struct Stages {
    before: Option<Known>,
    after: Option<Known>,
}

/// An image, what it was judged by, and what came of that.
#[derive(Debug)]
struct Known {
    gathered: Arc<Gathered>,
    entries: Arc<[Entry]>,
}

impl Recent {
    /// What another review of the second of `now` found out about an image, if it may still be
    /// believed.
    pub fn gathered(&self, pinned: &PinnedImage, now: Timestamp) -> Option<Arc<Gathered>> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.number != now.as_second() {
            return None;
        }
        let gathered = &recent.known.get(pinned)?.before.as_ref()?.gathered;
        (Instant::now() < gathered.believed_until).then(|| Arc::clone(gathered))
    }

    /// Judges what was found about an image at `now`, for each platform of it that can run.
    pub fn entries(&self, trust: &Trust, subject: &Subject, now: Timestamp) -> Arc<[Entry]> {
        let (Ok(gathered), Some(pinned)) = (&subject.known, &subject.pinned) else {
            return Arc::default();
        };
        let second = now.as_second();
        if let Some(entries) = self.known(second, pinned, gathered) {
            return entries;
        }
        let now = Timestamp::from_second(second).unwrap_or(now);
        let entries = entries(trust, pinned, gathered, now);
        self.remember(second, pinned, gathered, &entries);
        entries
    }

    fn known(
        &self,
        second: i64,
        pinned: &PinnedImage,
        gathered: &Arc<Gathered>,
    ) -> Option<Arc<[Entry]>> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if second < recent.number {
            // A review that has waited for its evidence: others are further.
            return None;
        }
        if second > recent.number {
            let old = mem::replace(&mut *recent, Second { number: second, ..Second::default() });
            // To let go of it takes time that others need not wait for.
            drop(recent);
            drop(old);
            return None;
        }
        let known = recent.known.get(pinned)?.of(gathered)?;
        known.is_of(gathered).then(|| Arc::clone(&known.entries))
    }

    fn remember(
        &self,
        second: i64,
        pinned: &PinnedImage,
        gathered: &Arc<Gathered>,
        entries: &Arc<[Entry]>,
    ) {
        // A lookup that failed may succeed the next time.
        let unread = layers(gathered).any(|check| matches!(check, LayerCheck::Failed(_)));
        if unread || gathered.answers.iter().flatten().any(|answered| answered.outcome.is_err()) {
            return;
        }
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.number != second {
            return;
        }
        let known = Known { gathered: Arc::clone(gathered), entries: Arc::clone(entries) };
        let old = recent.known.get(pinned).and_then(|stages| stages.of(gathered));
        let weight = recent.weight - old.map_or(0, Known::weight) + known.weight();
        if weight <= MOST_WEIGHT {
            let Stages { before, after } = recent.known.entry(pinned.clone()).or_default();
            *(if asked_for_layers(gathered) { after } else { before }) = Some(known);
            recent.weight = weight;
        }
    }
}

impl Stages {
    /// The image at the stage at which this was found out about it.
    fn of(&self, gathered: &Gathered) -> Option<&Known> {
        if asked_for_layers(gathered) { self.after.as_ref() } else { self.before.as_ref() }
    }
}

impl Known {
    fn weight(&self) -> usize {
        self.gathered.weight().max(LEAST_WEIGHT)
    }

    /// Whether it was judged by this very evidence. What the digest stands for is the same anyway.
    fn is_of(&self, gathered: &Arc<Gathered>) -> bool {
        if Arc::ptr_eq(&self.gathered, gathered) {
            return true;
        }
        let (mine, other) = (&*self.gathered, &**gathered);
        let all_same = |(mine, others): (&Vec<Answered>, &Vec<Answered>)| {
            mine.len() == others.len() && mine.iter().zip(others).all(are_same)
        };
        mine.description.media_type == other.description.media_type
            && mine.answers.len() == other.answers.len()
            && mine.answers.iter().zip(&other.answers).all(all_same)
            && mine.description.platforms.len() == other.description.platforms.len()
            && layers(mine).zip(layers(other)).all(|(mine, other)| mine.is_same(other))
    }
}

fn layers(gathered: &Gathered) -> impl Iterator<Item = &LayerCheck> {
    gathered.description.platforms.iter().map(|platform| &platform.layers)
}

fn asked_for_layers(gathered: &Gathered) -> bool {
    layers(gathered).any(|check| !matches!(check, LayerCheck::NotMade))
}

/// Whether two answers are one, or both say that their source has nothing.
fn are_same((one, other): (&Answered, &Answered)) -> bool {
    let (Ok(first), Ok(second)) = (&one.outcome, &other.outcome) else { return false };
    let nothing = || {
        first.is_empty()
            && second.is_empty()
            && one.source == other.source
            && first.missing == second.missing
    };
    Arc::ptr_eq(first, second) || nothing()
}

/// Bytes of evidence that may be behind what is remembered: that of thirty usual images, more than
/// what rolls out within one second. What is made of it takes several times as much.
const MOST_WEIGHT: usize = 64 * 1024;

/// What an image counts at least.
const LEAST_WEIGHT: usize = 2 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        name::ImageRef,
        source::{Answer, Description, FetchError, Peer},
    };

    #[test]
    fn p6_what_another_review_found_serves_within_its_second_and_while_it_is_believed() {
        let digest = "0".repeat(64);
        let reference: ImageRef =
            format!("registry.example/acme/shop@sha256:{digest}").parse().unwrap();
        let hour = Duration::from_hours(1);
        let found = || vec![Ok(Answer::heavy(10, 0))];
        let failed = || Err(Arc::new(FetchError::Late(Peer::Store("store".into()))));
        let (now, noon) = (Instant::now(), "2026-01-01T12:00:00.4Z".parse::<Timestamp>().unwrap());
        for (what, outcomes, believed_until, later, is_served) in [
            ("the same second", found(), now + hour, Duration::from_millis(599), true),
            ("the next second", found(), now + hour, Duration::from_millis(600), false),
            ("an hour later", found(), now + hour, hour, false),
            ("no longer believed", found(), now, Duration::ZERO, false),
            ("nothing", Vec::new(), now + hour, Duration::ZERO, true),
            ("a failure", vec![failed()], now + hour, Duration::ZERO, false),
            (
                "a failure beside",
                [found(), vec![failed()]].concat(),
                now + hour,
                Duration::ZERO,
                false,
            ),
        ] {
            let description =
                Description { media_type: "", platforms: Vec::new(), indexes: Vec::new() };
            let answered = |outcome| Answered { source: "store".into(), outcome };
            let answers = vec![outcomes.into_iter().map(answered).collect()];
            let subject =
                Subject::of(&reference, Gathered { description, answers, believed_until });
            let (pinned, gathered) = (subject.pinned.clone(), subject.known.clone().unwrap());
            let recent = Recent::default();
            recent.entries(&Trust::new(Vec::new()).unwrap(), &subject, noon);
            let served = recent.gathered(&pinned.unwrap(), noon + later);
            let is_same = served.is_some_and(|served| Arc::ptr_eq(&served, &gathered));
            assert_eq!(is_same, is_served, "{what}");
        }
    }
}
