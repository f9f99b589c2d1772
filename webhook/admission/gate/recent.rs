//! What was made of an image's evidence, remembered for the rest of the second.
//!
//! When a Deployment rolls out, the same image comes many times a second. What counts of its
//! evidence depends on the trust, which a gate never changes, on the evidence and what is known of
//! the layers, and on the time, which OpenPGP counts in seconds. So for the same evidence within the
//! same second the answer is the same; where either differs, everything is checked anew (P6).

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
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
    /// Each image before its layers were compared, and after.
    known: HashMap<(PinnedImage, bool), Known>,
    /// Bytes of the evidence behind them.
    weight: usize,
}

/// An image, what it was judged by, and what came of that.
#[derive(Debug)]
struct Known {
    media_type: &'static str,
    answers: Vec<Vec<Answered>>,
    layers: Vec<LayerCheck>,
    entries: Arc<[Entry]>,
}

impl Recent {
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
        gathered: &Gathered,
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
        let known = recent.known.get(&(pinned.clone(), asked_for_layers(gathered)))?;
        known.is_of(gathered).then(|| Arc::clone(&known.entries))
    }

    fn remember(
        &self,
        second: i64,
        pinned: &PinnedImage,
        gathered: &Gathered,
        entries: &Arc<[Entry]>,
    ) {
        // A lookup that failed may succeed the next time.
        let unread = layers(gathered).any(|check| matches!(check, LayerCheck::Failed(_)));
        if unread || gathered.answers.iter().flatten().any(|answered| answered.outcome.is_err()) {
            return;
        }
        let weight = gathered.weight().max(LEAST_WEIGHT);
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.number == second && recent.weight + weight <= MOST_WEIGHT {
            let known = Known {
                media_type: gathered.description.media_type,
                answers: gathered.answers.clone(),
                layers: layers(gathered).cloned().collect(),
                entries: Arc::clone(entries),
            };
            let key = (pinned.clone(), asked_for_layers(gathered));
            if recent.known.insert(key, known).is_none() {
                recent.weight += weight;
            }
        }
    }
}

impl Known {
    /// Whether it was judged by this very evidence. What the digest stands for is the same anyway.
    fn is_of(&self, gathered: &Gathered) -> bool {
        let all_same = |(mine, others): (&Vec<Answered>, &Vec<Answered>)| {
            mine.len() == others.len() && mine.iter().zip(others).all(are_same)
        };
        self.media_type == gathered.description.media_type
            && self.answers.len() == gathered.answers.len()
            && self.answers.iter().zip(&gathered.answers).all(all_same)
            && self.layers.len() == gathered.description.platforms.len()
            && self.layers.iter().zip(layers(gathered)).all(|(mine, other)| mine.is_same(other))
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
