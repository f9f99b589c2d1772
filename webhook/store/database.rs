//! The store's tables in SQLite.
//!
//! One connection, used by one task at a time on a thread for blocking work. Messages are kept as
//! JSON text, with what lists are filtered by in columns of their own.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params, params_from_iter};
use tokio::sync::Mutex;

use super::{
    answer::Refusal,
    filter::Filter,
    message::{Note, Occurrence},
};
use crate::attest::grafeas::Version;

/// The open database.
#[derive(Clone, Debug)]
pub struct Database(Arc<Mutex<Connection>>);

/// A message as it is kept.
#[derive(Debug)]
pub struct Row {
    /// Where it stands in lists.
    pub position: i64,
    /// The version whose shape it has.
    pub version: Version,
    /// JSON.
    pub body: String,
}

/// Which rows a list has.
#[derive(Debug)]
pub struct Listing {
    /// `occurrences` of a project or of a note, or `notes` of a project.
    pub of: Of,
    /// What the caller asked for.
    pub filter: Filter,
    /// Rows after this position.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

/// What a list is made of.
#[derive(Debug)]
pub enum Of {
    /// Occurrences kept in a project.
    Occurrences { project: String },
    /// Occurrences of a note, in any project.
    NoteOccurrences { note: String },
    /// Notes of a project.
    Notes { project: String },
}

impl Database {
    /// Opens or creates the database in a file.
    ///
    /// # Errors
    /// SQLite's, also where the file is none of its own.
    pub fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Self::prepare(connection)
    }

