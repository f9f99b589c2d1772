//! Replacements in the text of a Rego file.

use std::ops::Range;

use regorus::unstable::{LiteralStmt, Query, Span};

use super::Location;

/// One replacement.
pub(super) struct Edit {
    pub range: Range<usize>,
    pub text: String,
    /// Of the statement that it changes.
    pub place: Location,
}

impl Edit {
    /// `before` in front of a statement and `after` behind it, within braces where the statement
    /// has been a body alone and has none.
    pub fn around(query: &Query, stmt: &LiteralStmt, before: &str, after: &str) -> [Self; 2] {
        let Range { start, end } = range(&stmt.span);
        let bare = query.stmts.len() == 1 && query.span.start == stmt.span.start;
        let (open, close) = if bare { ("{ ", " }") } else { ("", "") };
        let edit = |at, text| Self { range: at..at, text, place: Location::of(&stmt.span) };
        [edit(start, format!("{open}{before}")), edit(end, format!("{after}{close}"))]
    }
}

/// Where an expression or statement stands. The engine's spans leave out the quotes of a string
/// at either end; nothing else in Rego has a quote that close.
pub(super) fn range(span: &Span) -> Range<usize> {
    let text = span.source.contents();
    let is_quote = |text: Option<&str>| matches!(text, Some("\"" | "`"));
    let (start, end) = (span.start as usize, span.end as usize);
    let open = start.checked_sub(1).is_some_and(|before| is_quote(text.get(before..start)));
    let close = is_quote(text.get(end..end.saturating_add(1)));
    start - usize::from(open)..end + usize::from(close)
}

/// What stands there.
pub(super) fn text(span: &Span) -> &str {
    span.source.contents().get(range(span)).unwrap_or_default()
}

/// Makes the replacements, none of which overlap, from the last to the first.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start);
    let mut text = text.to_owned();
    for edit in edits.into_iter().rev() {
        if text.is_char_boundary(edit.range.start) && text.is_char_boundary(edit.range.end) {
            text.replace_range(edit.range, &edit.text);
        }
    }
    text
}
