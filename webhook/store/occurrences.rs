//! Occurrences.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    access::Right,
    answer::{Answer, Message, Refusal},
    api::Api,
    caller::{Administrator, Reader, Writer},
    database::{Of, Table},
    lists::{self, ListQuery},
    message::Occurrence,
    request::{Body, Ids, Path, Query, batch_size, note, object, occurrence, project},
    summary,
};
use crate::{attest::grafeas::Class, name::ProjectName};

pub async fn list_note_occurrences(
    Reader(api): Reader,
    Path(ids): Path<Ids>,
    Query(query): Query<ListQuery>,
) -> Answer {
    lists::messages(&api, Of::NoteOccurrences { note: note(&ids)?.to_string() }, query).await
}

pub async fn list_occurrences(
    Reader(api): Reader,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer {
    lists::messages(&api, Of::Occurrences { project: project(&id)?.to_string() }, query).await
}

pub async fn create_occurrence(
    Writer(api, right): Writer,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let accepted = accept(&api, &right, &project(&id)?, object(body)?.into())?;
    let created = api.add_occurrences(vec![accepted]).await?;
    created.into_iter().next().map(Message).ok_or(Refusal::Internal)
}

/// Adds all, or none where one of them is refused.
pub async fn create_occurrences(
    Writer(api, right): Writer,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let project = project(&id)?;
    let Some(Value::Array(posted)) = object(body)?.remove("occurrences") else {
        return Err(Refusal::Invalid("occurrences must be a list of occurrences".into()));
    };
    batch_size(posted.len())?;
    let accepted = posted
        .into_iter()
        .map(|posted| accept(&api, &right, &project, posted))
        .collect::<Result<Vec<_>, _>>()?;
    let created = api.add_occurrences(accepted).await?;
    Ok(Message(lists::members("occurrences", created).into()))
}

pub async fn get_occurrence(Reader(api): Reader, Path(ids): Path<Ids>) -> Answer {
    api.fetch(Table::Occurrences, Class::Occurrence, occurrence(&ids)?.to_string()).await
}

pub async fn delete_occurrence(Administrator(api): Administrator, Path(ids): Path<Ids>) -> Answer {
    api.remove(Table::Occurrences, "Occurrence", occurrence(&ids)?.to_string()).await
}

pub async fn get_occurrence_note(Reader(api): Reader, Path(ids): Path<Ids>) -> Answer {
    let occurrence = occurrence(&ids)?.to_string();
    let Message(found) = api.fetch(Table::Occurrences, Class::Occurrence, occurrence).await?;
    let note = found.get("noteName").and_then(Value::as_str).unwrap_or_default();
    api.fetch(Table::Notes, Class::Note, note.to_owned()).await
}

pub async fn summarize(
    Reader(api): Reader,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer {
    summary::vulnerabilities(&api, project(&id)?.to_string(), query).await
}

/// Checks one posted occurrence and that the caller may write it here.
fn accept(
    api: &Api,
    right: &Right,
    project: &ProjectName,
    posted: Value,
) -> Result<Occurrence, Refusal> {
    let accepted = Occurrence::accept(api.version, project, posted, Timestamp::now())?;
    right.may_write(&accepted.note)?;
    if *right != Right::Administer && accepted.note.project() != *project {
        return Err(Refusal::Denied(format!("this token may not write into {project}")));
    }
    Ok(accepted)
}
