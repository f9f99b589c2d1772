//! What is kept of lookups, from one configuration to the next.

use std::{sync::Arc, time::Instant};

use crate::{name::PinnedImage, source::FetchError};

use super::{
    answer::{Answer, Answered},
    cache::{Lifetimes, Lookups, Perishable as _},
    image::Described,
    image_config::FetchedConfig,
    lookup::Key,
};

/// The caches of an evidence. Clones share them.
#[derive(Clone)]
pub struct Kept {
    pub answers: Lookups<Key, Answer, FetchError>,
    pub descriptions: Lookups<Arc<PinnedImage>, Described, FetchError>,
    pub configs: Lookups<Arc<PinnedImage>, FetchedConfig, FetchError>,
    lifetimes: Lifetimes,
    memory: u64,
}

impl Kept {
    /// Nothing yet; of all that comes, at most `memory` bytes.
    pub fn new(lifetimes: Lifetimes, memory: u64, reads_configs: bool) -> Self {
        // What is kept of manifests and configs is small, answers carry payloads.
        let (descriptions, configs) = (memory / 4, if reads_configs { memory / 8 } else { 0 });
        Self {
            answers: Lookups::new(memory - descriptions - configs, lifetimes),
            descriptions: Lookups::new(descriptions, lifetimes),
            configs: Lookups::new(configs, lifetimes),
            lifetimes,
            memory,
        }
    }

    /// Whether it keeps for these times, and as much.
    pub fn keeps(&self, lifetimes: Lifetimes, memory: u64) -> bool {
        self.lifetimes == lifetimes && self.memory == memory
    }

    /// Until when all of these answers may be believed; those that failed are not at all.
    pub fn until(&self, answers: &[Vec<Answered>]) -> Instant {
        let now = Instant::now();
        let until = |answered: &Answered| match &answered.outcome {
            Ok(answer) => answer.looked_up + answer.believed_for(&self.lifetimes),
            Err(_) => now,
        };
        answers.iter().flatten().map(until).min().unwrap_or(now)
    }
}
