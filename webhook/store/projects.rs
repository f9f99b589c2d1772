//! Projects: names only; nothing needs one.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Message},
    caller::{Administrator, Reader},
    database::{self, Table},
    lists::{self, ListQuery},
    request::{Body, Path, Query, exists, invalid, not_there, object, project},
};
use crate::name::ProjectName;

pub async fn list_projects(Reader(api): Reader, Query(query): Query<ListQuery>) -> Answer {
    lists::projects(&api, query).await
}

pub async fn create_project(Administrator(api): Administrator, body: Body) -> Answer {
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

pub async fn get_project(Reader(api): Reader, Path(id): Path<String>) -> Answer {
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

pub async fn delete_project(Administrator(api): Administrator, Path(id): Path<String>) -> Answer {
    api.remove(Table::Projects, "Project", project(&id)?.to_string()).await
}
