//! The filters of lists: comparisons joined by AND, OR, NOT and parentheses.
//!
//! The grammar is AIP-160's, in which OR binds more tightly than AND. Only what is stored in a
//! column of its own can be asked for, and every value reaches SQLite as a parameter.

use rusqlite::types::Value as Parameter;

/// A filter as a condition for SQLite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// An expression, `1` where there is no filter.
    pub condition: String,
    /// Values for its question marks, in order.
    pub parameters: Vec<Parameter>,
}

/// Why a filter is refused.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadFilter {
    #[error("filter is longer than {LONGEST} characters")]
    TooLong,
    #[error("filter has more than {MOST_TERMS} comparisons or parentheses")]
    TooMany,
    #[error("filter cannot be read from {0:?} on; expected FIELD=\"value\", AND, OR or NOT")]
    Syntax(String),
    #[error(
        "filter asks for {0:?}; known are resourceUrl, kind, noteProjectId, noteId, noteName, name"
    )]
    Field(String),
}

impl Filter {
    /// Reads a filter; an empty one lets everything through.
    ///
    /// # Errors
    /// [`BadFilter`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        if text.len() > LONGEST {
            return Err(BadFilter::TooLong);
        }
        let mut parser =
            Parser { tokens: tokens(text)?, next: 0, terms: 0, filter: Self::default() };
        if parser.tokens.is_empty() {
            parser.filter.condition.push('1');
        } else {
            parser.conjunction()?;
        }
        match parser.peek() {
            None => Ok(parser.filter),
            Some(_) => Err(parser.unexpected()),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Compare(&'static str),
    Open,
    Close,
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    terms: usize,
    filter: Filter,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self) -> BadFilter {
        BadFilter::Syntax(match self.peek() {
            Some(Token::Word(text) | Token::Text(text)) => text.clone(),
            Some(Token::Compare(sign)) => (*sign).to_owned(),
            Some(Token::Open) => "(".to_owned(),
            Some(Token::Close) => ")".to_owned(),
            None => "the end".to_owned(),
        })
    }

    fn conjunction(&mut self) -> Result<(), BadFilter> {
        self.filter.condition.push('(');
        self.disjunction()?;
        while self.word("AND") {
            self.filter.condition.push_str(" AND ");
            self.disjunction()?;
        }
        self.filter.condition.push(')');
        Ok(())
    }

    fn disjunction(&mut self) -> Result<(), BadFilter> {
        self.filter.condition.push('(');
        self.term()?;
        while self.word("OR") {
            self.filter.condition.push_str(" OR ");
            self.term()?;
        }
        self.filter.condition.push(')');
        Ok(())
    }

    fn term(&mut self) -> Result<(), BadFilter> {
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(BadFilter::TooMany);
        }
        if self.word("NOT") {
            self.filter.condition.push_str("NOT ");
        }
        if self.peek() == Some(&Token::Open) {
            self.next += 1;
            self.conjunction()?;
            return match self.peek() {
                Some(Token::Close) => {
                    self.next += 1;
                    Ok(())
                }
                _ => Err(self.unexpected()),
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<(), BadFilter> {
        let Some(Token::Word(field)) = self.peek().cloned() else { return Err(self.unexpected()) };
        let column = column(&field).ok_or(BadFilter::Field(field))?;
        self.next += 1;
        let Some(Token::Compare(sign)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.next += 1;
        let Some(Token::Text(value) | Token::Word(value)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.take();
        let condition = match sign {
            ":" => format!("instr({column}, ?) > 0"),
            sign => format!("{column} {sign} ?"),
        };
        self.filter.condition.push_str(&condition);
        self.filter.parameters.push(Parameter::Text(value));
        Ok(())
    }
}

/// The column for a field, in the names that clients of Google's and of the open server use.
fn column(field: &str) -> Option<&'static str> {
    Some(match field {
        "resourceUrl" | "resource_url" | "resourceUri" | "resource_uri" | "resource.uri" => "uri",
        "kind" => "kind",
        "noteProjectId" | "note_project_id" => "note_project",
        "noteId" | "note_id" => "note_id",
        "noteName" | "note_name" => "note",
        "name" => "name",
        _ => return None,
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, BadFilter> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ':' => (Token::Compare(":"), 1),
            '=' if rest.starts_with("==") => (Token::Compare("="), 2),
            '=' => (Token::Compare("="), 1),
            '!' if rest.starts_with("!=") => (Token::Compare("<>"), 2),
            '&' if rest.starts_with("&&") => (Token::Word("AND".into()), 2),
            '|' if rest.starts_with("||") => (Token::Word("OR".into()), 2),
            '"' | '\'' => quoted(rest, first)?,
            _ => {
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || "_.-/@".contains(c)))
                    .unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default();
                if word.is_empty() {
                    return Err(BadFilter::Syntax(rest.chars().take(20).collect()));
                }
                (Token::Word(word.to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, with a backslash before quotes and backslashes within, and its length there.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), BadFilter> {
    let mut text = String::new();
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => {
                text.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            _ if character == quote => return Ok((Token::Text(text), at + 1)),
            _ => text.push(character),
        }
    }
    Err(BadFilter::Syntax(rest.chars().take(20).collect()))
}

const LONGEST: usize = 32 * 1024;
const MOST_TERMS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_conditions() {
        let cases = [
            ("", "1", 0),
            (r#"resourceUrl="a""#, "((uri = ?))", 1),
            (r#"resource.uri == "a" AND kind="BUILD""#, "((uri = ?) AND (kind = ?))", 2),
            (
                r#"resourceUrl="a" OR resourceUrl="b" AND kind != BUILD"#,
                "((uri = ? OR uri = ?) AND (kind <> ?))",
                3,
            ),
            (r#"NOT (noteId="x")"#, "((NOT ((note_id = ?))))", 1),
            (r#"resource_uri:"sha256:ab""#, "((instr(uri, ?) > 0))", 1),
        ];
        for (text, condition, parameters) in cases {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.condition, condition, "{text}");
            assert_eq!(filter.parameters.len(), parameters, "{text}");
        }
    }

    #[test]
    fn values_never_reach_the_condition() {
        let filter = Filter::parse(r#"kind="\" OR 1=1 --""#).unwrap();
        assert_eq!(filter.condition, "((kind = ?))");
        assert_eq!(filter.parameters, [Parameter::Text("\" OR 1=1 --".into())]);
    }

    #[test]
    fn other_filters_are_refused() {
        let cases = [
            ("(((", "cannot be read from \"the end\""),
            ("kind", "cannot be read from \"the end\""),
            (r#"kind="a" kind="b""#, "cannot be read from \"kind\""),
            (r#"body="a""#, "asks for \"body\""),
            (r#"kind="a"#, "cannot be read"),
            ("kind=;drop", "cannot be read"),
        ];
        for (text, want) in cases {
            let error = Filter::parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert_eq!(Filter::parse(&"(".repeat(LONGEST)), Err(BadFilter::TooMany));
        assert_eq!(Filter::parse(&"x".repeat(LONGEST + 1)), Err(BadFilter::TooLong));
    }
}
