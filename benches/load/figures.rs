//! Numbers out of measurements.

use std::{fmt, time::Duration};

/// What came out of one round.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub per_second: f64,
    pub answers: f64,
    /// Milliseconds that half of the answers took at most.
    pub p50: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub p99: f64,
}

impl Figures {
    /// The figures of answers that took these times, within `whole` in all.
    pub fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let time = times.get(times.len() * percent / 100).copied();
            millis(time.unwrap_or_default())
        };
        let answers = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
        Self { per_second: answers / whole.as_secs_f64(), answers, p50: at(50), p99: at(99) }
    }
}

/// The least, the one in the middle and the most.
pub struct Spread(Vec<f64>);

impl Spread {
    /// Of these, at least one.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.0.first().copied(), self.0.last().copied());
        let (least, most) = (least.unwrap_or(f64::NAN), most.unwrap_or(f64::NAN));
        write!(formatter, "{:.0} ({least:.0} to {most:.0})", self.median())
    }
}

/// As milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
