//! Notes.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    answer::{Answer, Message, Refusal},
    caller::{Administrator, Reader},
    database::{self, Of, Table},
    lists::{self, ListQuery},
    message::Note,
    request::{
        Body, Ids, NoteQuery, Path, Query, batch_size, exists, invalid, note, object, project,
    },
};
use crate::attest::grafeas::Class;

pub async fn list_notes(
    Reader(api): Reader,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer {
    lists::messages(&api, Of::Notes { project: project(&id)?.to_string() }, query).await
}

pub async fn create_note(
    Administrator(api): Administrator,
    Path(id): Path<String>,
    Query(query): Query<NoteQuery>,
    body: Body,
) -> Answer {
    let name = project(&id)?.note(&query.note_id).map_err(invalid)?;
    let note = Note::accept(api.version, name, object(body)?.into(), Timestamp::now())?;
    api.data
        .run(move |data| {
            if database::add_note(data, &note)? {
                Ok(Message(note.body))
            } else {
                Err(exists("Note", note.name.as_str()))
            }
        })
        .await
}

/// Adds those that are new; like the reference server it skips those that exist, so a caller
/// counts what came back.
pub async fn create_notes(
    Administrator(api): Administrator,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let project = project(&id)?;
    let Some(Value::Object(posted)) = object(body)?.remove("notes") else {
        return Err(Refusal::Invalid("notes must be an object of notes by their IDs".into()));
    };
    batch_size(posted.len())?;
    let now = Timestamp::now();
    let notes = posted
        .into_iter()
        .map(|(id, note)| Note::accept(api.version, project.note(&id).map_err(invalid)?, note, now))
        .collect::<Result<Vec<_>, Refusal>>()?;
    api.data
        .run(move |data| {
            let mut created = Vec::new();
            for note in notes {
                if database::add_note(data, &note)? {
                    created.push(note.body);
                }
            }
            Ok(Message(lists::members("notes", created).into()))
        })
        .await
}

pub async fn get_note(Reader(api): Reader, Path(ids): Path<Ids>) -> Answer {
    api.fetch(Table::Notes, Class::Note, note(&ids)?.to_string()).await
}

pub async fn delete_note(Administrator(api): Administrator, Path(ids): Path<Ids>) -> Answer {
    api.remove(Table::Notes, "Note", note(&ids)?.to_string()).await
}
