//! Lists, page by page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Message, Refusal},
    api::Api,
    database::{self, Listing, Of, Row},
    filter::Filter,
};
use crate::attest::grafeas::{Class, Version, convert};

/// What a caller may say about a list.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    pub filter: String,
    #[serde(rename = "pageSize", alias = "page_size", default)]
    page_size: i64,
    #[serde(rename = "pageToken", alias = "page_token", default)]
    page_token: String,
}

/// A page of notes or occurrences.
///
/// # Errors
/// [`Refusal`] of the query, of a note that nobody knows, or of the database.
pub async fn messages(api: &Api, of: Of, query: ListQuery) -> Answer {
    let (member, class) = match &of {
        Of::Notes { .. } => ("notes", Class::Note),
        Of::Occurrences { .. } | Of::NoteOccurrences { .. } => ("occurrences", Class::Occurrence),
    };
    let filter =
        Filter::parse(&query.filter).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let (after, size) = query.page()?;
    let to = api.version;
    api.data
        .run(move |data| {
            if let Of::NoteOccurrences { note } = &of {
                let known = database::get(data, database::Table::Notes, note)?.is_some();
                if !known && !database::has_occurrence_of(data, note)? {
                    let text = format!("Note with name {note:?} does not Exist");
                    return Err(Refusal::NotFound(text));
                }
            }
            let listed = database::list(data, Listing { of, filter, after, limit: size })?;
            let list = listed.rows.iter().map(|row| read(row, class, to));
            let mut page = members(member, list.collect::<Result<_, _>>()?);
            if let (true, Some(last)) = (listed.more, listed.rows.last()) {
                page.insert("nextPageToken".into(), token(last.position).into());
            }
            Ok(Message(page.into()))
        })
        .await
}

/// A page of projects.
///
/// # Errors
/// [`Refusal`] of the query or of the database.
pub async fn projects(api: &Api, query: ListQuery) -> Answer {
    let (after, size) = query.page()?;
    api.data
        .run(move |data| {
            let mut rows = database::projects(data, after, size + 1)?;
            let more = rows.len() > size as usize;
            rows.truncate(size as usize);
            let end = rows.last().map(|(position, _)| *position);
            let list = rows.into_iter().map(|(_, name)| json!({"name": name})).collect();
            let mut page = members("projects", list);
            if let (true, Some(end)) = (more, end) {
                page.insert("nextPageToken".into(), token(end).into());
            }
            Ok(Message(page.into()))
        })
        .await
}

/// A stored message in the caller's version.
///
/// # Errors
/// [`Refusal::Internal`] where it is damaged.
pub fn read(row: &Row, class: Class, to: Version) -> Result<Value, Refusal> {
    let message = serde_json::from_str(&row.body).map_err(|_| Refusal::Internal)?;
    Ok(convert(message, class, row.version, to))
}

/// `{"occurrences":[…]}`; an empty list is left out.
pub fn members(name: &str, list: Vec<Value>) -> Map<String, Value> {
    let mut members = Map::new();
    if !list.is_empty() {
        members.insert(name.to_owned(), Value::Array(list));
    }
    members
}

impl ListQuery {
    /// The position after which to start, and how many.
    fn page(&self) -> Result<(i64, u32), Refusal> {
        let size = match self.page_size {
            0 => DEFAULT_PAGE,
            1.. if self.page_size <= i64::from(LONGEST_PAGE) => {
                u32::try_from(self.page_size).unwrap_or(LONGEST_PAGE)
            }
            other => {
                return Err(Refusal::Invalid(format!(
                    "page size {other} is not 1 to {LONGEST_PAGE}"
                )));
            }
        };
        Ok((position(&self.page_token)?, size))
    }
}

fn token(position: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after {position}"))
}

fn position(token: &str) -> Result<i64, Refusal> {
    if token.is_empty() {
        return Ok(0);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.strip_prefix("after ")
        .and_then(|position| position.parse().ok())
        .ok_or_else(|| Refusal::Invalid("pageToken is none that this store gave out".to_owned()))
}

const DEFAULT_PAGE: u32 = 20;
const LONGEST_PAGE: u32 = 1000;
