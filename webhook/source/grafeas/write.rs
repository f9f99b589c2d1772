//! What a signer writes: projects, notes, occurrences. Nothing is ever changed in place.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    GrafeasStore,
    call::{MESSAGE, Reply},
    readback::keeps,
};
use crate::{
    attest::grafeas::{Class, Version, camel_case, convert},
    name::{NoteName, OccurrenceName, ProjectName},
    source::{Deadline, FetchError, ProtocolError},
};

impl GrafeasStore {
    /// Makes a project; `false` if it was there, or the version knows no projects of its own.
    ///
    /// # Errors
    /// [`FetchError`] if the store refuses.
    pub async fn create_project(
        &self,
        project: &ProjectName,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        if self.options.api == Version::V1 {
            return Ok(false);
        }
        let message = json!({"name": project.as_str()});
        let reply = self.caller.post("projects", &[], &message, deadline).await?;
        self.created(reply)
    }

    /// Makes an attestation note; `false` if it was there.
    ///
    /// # Errors
    /// [`FetchError`] if the store refuses.
    pub async fn create_note(
        &self,
        note: &NoteName,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let message = json!({
            "shortDescription": format!("attestations of {}", note.id()),
            "kind": "ATTESTATION",
            "attestationAuthority": {"hint": {"humanReadableName": note.id()}},
        });
        self.create_note_as(note, message, deadline).await
    }

    /// Makes a note, given in v1beta1's shape with the details of its kind; `false` if it was there.
    ///
    /// # Errors
    /// [`FetchError`] if the store refuses.
    pub async fn create_note_as(
        &self,
        note: &NoteName,
        mut message: Value,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        if let Some(members) = message.as_object_mut() {
            // Some backends file a note by the name in its body, not by the one in the query.
            members.insert("name".into(), note.as_str().into());
        }
        let message = convert(message, Class::Note, Version::V1Beta1, self.options.api);
        let path = format!("{}/notes", note.project());
        let query = [("noteId", note.id())];
        let reply = self.caller.post(&path, &query, &message, deadline).await?;
        self.created(reply)
    }

    /// Whether the store knows a note.
    ///
    /// # Errors
    /// [`FetchError`] if the store does not say.
    pub async fn has_note(&self, note: &NoteName, deadline: Deadline) -> Result<bool, FetchError> {
        match self.caller.get(note.as_str(), &[], MESSAGE, deadline).await? {
            // Some backends answer an unknown note by `{}`.
            Reply::Message(body) => {
                let found: Value = self.message(&body)?;
                Ok(found.get("name").and_then(Value::as_str) == Some(note.as_str()))
            }
            Reply::Unknown => Ok(false),
            Reply::Conflict(status) | Reply::Refused(status) => {
                Err(self.caller.invalid(ProtocolError::Refusal(status)))
            }
        }
    }

    /// Writes an occurrence, given in v1beta1's shape, into a project; then reads it back and
    /// compares. Returns the name that the store gave it.
    ///
    /// # Errors
    /// [`FetchError`] if the store refuses, or kept something else.
    pub async fn create_occurrence(
        &self,
        project: &ProjectName,
        occurrence: &Value,
        deadline: Deadline,
    ) -> Result<OccurrenceName, FetchError> {
        let message =
            convert(occurrence.clone(), Class::Occurrence, Version::V1Beta1, self.options.api);
        let path = format!("{project}/occurrences");
        let body = match self.caller.post(&path, &[], &message, deadline).await? {
            Reply::Message(body) => body,
            Reply::Unknown => {
                return Err(self.caller.invalid(ProtocolError::Status(StatusCode::NOT_FOUND)));
            }
            Reply::Conflict(status) | Reply::Refused(status) => {
                return Err(self.caller.invalid(ProtocolError::Refusal(status)));
            }
        };
        let answered = self.message(&body)?;
        let name = answered.get("name").and_then(Value::as_str).unwrap_or_default();
        let name: OccurrenceName =
            name.parse().map_err(|_| self.caller.invalid(ProtocolError::Kept))?;
        let kept = match self.caller.get(name.as_str(), &[], MESSAGE, deadline).await? {
            Reply::Message(body) => self.message(&body)?,
            _ => return Err(self.caller.invalid(ProtocolError::Kept)),
        };
        if name.project() != *project || !keeps(&kept, &message) {
            return Err(self.caller.invalid(ProtocolError::Kept));
        }
        Ok(name)
    }

    fn created(&self, reply: Reply) -> Result<bool, FetchError> {
        match reply {
            Reply::Message(_) => Ok(true),
            Reply::Conflict(_) => Ok(false),
            Reply::Unknown => {
                Err(self.caller.invalid(ProtocolError::Status(StatusCode::NOT_FOUND)))
            }
            Reply::Refused(status) => Err(self.caller.invalid(ProtocolError::Refusal(status))),
        }
    }

    fn message(&self, body: &[u8]) -> Result<Value, FetchError> {
        let unreadable = || self.caller.invalid(ProtocolError::Other("no readable message"));
        let value: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
        camel_case(value).map_err(|_| unreadable())
    }
}