    /// A database that ends with the process.
    ///
    /// # Errors
    /// SQLite's.
    pub fn in_memory() -> Result<Self, rusqlite::Error> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, rusqlite::Error> {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` in one transaction, which is kept only if it returns `Ok`.
    ///
    /// # Errors
    /// Those of `work`, and of SQLite.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let mut connection = Arc::clone(&self.0).lock_owned().await;
        tokio::task::spawn_blocking(move || {
            let transaction = connection.transaction()?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
        .await
        .map_err(|_| Refusal::Internal)?
    }
}

/// Adds a project; `false` if there is one of that name.
pub fn add_project(data: &Transaction<'_>, name: &str) -> Result<bool, Refusal> {
    let mut statement =
        data.prepare_cached("INSERT INTO projects (name) VALUES (?) ON CONFLICT DO NOTHING")?;
    Ok(statement.execute([name])? == 1)
}

/// Names of projects after `after`, with their positions.
pub fn projects(
    data: &Transaction<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, String)>, Refusal> {
    let mut statement = data.prepare_cached(
        "SELECT position, name FROM projects WHERE position > ? ORDER BY position LIMIT ?",
    )?;
    let rows = statement.query_map(params![after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether there is a project of that name.
pub fn has_project(data: &Transaction<'_>, name: &str) -> Result<bool, Refusal> {
    let mut statement = data.prepare_cached("SELECT 1 FROM projects WHERE name = ?")?;
    Ok(statement.exists([name])?)
}

/// Adds a note; `false` if there is one of that name.
pub fn add_note(data: &Transaction<'_>, note: &Note) -> Result<bool, Refusal> {
    let mut statement = data.prepare_cached(
        "INSERT INTO notes (name, project, kind, version, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )?;
    let project = note.name.project().to_string();
    let changed = statement.execute(params![
        note.name.to_string(),
        project,
        note.kind,
        note.version.as_str(),
        note.body.to_string()
    ])?;
    Ok(changed == 1)
}

/// Adds an occurrence.
pub fn add_occurrence(data: &Transaction<'_>, occurrence: &Occurrence) -> Result<(), Refusal> {
    let mut statement = data.prepare_cached(
        "INSERT INTO occurrences
         (name, project, note, note_project, note_id, uri, kind, version, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        occurrence.name.to_string(),
        occurrence.name.project().to_string(),
        occurrence.note.to_string(),
        occurrence.note.project().id(),
        occurrence.note.id(),
        occurrence.uri,
        occurrence.kind,
        occurrence.version.as_str(),
        occurrence.body.to_string(),
    ])?;
    Ok(())
}

/// One row of a table by name.
pub fn get(data: &Transaction<'_>, table: Table, name: &str) -> Result<Option<Row>, Refusal> {
    let sql = format!("SELECT position, version, body FROM {} WHERE name = ?", table.as_str());
    let mut statement = data.prepare_cached(&sql)?;
    Ok(statement.query_row([name], row).optional()?)
}

/// Removes one row of a table by name; `false` if there was none.
pub fn remove(data: &Transaction<'_>, table: Table, name: &str) -> Result<bool, Refusal> {
    let sql = format!("DELETE FROM {} WHERE name = ?", table.as_str());
    Ok(data.prepare_cached(&sql)?.execute([name])? == 1)
}

/// Some rows of a list.
#[derive(Debug)]
pub struct Listed {
    /// In the order in which they were added.
    pub rows: Vec<Row>,
    /// Whether there are more after them.
    pub more: bool,
}

/// The rows of a list, as many as are asked for and as are not too large to hold at once.
pub fn list(data: &Transaction<'_>, listing: Listing) -> Result<Listed, Refusal> {
    let (table, column, owner) = match listing.of {
        Of::Occurrences { project } => (Table::Occurrences, "project", project),
        Of::NoteOccurrences { note } => (Table::Occurrences, "note", note),
        Of::Notes { project } => (Table::Notes, "project", project),
    };
    let sql = format!(
        "SELECT position, version, body FROM {} WHERE {column} = ? AND {}
         AND position > ? ORDER BY position LIMIT ?",
        table.as_str(),
        listing.filter.condition
    );
    let mut parameters = vec![owner.into()];
    parameters.extend(listing.filter.parameters);
    parameters.push(listing.after.into());
    parameters.push((i64::from(listing.limit) + 1).into());
    let mut statement = data.prepare(&sql)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for found in statement.query_map(params_from_iter(parameters), row)? {
        let found = found?;
        bytes += found.body.len();
        if rows.len() == listing.limit as usize || (bytes > LARGEST_LIST && !rows.is_empty()) {
            return Ok(Listed { rows, more: true });
        }
        rows.push(found);
    }
    Ok(Listed { rows, more: false })
}

/// Whether any occurrence is of that note.
pub fn has_occurrence_of(data: &Transaction<'_>, note: &str) -> Result<bool, Refusal> {
    let mut statement = data.prepare_cached("SELECT 1 FROM occurrences WHERE note = ? LIMIT 1")?;
    Ok(statement.exists([note])?)
}

/// A table with messages.
#[derive(Clone, Copy, Debug)]
pub enum Table {
    Notes,
    Occurrences,
    Projects,
}

impl Table {
    fn as_str(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Occurrences => "occurrences",
            Self::Projects => "projects",
        }
    }
}

fn row(row: &rusqlite::Row<'_>) -> Result<Row, rusqlite::Error> {
    let version: String = row.get(1)?;
    let version = if version == Version::V1.as_str() { Version::V1 } else { Version::V1Beta1 };
    Ok(Row { position: row.get(0)?, version, body: row.get(2)? })
}

/// A list ends early rather than become larger than this.
const LARGEST_LIST: usize = 8 * 1024 * 1024;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS projects (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS notes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    note_project TEXT GENERATED ALWAYS AS (substr(project, 10)) VIRTUAL,
    note_id TEXT GENERATED ALWAYS AS (substr(name, length(project) + 8)) VIRTUAL,
    note TEXT GENERATED ALWAYS AS (name) VIRTUAL,
    uri TEXT GENERATED ALWAYS AS ('') VIRTUAL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_of_project ON notes (project, position);
CREATE TABLE IF NOT EXISTS occurrences (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    note TEXT NOT NULL,
    note_project TEXT NOT NULL,
    note_id TEXT NOT NULL,
    uri TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS occurrences_of_project ON occurrences (project, position);
CREATE INDEX IF NOT EXISTS occurrences_of_note ON occurrences (note, position);
CREATE INDEX IF NOT EXISTS occurrences_of_image ON occurrences (uri);
";
