//! A file as text, and JSON in it whose mistakes have a line and a column.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Deserializer, error::Category, value::RawValue};

use super::{BadInput, Place, Wrong};

/// A file that is UTF-8.
pub struct Text<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    /// Where each line but the first begins.
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    /// Takes a file's bytes; `file` is its name in messages.
    pub fn new(file: &'a Arc<str>, bytes: &'a [u8]) -> Result<Self, BadInput> {
        let of = |text: &'a str| Self {
            file,
            text,
            lines: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
        };
        str::from_utf8(bytes).map(of).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = of(str::from_utf8(valid).unwrap_or_default());
            let (line, column) = before.position(valid.len());
            BadInput { place: Place::position(file, line, column), wrong: Wrong::Encoding }
        })
    }

    /// The text.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Where `part`, a piece of this text, begins.
    pub fn place_of(&self, part: &str) -> Place {
        let (line, column) = self.start_of(part);
        Place::position(self.file, line, column)
    }

    /// The objects in the file: one after another, in arrays, or both.
    pub fn objects(&self) -> Result<Vec<&'a RawValue>, BadInput> {
        let mut objects = Vec::new();
        for value in Deserializer::from_str(self.text).into_iter::<&RawValue>() {
            let value = value.map_err(|error| self.bad(&error, self.text))?;
            if value.get().starts_with('[') {
                objects.extend(self.read::<Vec<&RawValue>>(value)?);
            } else {
                objects.push(value);
            }
        }
        Ok(objects)
    }

    /// Reads one of the [`Text::objects`].
    pub fn read<T: Deserialize<'a>>(&self, raw: &'a RawValue) -> Result<T, BadInput> {
        serde_json::from_str(raw.get()).map_err(|error| self.bad(&error, raw.get()))
    }

    /// A mistake that a parser found in `part`, at its place in the file.
    fn bad(&self, error: &serde_json::Error, part: &str) -> BadInput {
        let (line, column) = self.start_of(part);
        let place = match error.line() {
            0 => Place::position(self.file, line, column),
            1 => Place::position(self.file, line, column + error.column().saturating_sub(1)),
            further => Place::position(self.file, line + further - 1, error.column()),
        };
        let wrong = match error.classify() {
            Category::Eof => Wrong::Cut,
            Category::Syntax => Wrong::Shape(format!("is no JSON: {}", without_place(error))),
            Category::Data | Category::Io => Wrong::Shape(without_place(error)),
        };
        BadInput { place, wrong }
    }

    fn start_of(&self, part: &str) -> (usize, usize) {
        self.position(part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr()))
    }

    /// Line and column, from 1, of a byte; columns count bytes, as the parser's do.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|last| self.lines.get(last)).unwrap_or(&0);
        (line + 1, offset - start + 1)
    }
}

/// The parser's words; the place goes before them.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    crate::name::escape(words, SHOWN)
}

/// How much of the parser's words a message shows: they may quote the file.
const SHOWN: usize = 256;
