//! All that is known about one image, and how much of it there may be (P8).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use super::{Answer, Answered, Description, cache::Perishable as _};
use crate::{
    attest::sources::BUILT_IN,
    name::Repository,
    source::{FetchError, Peer},
};

/// What is known about an image.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The image and its platforms that can run.
    pub description: Description,
    /// For each of these platforms, in the same order, what every source says.
    pub answers: Vec<Vec<Answered>>,
    /// When the first of these answers is too old to be believed.
    pub believed_until: Instant,
}

impl Gathered {
    /// Most bytes that are held about one image: what one source may bring takes twice the room once
    /// it is read.
    pub const MOST_HELD: usize = 64 * 1024 * 1024;

    /// Bytes of the answers, as often as they are to be read: what is said of an index is read for
    /// each of its platforms.
    pub fn weight(&self) -> usize {
        self.found().map(|answer| answer.weight()).sum()
    }

    /// Bytes of the answers, each once, and of what each platform has of its own of them.
    pub fn held(&self) -> usize {
        let mut known = HashSet::new();
        let held = |answer: &Arc<Answer>| {
            let whole = if known.insert(Arc::as_ptr(answer)) { answer.weight() } else { 0 };
            whole + answer.told()
        };
        self.found().map(held).sum()
    }

    /// The same without more than anybody has a use for: the source that says most has failed then,
    /// and whoever can do without it is not held up (P5).
    pub(super) fn within_bounds(mut self, repository: &Repository) -> Self {
        while let Some((limit, what)) = self.excess() {
            let Some(source) = self.heaviest() else { break };
            let peer = if BUILT_IN.contains(&&*source) {
                Peer::Registry(repository.host().into())
            } else {
                Peer::Store(Arc::clone(&source))
            };
            let error = Arc::new(FetchError::TooMuch { peer, limit: limit as u64, what });
            let of_it = |answered: &&mut Answered| answered.source == source;
            for answered in self.answers.iter_mut().flatten().filter(of_it) {
                answered.outcome = Err(Arc::clone(&error));
            }
        }
        self
    }

    /// A bound that is passed.
    fn excess(&self) -> Option<(usize, &'static str)> {
        let weight = self.weight();
        if weight > MOST_READ {
            return Some((MOST_READ, "bytes of evidence for all platforms of an image"));
        }
        let passed = weight > Self::MOST_HELD && self.held() > Self::MOST_HELD;
        passed.then_some((Self::MOST_HELD, "bytes of evidence about an image"))
    }

    /// The source that says most.
    fn heaviest(&self) -> Option<Arc<str>> {
        let mut weights: HashMap<&Arc<str>, usize> = HashMap::new();
        for answered in self.answers.iter().flatten() {
            let weight = answered.outcome.as_ref().map_or(0, |answer| answer.weight());
            *weights.entry(&answered.source).or_default() += weight;
        }
        let most = weights.into_iter().filter(|(_, weight)| *weight > 0);
        most.max_by_key(|(_, weight)| *weight).map(|(source, _)| Arc::clone(source))
    }

    fn found(&self) -> impl Iterator<Item = &Arc<Answer>> {
        self.answers.iter().flatten().filter_map(|answered| answered.outcome.as_ref().ok())
    }
}

/// Dozens of platforms under an index with large bills of materials.
const MOST_READ: usize = 4 * Gathered::MOST_HELD;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attest::sources::INDEX, name::Code};

    const MIB: usize = 1024 * 1024;

    #[test]
    fn p8_the_evidence_of_one_image_is_bounded() {
        let gathered = |answers: Vec<Vec<Arc<Answer>>>| Gathered {
            description: Description { media_type: "", platforms: Vec::new(), indexes: Vec::new() },
            believed_until: Instant::now(),
            answers: answers
                .into_iter()
                .map(|own| {
                    let source = Arc::from(INDEX);
                    let answered =
                        |answer| Answered { source: Arc::clone(&source), outcome: Ok(answer) };
                    own.into_iter().map(answered).collect()
                })
                .collect(),
        };
        let own = |count, bytes| (0..count).map(|_| vec![Answer::heavy(bytes, 0)]).collect();
        let shared = |count, bytes, told| vec![vec![Answer::heavy(bytes, told)]; count];
        let read = "bytes of evidence for all platforms of an image";
        let held = "bytes of evidence about an image";
        let repository: Repository = "registry.example/acme/shop".parse().unwrap();
        for (name, answers, want) in [
            ("nothing", Vec::new(), ""),
            ("what one source may bring", own(1, 63 * MIB), ""),
            ("ten platforms with 6 MiB each", own(10, 6 * MIB), ""),
            ("ten platforms with 7 MiB each", own(10, 7 * MIB), held),
            ("ten platforms under an index with 25 MiB", shared(10, 25 * MIB, 0), ""),
            ("more than that", shared(10, 26 * MIB, 0), read),
            ("sixty-four platforms under 5 MiB", shared(64, 5 * MIB, 0), read),
            ("sixty-four with a usual index", shared(64, MIB, 16), ""),
            ("what does not count, for each platform", shared(64, 10, 1200), held),
        ] {
            let bounded = gathered(answers).within_bounds(&repository);
            let mut outcomes = bounded.answers.iter().flatten().map(|answered| &answered.outcome);
            if want.is_empty() {
                assert!(outcomes.all(Result::is_ok), "{name}");
                continue;
            }
            for outcome in outcomes {
                let error = outcome.as_ref().unwrap_err();
                assert_eq!(error.code(), Code::EvidenceTooMuch, "{name}");
                assert!(error.to_string().contains(want), "{name}: {error}");
            }
        }
    }
}
