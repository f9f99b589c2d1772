//! What is read: projects, notes, occurrences, and lists of them in pages.

use serde_json::{Value, json};

use super::{Data, error, names::Route, quirks::Quirks};
use crate::peer::{Answer, Request};

pub(super) fn answer(data: &Data, request: &Request, route: &Route<'_>, quirks: &Quirks) -> Answer {
    match route {
        Route::Projects => {
            let listed = data.projects.iter().map(|name| json!({"name": name}));
            Answer::json(200, &json!({"projects": listed.collect::<Vec<_>>()}))
        }
        Route::Project(name) if data.projects.iter().any(|known| known == name) => {
            Answer::json(200, &json!({"name": name}))
        }
        Route::Notes(project) => {
            let of = format!("{project}/notes/");
            let notes = data.notes.iter().filter(|(name, _)| name.starts_with(&of));
            page(request, quirks, "notes", notes.map(|(_, note)| note.clone()).collect())
        }
        Route::Note(name) => found("Note", name, data.notes.get(*name)),
        Route::Occurrence(name) => found("Occurrence", name, data.occurrence(name)),
        Route::OccurrenceNotes(name) => {
            let note = data.occurrence(name).and_then(|one| one["noteName"].as_str());
            found("Note", name, note.and_then(|note| data.notes.get(note)))
        }
        Route::NoteOccurrences(note) => {
            if !data.notes.contains_key(*note) && !quirks.forgiving_notes {
                return missing("Note", note);
            }
            let of_note = |one: &&Value| one["noteName"] == **note;
            let occurrences = data.occurrences.iter().filter(of_note).cloned().collect();
            page(request, quirks, "occurrences", occurrences)
        }
        Route::Occurrences(project) => {
            let of =
                if quirks.prefix_bleed { (*project).to_owned() } else { format!("{project}/") };
            let of_project =
                |one: &&Value| one["name"].as_str().is_none_or(|name| name.starts_with(&of));
            let occurrences = data.occurrences.iter().filter(of_project).cloned().collect();
            page(request, quirks, "occurrences", occurrences)
        }
        _ => error(5, "Not Found"),
    }
}

impl Data {
    fn occurrence(&self, name: &str) -> Option<&Value> {
        self.occurrences.iter().find(|one| one["name"] == *name)
    }
}

fn found(what: &str, name: &str, value: Option<&Value>) -> Answer {
    value.map_or_else(|| missing(what, name), |value| Answer::json(200, value))
}

fn missing(what: &str, name: &str) -> Answer {
    error(5, &format!("{what} with name \"{name}\" does not Exist"))
}

fn page(request: &Request, quirks: &Quirks, list: &str, all: Vec<Value>) -> Answer {
    let number = |names: [&str; 2]| {
        names.into_iter().find_map(|name| request.parameter(name)).filter(|text| !text.is_empty())
    };
    let size = number(["pageSize", "page_size"]).map_or(Ok(20), |size| size.parse::<usize>());
    let size = match size {
        Ok(0) => 20,
        Ok(size) if size <= 1000 => size.min(quirks.page_cap),
        Ok(size) => {
            let message = format!("page size {size} cannot be large than max page size 1000");
            return error(3, &message);
        }
        Err(_) => return error(3, "type mismatch, parameter: page_size"),
    };
    let Ok(from) = number(["pageToken", "page_token"]).map_or(Ok(0), |at| at.parse::<usize>())
    else {
        return error(3, "page token is no number");
    };
    let filtered: Vec<Value> = match request.parameter("filter") {
        Some(filter) if quirks.honors_filter => {
            all.into_iter().filter(|one| selects(&filter, one)).collect()
        }
        _ => all,
    };
    let more = from + size < filtered.len();
    let mut listed: Vec<Value> = filtered.into_iter().skip(from).take(size).collect();
    let mut token = if more { (from + size).to_string() } else { String::new() };
    if quirks.early_end {
        token = String::new();
    } else if quirks.empty_pages {
        listed.clear();
        token = (from + 1).to_string();
    } else if quirks.page_loop && token.is_empty() {
        "0".clone_into(&mut token);
    }
    for one in &mut listed {
        quirks.dress(one);
    }
    let mut body =
        if quirks.nulls { json!({list: null, "nextPageToken": null}) } else { json!({}) };
    if !listed.is_empty() || quirks.writes_defaults {
        body[list] = listed.into();
    }
    if !token.is_empty() || quirks.writes_defaults {
        body["nextPageToken"] = token.into();
    }
    Answer::json(200, &body)
}

impl Quirks {
    fn dress(&self, occurrence: &mut Value) {
        if self.omits_kind
            && let Some(members) = occurrence.as_object_mut()
        {
            members.remove("kind");
        }
        if self.nulls {
            occurrence["remediation"] = Value::Null;
            occurrence["envelope"] = Value::Null;
        }
        if self.writes_defaults {
            occurrence["remediation"] = "".into();
            if occurrence["resource"].is_object() {
                occurrence["resource"]["name"] = "".into();
                occurrence["resource"]["contentHash"] = Value::Null;
            }
        }
    }
}

/// Whether a filter of `resourceUrl="…"`, joined by `OR`, names this occurrence's resource; a
/// filter without any selects everything.
fn selects(filter: &str, occurrence: &Value) -> bool {
    let uri = occurrence["resource"]["uri"].as_str().or(occurrence["resourceUri"].as_str());
    let mut urls = filter.split("resourceUrl").skip(1).filter_map(|rest| rest.split('"').nth(1));
    !filter.contains("resourceUrl") || urls.any(|url| Some(url) == uri)
}
