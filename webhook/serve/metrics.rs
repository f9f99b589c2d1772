//! What `/metrics` tells, in the text format of `OpenMetrics`.
//!
//! No label holds anything that a caller chose: neither names nor images, and reason codes only as
//! many as a configuration can have.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError, atomic::AtomicI64},
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::admission::{Outcome, Phase};

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    reviews: Family<[Label; 2], Counter>,
    violations: Family<[(&'static str, String); 1], Counter>,
    would_deny: Family<[(&'static str, String); 1], Counter>,
    known_codes: Mutex<HashSet<String>>,
    duration: Family<[Label; 1], Histogram, fn() -> Histogram>,
    stages: Family<[Label; 1], Histogram, fn() -> Histogram>,
    refused: Family<[Label; 1], Counter>,
    certificate_reloads: Family<[Label; 1], Counter>,
    configuration_reloads: Family<[Label; 1], Counter>,
    certificate_end: Gauge<i64, AtomicI64>,
    in_flight: Gauge<i64, AtomicI64>,
    panics: Counter,
}

type Label = (&'static str, &'static str);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("countersign")),
            reviews: Family::default(),
            violations: Family::default(),
            would_deny: Family::default(),
            known_codes: Mutex::default(),
            duration: Family::new_with_constructor(histogram),
            stages: Family::new_with_constructor(histogram),
            refused: Family::default(),
            certificate_reloads: Family::default(),
            configuration_reloads: Family::default(),
            certificate_end: Gauge::default(),
            in_flight: Gauge::default(),
            panics: Counter::default(),
        };
        metrics.register(|all| {
            all.register("reviews", "Reviews answered", metrics.reviews.clone());
            all.register("violations", "Reasons for denials", metrics.violations.clone());
            let help = "Reasons for which warn and audit policies would have denied";
            all.register("would_deny", help, metrics.would_deny.clone());
            all.register("review_seconds", "Time to answer", metrics.duration.clone());
            all.register("stage_seconds", "Time within a review", metrics.stages.clone());
            let help = "Requests answered by no review";
            all.register("refused_requests", help, metrics.refused.clone());
            let help = "Certificates read again";
            all.register("certificate_reloads", help, metrics.certificate_reloads.clone());
            let help = "Configurations read again";
            all.register("configuration_reloads", help, metrics.configuration_reloads.clone());
            let help = "End of the certificate's validity, in seconds since 1970";
            all.register("certificate_end_seconds", help, metrics.certificate_end.clone());
            all.register("in_flight", "Reviews being judged", metrics.in_flight.clone());
            all.register("panics", "Faults of countersign itself", metrics.panics.clone());
        });
        // An alert on their increase would miss the first failure, were it not counted from zero.
        for reloads in [&metrics.certificate_reloads, &metrics.configuration_reloads] {
            for in_force in [true, false] {
                let _from_zero = reloads.get_or_create(&[("result", result(in_force))]);
            }
        }
        metrics
    }

    /// Adds what other layers count.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A configuration was read again and is in force, or is not.
    pub fn configuration_reloaded(&self, in_force: bool) {
        self.configuration_reloads.get_or_create(&[("result", result(in_force))]).inc();
    }

    /// A certificate was read again and is in force, or is not.
    pub(super) fn certificate_reloaded(&self, in_force: bool) {
        self.certificate_reloads.get_or_create(&[("result", result(in_force))]).inc();
    }

    pub(super) fn certificate_ends(&self, end: Option<Timestamp>) {
        self.certificate_end.set(end.map_or(0, Timestamp::as_second));
    }

    pub(super) fn reviewed(&self, phase: Phase, outcome: &Outcome, duration: Duration) {
        let phase = ("phase", phase.as_str());
        let Some(decision) = outcome.decision else {
            self.refused("no review");
            return;
        };
        self.reviews.get_or_create(&[phase, ("decision", decision.as_str())]).inc();
        self.duration.get_or_create(&[phase]).observe(duration.as_secs_f64());
        for (stage, duration) in &outcome.stages {
            let stage = [("stage", stage.as_str())];
            self.stages.get_or_create(&stage).observe(duration.as_secs_f64());
        }
        for code in &outcome.codes {
            self.violations.get_or_create(&[("code", self.bounded(code))]).inc();
        }
        for code in &outcome.would_deny {
            self.would_deny.get_or_create(&[("code", self.bounded(code))]).inc();
        }
    }

    pub(super) fn refused(&self, why: &'static str) {
        self.refused.get_or_create(&[("reason", why)]).inc();
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts one more review in flight until dropped.
    pub(super) fn flight(&self) -> Flight<'_> {
        self.in_flight.inc();
        Flight(&self.in_flight)
    }

    /// All of them in the text format of `OpenMetrics`.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }

    /// The code itself, unless a rule makes up ever new ones.
    fn bounded(&self, code: &str) -> String {
        let mut known = self.known_codes.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(code) || (known.len() < MOST_CODES && known.insert(code.to_owned())) {
            return code.to_owned();
        }
        "other".to_owned()
    }
}

