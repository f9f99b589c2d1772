//! What the store answers when it cannot do what it was asked.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal in the form of Grafeas: `{"code":5,"message":"…"}`, the code being gRPC's.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not well formed; the text says where.
    #[error("{0}")]
    Invalid(String),
    /// There is no such resource.
    #[error("{0}")]
    NotFound(String),
    /// There is one already.
    #[error("{0}")]
    Exists(String),
    /// No token, or one that is not known here.
    #[error("this store answers only callers with a token; send one as Authorization: Bearer …")]
    Unauthenticated,
    /// The token may not do that.
    #[error("{0}")]
    Denied(String),
    /// The body is too large or came too slowly.
    #[error("{0}")]
    Body(String),
    /// Too many requests at once.
    #[error("too many requests at once; try again")]
    Busy,
    /// No such method or path.
    #[error("{0}")]
    Unknown(String),
    /// The database failed. The cause is for the log, not for the caller.
    #[error("the store could not read or write its data")]
    Database(#[from] rusqlite::Error),
    /// A stored message is damaged, or a task ended unexpectedly.
    #[error("the store could not do this")]
    Internal,
}

impl Refusal {
    fn codes(&self) -> (StatusCode, u8) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, 3),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, 5),
            Self::Exists(_) => (StatusCode::CONFLICT, 6),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, 16),
            Self::Denied(_) => (StatusCode::FORBIDDEN, 7),
            Self::Body(_) => (StatusCode::PAYLOAD_TOO_LARGE, 3),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, 14),
            Self::Unknown(_) => (StatusCode::NOT_IMPLEMENTED, 12),
            Self::Database(_) | Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, 13),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Database(error) = &self {
            tracing::warn!(%error, "store database");
        }
        let (status, code) = self.codes();
        let mut response = json(status, &json!({"code": code, "message": self.to_string()}));
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

/// A message, or a refusal.
pub type Answer = Result<Message, Refusal>;

/// A message for the caller.
#[derive(Debug)]
pub struct Message(pub Value);

impl IntoResponse for Message {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

fn json(status: StatusCode, value: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, value.to_string()).into_response()
}
