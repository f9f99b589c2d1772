//! The gate's place: until it stands, everything is denied.

use bytes::Bytes;

use super::answer::Answer;
use super::reply::Outcome;
use super::reply::Phase;
use super::reply::Reply;
use super::review::Review;
use super::violation::Violation;
use crate::name::Code;
use crate::source::Deadline;

/// Judges reviews. This one knows no policy and lets nothing in.
#[derive(Debug, Default)]
pub struct Gate {}

impl Gate {
    /// Answers one review.
    #[expect(clippy::unused_async, reason = "the gate that judges waits for evidence")]
    pub async fn review(&self, phase: Phase, body: Bytes, _deadline: Deadline) -> Reply {
        match Review::parse(&body) {
            Ok(review) => {
                let violation = Violation::of_review(Code::ReviewDeadline, "no gate", None);
                Answer::deny(violation).into_reply(phase, Outcome::of(&review))
            }
            Err(unreadable) => Reply::unreadable(phase, unreadable),
        }
    }
}
