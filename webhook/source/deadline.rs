//! The one point in time by which a review must be answered.

use std::time::{Duration, Instant};

/// When to stop. Made once per review and handed down, so that waits never add up.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(Instant);

/// Longest wait of a command for one answer that is no blob: a CI job has more time than a review.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl Deadline {
    /// `duration` from now.
    pub fn after(duration: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(duration).unwrap_or(now))
    }

    /// What is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The instant itself, for timers.
    pub fn instant(self) -> Instant {
        self.0
    }
}
