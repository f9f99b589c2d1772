//! When to ask again, and after how long.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use jiff::Timestamp;

/// How often a request is sent again after its first try.
pub(super) const RETRIES: u32 = 2;

/// Whether an answer with this status may be another one soon. 501 is an answer, not a failure.
pub(super) fn may_pass(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// How long to wait before try `tried + 1`: what the server asks for, else a little, growing and
/// scattered.
pub(super) fn pause(headers: Option<&HeaderMap>, tried: u32) -> Duration {
    headers
        .and_then(asked)
        .unwrap_or_else(|| scattered(Duration::from_millis(100) * 3_u32.pow(tried)))
}

/// Between one half and all of `longest`, so that callers who failed together come back apart.
pub(in crate::source) fn scattered(longest: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 512;
    longest * (512 + u32::try_from(random).unwrap_or_default()) / 1024
}

/// `Retry-After`, in seconds or as a date.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(at.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_how_long() {
        for (name, value, least, most) in [
            ("seconds", "2", 2_000, 2_000),
            ("zero", "0", 0, 0),
            ("a date that is past", "Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
            ("a date far off", "Wed, 21 Oct 2116 07:28:00 GMT", 1_000_000_000, u128::MAX),
            ("neither", "soon", 150, 300),
            ("negative", "-1", 150, 300),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            let pause = pause(Some(&headers), 1).as_millis();
            assert!((least..=most).contains(&pause), "{name}: {pause} ms");
        }
    }
}
