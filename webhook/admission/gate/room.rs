//! How much evidence is put before rules at a time (P8).
//!
//! Rules get it in a form that takes several times the memory. So one review has a bound, and large
//! ones wait for each other; small ones wait for none of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::subject::{Obstacle, Subject};
use crate::{name::Code, source::Gathered};

/// Bytes of evidence that may still be put before rules.
pub struct Room(Arc<Semaphore>);

impl Room {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// Waits until so much may be put before rules, if it is much.
    pub async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let counted = u32::try_from(bytes.min(MOST)).ok().filter(|_| bytes > FREE)?;
        // It is never closed.
        Arc::clone(&self.0).acquire_many_owned(counted).await.ok()
    }
}

/// Bytes of evidence that are known of these images. Those with which it gets too much are not to be
/// judged.
pub fn bounded(subjects: &mut [Subject]) -> usize {
    let mut sum = 0;
    for subject in subjects {
        let Ok(gathered) = &subject.known else { continue };
        let held = gathered.held();
        if sum + held > MOST {
            let what = format!("the images of one review have more than {MOST} bytes of evidence");
            subject.known = Err(Obstacle::new(Code::EvidenceTooMuch, what, Some(LESS)));
        } else {
            sum += held;
        }
    }
    sum
}

/// In all, and so of one review: no image alone has more.
const MOST: usize = Gathered::MOST_HELD;

/// What a review may have without waiting.
const FREE: usize = 256 * 1024;

const LESS: &str = "remove what is not needed, or use fewer images at once";

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Instant};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::{
        name::Digest,
        source::{Answer, Answered, Description, Runnable},
    };

    /// An image with evidence that takes two fifths of all room, on a platform of this digest.
    fn heavy(manifest: Digest) -> Subject {
        let platforms = vec![Runnable::listed(manifest, None)];
        let description = Description { media_type: "", platforms, indexes: Vec::new() };
        let outcome = Ok(Answer::heavy(MOST / 5 * 2, 0));
        let answered = Answered { source: "store".into(), outcome };
        let answers = vec![vec![answered]];
        let gathered = Gathered { description, answers, believed_until: Instant::now() };
        Subject::of(&"registry.example/acme/shop:1.4".parse().unwrap(), gathered)
    }

    #[test]
    fn p16_what_one_review_has_no_room_for_stays_revoked() {
        let digests = [b"a", b"b", b"c"].map(|text| Digest::sha256(text));
        let revoked = HashSet::from([digests[2]]);
        let mut subjects = digests.map(heavy);
        for subject in &mut subjects {
            subject.mark_revoked(&revoked);
        }
        assert!((MOST / 5 * 4..MOST).contains(&bounded(&mut subjects)));
        let codes = subjects.map(|subject| {
            let obstacle = subject.known.as_ref().err().map(|obstacle| obstacle.code);
            (obstacle, subject.revocation().map(|violation| violation.code))
        });
        let too_much = (Some(Code::EvidenceTooMuch), Some("image.revoked".to_owned()));
        assert_eq!(codes, [(None, None), (None, None), too_much]);
    }

    #[test]
    fn p8_large_evidence_waits_for_large_evidence_and_small_for_none() {
        let room = Room::new();
        let large = room.take(MOST * 2).now_or_never().expect("all of it");
        assert!(room.take(FREE + 1).now_or_never().is_none());
        assert!(room.take(FREE).now_or_never().is_some_and(|share| share.is_none()));
        drop(large);
        assert!(room.take(FREE + 1).now_or_never().is_some());
    }
}
