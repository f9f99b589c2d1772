//! Text from outside, on its way to people.

use std::{borrow::Cow, fmt::Write as _};

/// `text` fit for one line of a denial or a log: what could break the line, move the cursor or
/// reorder the reading is written as `\u{…}`, and what is longer than `max_chars` characters ends
/// in `…`.
///
/// ```
/// use countersign::name::escape;
///
/// assert_eq!(escape("a\nb\u{202e}c", 80), r"a\nb\u{202e}c");
/// assert_eq!(escape("abcdef", 4), "abc…");
/// ```
pub fn escape(text: &str, max_chars: usize) -> String {
    escaped(text, max_chars).into_owned()
}

/// The same, borrowed where nothing has to be changed.
pub fn escaped(text: &str, max_chars: usize) -> Cow<'_, str> {
    // Nearly all texts: names and digests, which are short and of visible ASCII.
    if text.len() <= max_chars && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len().min(max_chars * 4));
    let mut length = 0;
    // Where to cut, should the rest be too long: behind the last piece that leaves room for `…`.
    let mut cut = 0;
    for character in text.chars() {
        let start = escaped.len();
        push(&mut escaped, character);
        length += escaped.get(start..).map_or(0, |piece| piece.chars().count());
        if length > max_chars {
            escaped.truncate(cut);
            escaped.push('…');
            return Cow::Owned(escaped);
        }
        if length < max_chars {
            cut = escaped.len();
        }
    }
    Cow::Owned(escaped)
}

/// JSON in which every character that is not one to look at is spelled as JSON spells it, so that a
/// terminal shows it and a parser reads the same. Such characters stand only within its texts.
///
/// ```
/// use countersign::name::escape_json;
///
/// assert_eq!(escape_json("{\"a\": \"b\u{202e}c\"}"), r#"{"a": "b\u202ec"}"#);
/// ```
pub fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_unseen(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// One character, spelled out if it is not one to look at.
fn push(escaped: &mut String, character: char) {
    match character {
        '\n' => escaped.push_str("\\n"),
        '\r' => escaped.push_str("\\r"),
        '\t' => escaped.push_str("\\t"),
        _ if is_unseen(character) => {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
        }
        _ => escaped.push(character),
    }
}

/// Controls, line and paragraph separators, bidirectional marks, and characters without a shape.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
