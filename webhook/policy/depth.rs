//! How deep a text nests, measured before the engine's parser sees it.
//!
//! The parser bounds parentheses and bodies only. It goes down the stack for whatever else nests or
//! follows in a chain (`1 + 1 + …`, `a.b.c…`), and a stack that is used up ends the process. Of a
//! list, set or object it tries the first member twice, so that each level doubles the time.

use std::num::NonZeroU32;

use regorus::unstable::{Lexer, Source, Token, TokenKind};

use super::{Location, RuleError, bundle::RegoFile};

/// Refuses a file that nests deeper than any rule needs to. Mistakes are left to the parser, which
/// tells them better.
///
/// # Errors
/// [`RuleError::At`], with the place where it is too deep.
pub(super) fn check(file: &RegoFile, columns_max: NonZeroU32) -> Result<(), RuleError> {
    let Ok(source) = Source::from_contents(file.path.clone(), file.text.clone()) else {
        return Ok(());
    };
    let mut lexer = Lexer::new(&source);
    lexer.set_max_col(columns_max);
    let mut depth = Depth::default();
    while let Ok(token) = lexer.next_token() {
        if token.0 == TokenKind::Eof {
            break;
        }
        depth.take(&token);
        if let Some(detail) = depth.excess() {
            return Err(RuleError::At { at: Location::of(&token.1), detail });
        }
    }
    Ok(())
}

/// Where in its nesting a text is.
struct Depth {
    /// The brackets that are open, outermost first, below them the file itself.
    levels: Vec<Level>,
    /// What was last: whether an expression goes on behind it, and on which line it stood.
    open_ended: bool,
    after_dot: bool,
    line: u32,
}

#[derive(Default)]
struct Level {
    /// How many operators and selections the expression has so far.
    links: usize,
    /// Whether this is within the first member, which the parser tries twice.
    first: bool,
}

impl Default for Depth {
    fn default() -> Self {
        let levels = vec![Level::default()];
        Self { levels, open_ended: false, after_dot: false, line: 0 }
    }
}

impl Depth {
    fn take(&mut self, Token(kind, span): &Token) {
        let text = span.text();
        let sign = match kind {
            TokenKind::Symbol => Sign::of(text),
            TokenKind::Ident if self.after_dot => Sign::Other,
            TokenKind::Ident => Sign::of_word(text),
            TokenKind::Number if text.starts_with('-') => Sign::Link,
            _ => Sign::Other,
        };
        let begins_anew = span.line != self.line && !self.open_ended && sign != Sign::Link;
        if let Some(level) = self.levels.last_mut() {
            if begins_anew || matches!(sign, Sign::Next | Sign::End) {
                level.links = 0;
            }
            level.links += usize::from(matches!(sign, Sign::Link | Sign::Open));
            level.first &= sign != Sign::Next;
        }
        match sign {
            Sign::Open => self.levels.push(Level { links: 0, first: text != "(" }),
            Sign::Close if self.levels.len() > 1 => drop(self.levels.pop()),
            _ => {}
        }
        self.open_ended = *kind != TokenKind::Number && matches!(sign, Sign::Link | Sign::Open);
        self.after_dot = text == ".";
        self.line = span.line;
    }

    fn excess(&self) -> Option<String> {
        let depth: usize = self.levels.iter().map(|level| level.links + 1).sum();
        let tries = self.levels.iter().filter(|level| level.first).count();
        if depth > DEPTH_MAX {
            Some(format!("expressions nest more than {DEPTH_MAX} deep; give parts a name"))
        } else if tries > FIRSTS_MAX {
            let detail = "lists, sets and objects nest more than";
            Some(format!("{detail} {FIRSTS_MAX} deep; give parts a name, or write them as data"))
        } else {
            None
        }
    }
}

/// What a token does to the depth.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Sign {
    Open,
    Close,
    /// Goes on with the expression before it.
    Link,
    /// Ends an expression; another member or statement follows.
    Next,
    /// Ends an expression.
    End,
    Other,
}

impl Sign {
    fn of(text: &str) -> Self {
        match text {
            "[" | "{" | "(" | "set(" => Self::Open,
            "]" | "}" | ")" => Self::Close,
            "," | ";" => Self::Next,
            ":=" | ":" => Self::End,
            _ => Self::Link,
        }
    }

    fn of_word(text: &str) -> Self {
        match text {
            "in" => Self::Link,
            "as" | "else" | "if" | "not" | "some" | "with" => Self::End,
            _ => Self::Other,
        }
    }
}

/// Levels and links together. Two MiB of stack hold more than that, and of what is longer the
/// engine's machine has too few registers for most.
const DEPTH_MAX: usize = 100;

/// Lists, sets and objects, each the first in the one around it.
const FIRSTS_MAX: usize = 12;
