//! An answer, before faults are done to it.

use bytes::Bytes;
use serde_json::Value;

/// Status, headers and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case; `content-length` is set on sending.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// An answer with no body and no headers.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// An answer with a body of that media type.
    pub fn of(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(status).with("content-type", media_type);
        answer.body = body.into();
        answer
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body.to_string())
    }

    /// A registry's error: `{"errors":[{"code","message"}]}`.
    pub fn registry_error(status: u16, code: &str) -> Self {
        let message = code.to_lowercase().replace('_', " ");
        let body = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self::json(status, &body)
    }

    /// The same with one more header; an earlier one of that name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let name = name.to_lowercase();
        self.headers.retain(|(key, _)| *key != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
