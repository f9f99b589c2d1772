//! Paths and methods of Grafeas, v1beta1 and v1.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    access::Access,
    answer::{Answer, Message, Refusal},
    database::{self, Database, Table},
    lists,
    message::Occurrence,
    notes, occurrences, projects,
    request::{LARGEST_BODY, missing, not_there},
};
use crate::attest::grafeas::{Class, Version};

/// What the handlers of one version share.
#[derive(Clone, Debug)]
pub struct Api {
    pub data: Database,
    pub access: Arc<Access>,
    pub version: Version,
}

/// All routes of the store.
pub fn router(data: &Database, access: Access) -> Router {
    let access = Arc::new(access);
    let slots = Arc::new(Semaphore::new(SLOTS));
    let api = |version| {
        routes().with_state(Api { data: data.clone(), access: Arc::clone(&access), version })
    };
    Router::new()
        .nest("/v1beta1", api(Version::V1Beta1))
        .nest("/v1", api(Version::V1))
        .fallback(async || Refusal::NotFound("Not Found".to_owned()))
        .method_not_allowed_fallback(async || Refusal::Unknown("Method Not Allowed".to_owned()))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(access, without_pages))
        .layer(from_fn_with_state(slots, bounded))
}

fn routes() -> Router<Api> {
    Router::new()
        .route("/projects", get(projects::list_projects).post(projects::create_project))
        .route("/projects/{project}", get(projects::get_project).delete(projects::delete_project))
        .route("/projects/{project}/notes", get(notes::list_notes).post(notes::create_note))
        .route("/projects/{project}/notes:batchCreate", post(notes::create_notes))
        .route("/projects/{project}/notes/{id}", get(notes::get_note).delete(notes::delete_note))
        .route(
            "/projects/{project}/notes/{id}/occurrences",
            get(occurrences::list_note_occurrences),
        )
        .route(
            "/projects/{project}/occurrences",
            get(occurrences::list_occurrences).post(occurrences::create_occurrence),
        )
        .route("/projects/{project}/occurrences:batchCreate", post(occurrences::create_occurrences))
        .route("/projects/{project}/occurrences:vulnerabilitySummary", get(occurrences::summarize))
        .route(
            "/projects/{project}/occurrences/{id}",
            get(occurrences::get_occurrence).delete(occurrences::delete_occurrence),
        )
        .route("/projects/{project}/occurrences/{id}/notes", get(occurrences::get_occurrence_note))
        .method_not_allowed_fallback(async || Refusal::Unknown("Method Not Allowed".to_owned()))
}

/// No request of a web page goes further.
async fn without_pages(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    match access.refuse_pages(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// No request takes a slot for longer than it should.
async fn bounded(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_slot) = slots.try_acquire() else { return Refusal::Busy.into_response() };
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::Body("the request took too long".to_owned()).into_response(),
    }
}

impl Api {
    pub async fn fetch(&self, table: Table, class: Class, name: String) -> Answer {
        let to = self.version;
        self.data
            .run(move |data| match database::get(data, table, &name)? {
                Some(row) => lists::read(&row, class, to).map(Message),
                None => Err(missing(class, &name)),
            })
            .await
    }

    pub async fn remove(&self, table: Table, what: &'static str, name: String) -> Answer {
        self.data
            .run(move |data| {
                if database::remove(data, table, &name)? {
                    Ok(Message(json!({})))
                } else {
                    Err(not_there(what, &name))
                }
            })
            .await
    }

    pub async fn add_occurrences(&self, accepted: Vec<Occurrence>) -> Result<Vec<Value>, Refusal> {
        self.data
            .run(move |data| {
                accepted.iter().try_for_each(|new| database::add_occurrence(data, new))?;
                Ok(accepted.into_iter().map(|new| new.body).collect())
            })
            .await
    }
}

/// Requests that are worked on at once; more are told to come again.
const SLOTS: usize = 256;

/// The longest time for one request, its body included.
const LONGEST: Duration = Duration::from_secs(30);
