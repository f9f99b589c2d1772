//! Faults and lies, told on demand.
//!
//! A rule says on which requests ([`On`]) and what goes wrong ([`Fault`]). All rules that apply
//! are done in the order in which they were given, so a delay can come before a lie.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use super::{
    answer::Answer,
    record::{Kind, Request},
};

/// Which requests a fault befalls. Starts from all of one kind, one path or everything, and is
/// narrowed from there.
#[derive(Clone, Debug, Default)]
pub struct On {
    kind: Option<Kind>,
    method: Option<String>,
    part: Option<String>,
    skip: usize,
    first: Option<usize>,
}

impl On {
    /// Every request.
    pub fn all() -> Self {
        Self::default()
    }

    /// Requests of one kind.
    pub fn kind(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Requests whose path (with query) contains `part`.
    pub fn path(part: &str) -> Self {
        Self::all().containing(part)
    }

    /// Only where the path (with query) contains `part`.
    #[must_use]
    pub fn containing(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Not the first `n` that match.
    #[must_use]
    pub fn after(mut self, n: usize) -> Self {
        self.skip = n;
        self
    }

    /// Only `n` of those that match, then never again.
    #[must_use]
    pub fn first(mut self, n: usize) -> Self {
        self.first = Some(n);
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let whole = || format!("{}?{}", request.path, request.query);
        self.kind.is_none_or(|kind| kind == request.kind)
            && self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.part.as_ref().is_none_or(|part| whole().contains(part.as_str()))
    }
}

/// Makes another answer of the one that would have been given.
pub type Rewrite = Arc<dyn Fn(&Request, Answer) -> Answer + Send + Sync>;

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// The answer comes that much later.
    Delay(Duration),
    /// The answer never comes.
    Hang,
    /// The connection closes without an answer.
    Close,
    /// This answer comes instead, and the request has no effect.
    Instead(Answer),
    /// The request is answered as it should be, then its answer is changed.
    Rewrite(Rewrite),
    /// Declares this `Content-Length`, whatever is sent: if more, the connection closes early.
    Length(u64),
    /// Sends only this many bytes of the declared length, then closes.
    Truncate(usize),
    /// Sends the body, then filler without end, with no `Content-Length`.
    Endless,
    /// Sends the body in pieces of this many bytes, each after a pause.
    Drip(usize, Duration),
}

impl Fault {
    /// A bare status, with a registry's error body.
    pub fn status(status: u16) -> Self {
        Self::Instead(Answer::registry_error(status, "UNKNOWN"))
    }

    /// A status that asks to come back in that many seconds (429, 503).
    pub fn retry_after(status: u16, seconds: u64) -> Self {
        let answer = Answer::registry_error(status, "TOOMANYREQUESTS");
        Self::Instead(answer.with("retry-after", seconds.to_string()))
    }

    /// A status with a web page, as gateways and login portals give.
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><body><h1>Gateway</h1></body></html>";
        Self::Instead(Answer::of(status, "text/html; charset=utf-8", page))
    }

    /// A redirect (301, 302, 303, 307, 308) to that URL.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::Instead(Answer::new(status).with("location", location))
    }

    /// Other bytes, with all headers as they were (the digest's included).
    pub fn bytes(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::rewrite(move |_, mut answer| {
            answer.body = body.clone();
            answer
        })
    }

    /// The same body with a space after it: it still parses, but its digest differs.
    pub fn padded() -> Self {
        Self::rewrite(|_, mut answer| {
            answer.body = [&answer.body[..], b" "].concat().into();
            answer
        })
    }

    /// Another header of that name, `Docker-Content-Digest` for one.
    pub fn header(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self::rewrite(move |_, answer| answer.with(name, value.clone()))
    }

    /// Any change at all of the answer.
    pub fn rewrite(change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static) -> Self {
        Self::Rewrite(Arc::new(change))
    }
}

/// How the body goes over the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Whole,
    Length(u64),
    Truncate(usize),
    Endless,
    Drip(usize, Duration),
}

/// The rules of one peer.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

struct Rule {
    on: On,
    fault: Fault,
    met: usize,
}

impl Faults {
    pub(crate) fn add(&self, on: On, fault: Fault) {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push(Rule { on, fault, met: 0 });
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The faults that befall this request, in order.
    pub(crate) fn of(&self, request: &Request) -> Vec<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faults = Vec::new();
        for rule in rules.iter_mut().filter(|rule| rule.on.matches(request)) {
            rule.met += 1;
            let turn = rule.met > rule.on.skip;
            let spent = rule.on.first.is_some_and(|first| rule.met > rule.on.skip + first);
            if turn && !spent {
                faults.push(rule.fault.clone());
            }
        }
        faults
    }
}