/// One review in flight.
pub(super) struct Flight<'m>(&'m Gauge<i64, AtomicI64>);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const fn result(in_force: bool) -> &'static str {
    if in_force { "success" } else { "failure" }
}

/// From cached reviews to the longest deadline.
fn histogram() -> Histogram {
    const SECONDS: [f64; 14] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0,
    ];
    Histogram::new(SECONDS)
}

/// More codes than all ours and those of many rules.
const MOST_CODES: usize = 256;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::admission::{Decision, Stage};

    #[test]
    fn p8_labels_are_bounded() {
        let metrics = Metrics::new();
        let outcome = Outcome {
            decision: Some(Decision::Denied),
            codes: (0..1000).map(|code| format!("made.up-{code}")).collect(),
            would_deny: vec!["made.up-1".to_owned(), "late.one".to_owned()],
            namespace: "kept-out".to_owned(),
            images: vec!["kept-out".to_owned()],
            stages: vec![(Stage::Decode, Duration::from_micros(80))],
            ..Outcome::default()
        };
        metrics.reviewed(Phase::Validate, &outcome, Duration::from_millis(3));
        let text = metrics.text().unwrap();
        assert_eq!(text.matches("countersign_violations_total{").count(), 257);
        assert!(text.contains("countersign_violations_total{code=\"other\"} 744"), "{text}");
        for line in [
            "countersign_reviews_total{phase=\"validate\",decision=\"denied\"} 1",
            "countersign_would_deny_total{code=\"made.up-1\"} 1",
            "countersign_would_deny_total{code=\"other\"} 1",
            "countersign_review_seconds_bucket{le=\"0.005\",phase=\"validate\"} 1",
            "countersign_stage_seconds_bucket{le=\"0.0001\",stage=\"decode\"} 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("kept-out"), "{text}");
    }

    #[test]
    fn every_metric_has_its_row() {
        let metrics = Metrics::new();
        let outcome = Outcome {
            decision: Some(Decision::Denied),
            codes: vec!["a.b".to_owned()],
            would_deny: vec!["a.b".to_owned()],
            stages: vec![(Stage::Decode, Duration::ZERO)],
            ..Outcome::default()
        };
        metrics.reviewed(Phase::Validate, &outcome, Duration::ZERO);
        metrics.refused("no review");
        let text = metrics.text().unwrap();
        let told: BTreeSet<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
        let page = include_str!("../../docs/operate.md");
        let rows: BTreeSet<(&str, &str)> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter_map(|(name, rest)| Some((name, rest.split(' ').next()?)))
            .collect();
        assert_eq!(told, rows);
    }

    #[test]
    fn what_is_no_review_and_what_is_reloaded_is_counted() {
        let metrics = Metrics::new();
        metrics.reviewed(Phase::Mutate, &Outcome::default(), Duration::ZERO);
        metrics.certificate_reloaded(true);
        metrics.configuration_reloaded(false);
        metrics.certificate_ends(Some(Timestamp::from_second(1_900_000_000).unwrap()));
        let flight = metrics.flight();
        let text = metrics.text().unwrap();
        for line in [
            "countersign_refused_requests_total{reason=\"no review\"} 1",
            "countersign_certificate_reloads_total{result=\"success\"} 1",
            "countersign_configuration_reloads_total{result=\"failure\"} 1",
            "countersign_certificate_end_seconds 1900000000",
            "countersign_in_flight 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        drop(flight);
        assert!(metrics.text().unwrap().contains("countersign_in_flight 0"));
    }
}
