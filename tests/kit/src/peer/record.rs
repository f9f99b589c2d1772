//! What a peer was asked: every request, in the order in which they came.
//!
//! Promises about cost ("each thing is fetched once", "two trips when cold") and about secrets
//! ("the password went to this host only") are read off these records, not off the product's own
//! metrics.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;

/// What a request was for, by its path.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `GET /v2/`.
    Ping,
    /// A token service's endpoint.
    Token,
    /// A manifest, by tag or digest, read or written.
    Manifest,
    /// A blob, read.
    Blob,
    /// A blob's upload: POST, PUT and mount.
    Upload,
    /// The referrers API.
    Referrers,
    /// `tags/list`.
    Tags,
    /// podman's lookaside or the signatures extension.
    Signature,
    /// Grafeas: projects.
    Project,
    /// Grafeas: notes.
    Note,
    /// Grafeas: occurrences, by project or by note.
    Occurrence,
    /// Anything else.
    Other,
}

/// One request as it came, and when it was answered.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it was for.
    pub kind: Kind,
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without `?`; empty where there was none.
    pub query: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// All headers, names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Bytes,
    /// When its body had been read.
    pub started: Instant,
    /// When the answer's head was ready; `None` while it hangs, and when the caller went away.
    pub finished: Option<Instant>,
    /// The status that was sent.
    pub status: Option<u16>,
}

impl Request {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The `Authorization` header, as sent.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// The first value of a query parameter, percent-decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// All values of a query parameter, percent-decoded.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
    }

    /// Whether anything in it (path, query, any header, body) contains `text`. To be asked of
    /// secrets; basic credentials are also looked for in base64.
    pub fn mentions(&self, text: &str) -> bool {
        let contains = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let basic = |value: &str| {
            value
                .split_once(' ')
                .and_then(|(_, code)| crate::base64_decode(code))
                .unwrap_or_default()
        };
        contains(self.path.as_bytes())
            || contains(self.query.as_bytes())
            || contains(&self.body)
            || self.headers.iter().any(|(_, v)| contains(v.as_bytes()) || contains(&basic(v)))
    }
}

/// The longest chain of requests of which each began after the one before it was answered: how
/// many round trips the caller waited for, one after another.
///
/// Requests to several peers may be put together. Answers without latency overlap only by luck:
/// give every peer some ([`Peer::latency`](crate::Peer::latency)), 20 ms say, before measuring.
pub fn round_trips(requests: &[Request]) -> usize {
    let mut spans: Vec<(Instant, Instant)> =
        requests.iter().filter_map(|r| Some((r.started, r.finished?))).collect();
    spans.sort_by_key(|(_, finished)| *finished);
    let mut chain = 0;
    let mut free: Option<Instant> = None;
    for (started, finished) in spans {
        if free.is_none_or(|free| started >= free) {
            chain += 1;
            free = Some(finished);
        }
    }
    chain
}

/// The records of one peer.
#[derive(Debug, Default)]
pub(crate) struct Records(Mutex<Vec<Request>>);

impl Records {
    pub(crate) fn begin(&self, request: Request) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(request);
        all.len() - 1
    }

    /// Notes the answer, unless the records were cleared in between.
    pub(crate) fn end(&self, at: usize, began: Instant, status: u16) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = all.get_mut(at).filter(|request| request.started == began) {
            request.finished = Some(Instant::now());
            request.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self, kind: Option<Kind>) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|request| kind.is_none_or(|kind| request.kind == kind)).count()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Percent-decodes a query's key or value; `+` is a space.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (bytes[at], hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(from: u64, to: u64, zero: Instant) -> Request {
        Request {
            kind: Kind::Blob,
            method: "GET".into(),
            path: "/".into(),
            query: "a=b%20c&a=d+e".into(),
            secure: false,
            headers: vec![("authorization".into(), "Basic Y2k6aHVudGVyMg==".into())],
            body: Bytes::new(),
            started: zero + Duration::from_millis(from),
            finished: Some(zero + Duration::from_millis(to)),
            status: Some(200),
        }
    }

    #[test]
    fn the_longest_chain_of_requests_is_counted() {
        let zero = Instant::now();
        let cases = [
            ("none", vec![], 0),
            ("all at once", vec![(0, 20), (1, 21), (2, 25)], 1),
            ("one after another", vec![(0, 20), (21, 40), (41, 60)], 3),
            ("three, then one beside a long one", vec![(0, 20), (1, 20), (2, 30), (21, 40)], 2),
            ("chained beside a long one", vec![(0, 90), (1, 20), (21, 40), (41, 60)], 3),
        ];
        for (name, spans, want) in cases {
            let requests: Vec<Request> =
                spans.iter().map(|(from, to)| request(*from, *to, zero)).collect();
            assert_eq!(round_trips(&requests), want, "{name}");
        }
    }

    #[test]
    fn a_request_gives_up_its_parameters_and_secrets() {
        let request = request(0, 1, Instant::now());
        assert_eq!(request.parameters("a"), ["b c", "d e"]);
        assert!(request.mentions("hunter2"), "in base64");
        assert!(!request.mentions("hunter3"));
    }
}
