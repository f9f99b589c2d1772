//! What is written: projects, notes and occurrences.

use serde_json::{Value, json};

use super::{Data, error, names::Route};
use crate::peer::{Answer, Request};

pub(super) fn create(data: &mut Data, request: &Request, route: &Route<'_>) -> Answer {
    let mut body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(body) if body.is_object() => body,
        _ => return error(3, "proto: syntax error (line 1:1): unexpected token"),
    };
    match route {
        Route::Projects => {
            let name = body["name"].as_str().unwrap_or_default().to_owned();
            if data.projects.contains(&name) {
                return error(6, &format!("Project with name \"{name}\" already exists"));
            }
            data.projects.push(name.clone());
            Answer::json(200, &json!({"name": name}))
        }
        Route::Notes(project) => {
            let id = request.parameter("noteId").or(request.parameter("note_id"));
            let name = format!("{project}/notes/{}", id.unwrap_or_default());
            if data.notes.contains_key(&name) {
                return error(6, &format!("Note with name \"{name}\" already exists"));
            }
            body["name"] = name.clone().into();
            data.notes.insert(name, body.clone());
            Answer::json(200, &body)
        }
        Route::Occurrences(project) => match refusal(&body, &request.path) {
            Some(refusal) => refusal,
            None => Answer::json(200, &stored(data, project, body)),
        },
        Route::BatchOccurrences(project) => {
            let listed = body["occurrences"].as_array().cloned().unwrap_or_default();
            if let Some(refusal) = listed.iter().find_map(|one| refusal(one, &request.path)) {
                return refusal;
            }
            let made = listed.into_iter().map(|one| stored(data, project, one));
            Answer::json(200, &json!({"occurrences": made.collect::<Vec<_>>()}))
        }
        _ => error(12, "Method Not Allowed"),
    }
}

pub(super) fn delete(data: &mut Data, route: &Route<'_>) -> Answer {
    let gone = match route {
        Route::Note(name) => data.notes.remove(*name).is_some(),
        Route::Occurrence(name) => {
            let before = data.occurrences.len();
            data.occurrences.retain(|one| one["name"] != **name);
            data.occurrences.len() < before
        }
        Route::Project(name) => {
            let before = data.projects.len();
            data.projects.retain(|known| known != name);
            data.projects.len() < before
        }
        _ => return error(12, "Method Not Allowed"),
    };
    if gone { Answer::json(200, &json!({})) } else { error(5, "Not Found") }
}

fn stored(data: &mut Data, project: &str, occurrence: Value) -> Value {
    data.add(project, occurrence);
    data.occurrences.last().cloned().unwrap_or_default()
}

/// What the reference server refuses: members of the other API, and what every occurrence needs.
fn refusal(occurrence: &Value, path: &str) -> Option<Answer> {
    let (needed, foreign) = if path.starts_with("/v1beta1/") {
        (occurrence["resource"]["uri"].as_str(), "resourceUri")
    } else {
        (occurrence["resourceUri"].as_str(), "resource")
    };
    if occurrence.get(foreign).is_some() {
        return Some(error(3, &format!("proto: (line 1:2): unknown field \"{foreign}\"")));
    }
    if needed.is_none_or(str::is_empty) {
        return Some(error(3, "resource.uri is required"));
    }
    if occurrence["noteName"].as_str().is_none_or(str::is_empty) {
        return Some(error(3, "note_name is required"));
    }
    None
}
