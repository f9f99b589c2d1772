//! How long the caller waits: `?timeout=10s`.

use std::time::Duration;

use http::Uri;

/// The time for a review: what the caller waits, less a margin for the way back, and at most
/// `longest`. A timeout that cannot be read does not count.
pub(super) fn budget(uri: &Uri, longest: Duration) -> Duration {
    let query = uri.query().unwrap_or_default();
    let timeout = query.split('&').find_map(|pair| pair.strip_prefix("timeout="));
    match timeout.and_then(duration).filter(|timeout| !timeout.is_zero()) {
        Some(timeout) => longest.min(timeout.saturating_sub(margin(timeout))),
        None => longest,
    }
}

fn margin(timeout: Duration) -> Duration {
    (timeout / 10).min(Duration::from_millis(500))
}

/// A positive duration as Go prints it: `10s`, `1m30s`, `1.5s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(unit_at);
        let number_at = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(number_at.unwrap_or(after.len()));
        seconds += number.parse::<f64>().ok()? * seconds_of(unit)?;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "%C2%B5s" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_of_both_wins_less_a_margin() {
        for (uri, want) in [
            ("/validate?timeout=10s", 8000),
            ("/validate?timeout=30s", 8000),
            ("/validate?timeout=5s", 4500),
            ("/validate?timeout=1s", 900),
            ("/validate?timeout=7s", 6500),
            ("/validate?timeout=1.5s", 1350),
            ("/validate?timeout=1m30s", 8000),
            ("/validate?timeout=500ms", 450),
            ("/validate?a=b&timeout=2s", 1800),
            ("/validate", 8000),
            ("/validate?timeout=", 8000),
            ("/validate?timeout=0s", 8000),
            ("/validate?timeout=-1s", 8000),
            ("/validate?timeout=5", 8000),
            ("/validate?timeout=5y", 8000),
            ("/validate?timeout=1..5s", 8000),
            ("/validate?timeout=99999999999999999999999h", 8000),
        ] {
            let uri = uri.parse().unwrap();
            let budget = budget(&uri, Duration::from_secs(8));
            assert_eq!(budget.as_micros().div_ceil(1000), want, "{uri}");
        }
    }
}
