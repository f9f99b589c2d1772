//! All that is known about one image, and how much of it there may be (P8).

use std::{collections::HashSet, sync::Arc, time::Instant};

use super::{Answer, Answered, Description, ImageError, cache::Perishable as _};

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

    /// The same, unless it is more than anybody has a use for.
    pub(super) fn within_bounds(self) -> Result<Self, ImageError> {
        let weight = self.weight();
        if weight > MOST_READ {
            return Err(ImageError::Heavy { limit: MOST_READ, of: "for all its platforms" });
        }
        if weight > MOST_HELD && self.held() > MOST_HELD {
            return Err(ImageError::Heavy { limit: MOST_HELD, of: "about it" });
        }
        Ok(self)
    }

    fn found(&self) -> impl Iterator<Item = &Arc<Answer>> {
        self.answers.iter().flatten().filter_map(|answered| answered.outcome.as_ref().ok())
    }
}

/// What one source may bring takes twice the room once it is read.
const MOST_HELD: usize = 64 * 1024 * 1024;

/// Dozens of platforms under an index with large bills of materials.
const MOST_READ: usize = 4 * MOST_HELD;

#[cfg(test)]
mod tests {
    use super::{
        super::{lookup::Findings, query::Query},
        *,
    };
    use crate::{
        attest::{
            CompactJson,
            buildkit::EmbeddedStatement,
            sources::{INDEX, TAGS},
        },
        name::{Code, Digest},
        verify::{Rejection, Trust},
    };

    const MIB: usize = 1024 * 1024;

    /// An answer of a statement of so many bytes, and rejections of one KiB.
    fn answer(bytes: usize, rejections: usize) -> Arc<Answer> {
        let digest = Digest::sha256(b"");
        let statement = EmbeddedStatement {
            digest,
            subject: digest,
            predicate_type: "t".into(),
            predicate: Arc::new(CompactJson::Text("x".repeat(bytes).into())),
        };
        let told = "x".repeat(1024);
        let rejected = Rejection::new(TAGS, "n", "oci", Code::SignatureMalformed, &told);
        let findings = Findings {
            statements: vec![statement],
            unreadable: vec![rejected; rejections],
            ..Findings::default()
        };
        let query = Arc::new(Query::new(Arc::new(Trust::new(Vec::new()).unwrap()), false));
        Arc::new(Answer::new(Instant::now(), Vec::new(), findings, query))
    }

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
        let own = |count, bytes| (0..count).map(|_| vec![answer(bytes, 0)]).collect();
        let shared = |count, bytes, told| vec![vec![answer(bytes, told)]; count];
        let read = "are to be read for all its platforms";
        let held = "are to be read about it";
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
            let outcome = gathered(answers).within_bounds();
            let said = outcome.err().map_or(String::new(), |error| {
                assert_eq!(error.code(), Code::EvidenceTooMuch, "{name}");
                error.to_string()
            });
            assert_eq!(said.is_empty(), want.is_empty(), "{name}: {said}");
            assert!(said.contains(want), "{name}: {said}");
        }
    }
}
