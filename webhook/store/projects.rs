//! Projects: names only; nothing needs one.

use axum::{extract::State, http::HeaderMap};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Message},
    api::Api,
    database::{self, Table},
    lists::{self, ListQuery},
    request::{Body, Path, Query, exists, invalid, not_there, object, project},
};
use crate::name::ProjectName;

pub async fn list_projects(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Answer {
    api.right(&headers).await?;
    lists::projects(&api, query).await
}

pub async fn create_project(State(api): State<Api>, headers: HeaderMap, body: Body) -> Answer {
    api.right(&headers).await?.may_administer()?;
    let posted = object(body)?;
    let name = posted.get("name").and_then(Value::as_str).unwrap_or_default();
    let name: ProjectName = name.parse().map_err(invalid)?;
    api.data
        .run(move |data| {
            if database::add_project(data, name.as_str())? {
                Ok(Message(json!({"name": name.as_str()})))
            } else {
                Err(exists("Project", name.as_str()))
            }
        })
        .await
}

pub async fn get_project(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    api.right(&headers).await?;
    let name = project(&id)?;
    api.data
        .run(move |data| {
            if database::has_project(data, name.as_str())? {
                Ok(Message(json!({"name": name.as_str()})))
            } else {
                Err(not_there("Project", name.as_str()))
            }
        })
        .await
}

pub async fn delete_project(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    api.right(&headers).await?.may_administer()?;
    api.remove(Table::Projects, "Project", project(&id)?.to_string()).await
}
