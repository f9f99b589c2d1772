//! How long what a review waits for takes.

use std::time::{Duration, Instant};

use crate::admission::Stage;

/// What went into looking up and into judging, each time that it was done.
#[derive(Clone, Copy, Debug)]
pub struct Laps {
    since: Instant,
    gather: Duration,
    evaluate: Duration,
}

impl Laps {
    pub(super) fn start() -> Self {
        Self { since: Instant::now(), gather: Duration::ZERO, evaluate: Duration::ZERO }
    }

    /// What was going on until now was looking up.
    pub(super) fn gathered(&mut self) {
        let lap = self.lap();
        self.gather += lap;
    }

    /// What was going on until now was judging.
    pub(super) fn evaluated(&mut self) {
        let lap = self.lap();
        self.evaluate += lap;
    }

    /// For the log and the metrics.
    pub(super) fn stages(self) -> [(Stage, Duration); 2] {
        [(Stage::Gather, self.gather), (Stage::Evaluate, self.evaluate)]
    }

    fn lap(&mut self) -> Duration {
        let since = std::mem::replace(&mut self.since, Instant::now());
        self.since.duration_since(since)
    }
}
