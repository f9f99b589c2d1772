//! Parts of requests.

use axum::{
    body::Bytes,
    extract::{self, FromRequestParts, rejection::BytesRejection},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::answer::Refusal;
use crate::{
    attest::grafeas::Class,
    name::{NoteName, OccurrenceName, ProjectName},
};

/// What the query says; a wrong one is refused in the form of Grafeas.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// What the path says; a wrong one is refused in the form of Grafeas.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Refusal::Invalid(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(Refusal::Invalid(rejection.body_text())),
        }
    }
}

pub type Body = Result<Bytes, BytesRejection>;

#[derive(Debug, Deserialize)]
pub struct Ids {
    pub project: String,
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub struct NoteQuery {
    #[serde(rename = "noteId", alias = "note_id", default)]
    pub note_id: String,
}

/// The members of a posted message.
pub fn object(body: Body) -> Result<Map<String, Value>, Refusal> {
    let body = body.map_err(|_| {
        Refusal::Body(format!("the body is larger than {LARGEST_BODY} bytes or broke off"))
    })?;
    match serde_json::from_slice(&body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::Invalid("the body is no JSON object".into())),
        Err(error) => Err(Refusal::Invalid(format!("the body is not readable JSON: {error}"))),
    }
}

pub fn batch_size(count: usize) -> Result<(), Refusal> {
    if (1..=1000).contains(&count) {
        return Ok(());
    }
    Err(Refusal::Invalid(format!("a batch has from 1 to 1000 messages, this one {count}")))
}

pub fn project(id: &str) -> Result<ProjectName, Refusal> {
    format!("projects/{id}").parse().map_err(invalid)
}

pub fn note(ids: &Ids) -> Result<NoteName, Refusal> {
    format!("projects/{}/notes/{}", ids.project, ids.id).parse().map_err(invalid)
}

pub fn occurrence(ids: &Ids) -> Result<OccurrenceName, Refusal> {
    format!("projects/{}/occurrences/{}", ids.project, ids.id).parse().map_err(invalid)
}

pub fn invalid(error: impl std::fmt::Display) -> Refusal {
    Refusal::Invalid(error.to_string())
}

pub fn missing(class: Class, name: &str) -> Refusal {
    match class {
        Class::Note => not_there("Note", name),
        Class::Occurrence => not_there("Occurrence", name),
    }
}

pub fn not_there(what: &str, name: &str) -> Refusal {
    Refusal::NotFound(format!("{what} with name {name:?} does not Exist"))
}

pub fn exists(what: &str, name: &str) -> Refusal {
    Refusal::Exists(format!("{what} with name {name:?} already exists"))
}

/// The largest body that is read: a batch of a thousand ordinary occurrences.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;
