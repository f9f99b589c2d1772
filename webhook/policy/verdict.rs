//! What a rule said: violations, read strictly, because what cannot be read must deny.

use std::collections::BTreeSet;

use regorus::Value;

use super::RuleFault;

/// What one rule makes of one input.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    /// Why the images may not run; empty when the rule is content.
    pub deny: Vec<Violation>,
    /// What a person should know, whatever is decided.
    pub warn: Vec<Violation>,
}

/// One complaint of a rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// A reason code, `[a-z0-9.-]+`.
    pub code: String,
    /// The rule's own words, not yet escaped, at most [`Violation::MSG_MAX`] characters; what
    /// stands behind its last `; `, which says what to do, is cut last.
    pub msg: String,
    /// The `path` of the image that it is about; `None` when it is about the whole request.
    pub image: Option<String>,
}

impl Violation {
    /// Characters of a message that are kept.
    pub const MSG_MAX: usize = 2_000;
    /// Violations that are kept of one rule, beside the first one about each image and the first
    /// one about none in particular: what is left out changes no decision.
    pub const COUNT_MAX: usize = 500;
    const CODE_MAX: usize = 100;

    /// Reads the value of `deny` or `warn` for `input`: a set of strings, which get the rule's own
    /// `code`, or of objects `{code, msg, image}`.
    pub(super) fn read_all(
        value: &Value,
        code: &str,
        input: &Value,
    ) -> Result<Vec<Self>, RuleFault> {
        let items = match value {
            Value::Undefined => return Err(RuleFault::Undefined),
            Value::Set(set) if set.is_empty() => return Ok(Vec::new()),
            Value::Set(set) => set,
            other => return Err(RuleFault::wrong("a set of violations was expected", other)),
        };
        let paths = paths(input);
        let (mut violations, mut about) = (Vec::new(), BTreeSet::new());
        for item in items.iter() {
            let violation = Self::read(item, code, &paths)?;
            // An exception for one image must not swallow the only complaint about another (P12).
            let first = about.insert(violation.image.clone());
            if first || violations.len() < Self::COUNT_MAX {
                violations.push(violation);
            }
        }
        violations.sort();
        Ok(violations)
    }

    fn read(item: &Value, code: &str, paths: &BTreeSet<&str>) -> Result<Self, RuleFault> {
        let object = match item {
            Value::String(msg) => {
                return Ok(Self { code: code.to_owned(), msg: cut(msg), image: None });
            }
            Value::Object(object) => object,
            other => return Err(RuleFault::wrong("a violation is a string or an object", other)),
        };
        let member = |name: &str| object.get(&Value::from(name));
        let msg = match member("msg") {
            Some(Value::String(msg)) => cut(msg),
            Some(other) => return Err(RuleFault::wrong("`msg` is a string", other)),
            None => return Err(RuleFault::wrong("a violation has a `msg`", item)),
        };
        let code = match member("code") {
            Some(Value::String(code)) if is_code(code) => code.to_string(),
            Some(other) => return Err(RuleFault::wrong("`code` matches [a-z0-9.-]+", other)),
            None => code.to_owned(),
        };
        let image = match member("image") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if paths.contains(path.as_ref()) => Some(path.to_string()),
            Some(other) => {
                return Err(RuleFault::wrong(
                    "`image` is the `path` of one of input.images",
                    other,
                ));
            }
        };
        Ok(Self { code, msg, image })
    }
}

/// The paths that a violation may name.
fn paths(input: &Value) -> BTreeSet<&str> {
    let Value::Array(images) = &input["images"] else { return BTreeSet::new() };
    images.iter().filter_map(|image| Some(image["path"].as_string().ok()?.as_ref())).collect()
}

/// Whether `text` may stand where reason codes stand.
pub(super) fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    !text.is_empty() && text.len() <= Violation::CODE_MAX && text.bytes().all(allowed)
}

/// Cuts what is wrong before what to do: who has something long quoted would take the rule's advice
/// away otherwise, and put its own in the place.
fn cut(msg: &str) -> String {
    let Some((what, todo)) = msg.rsplit_once(ADVICE) else {
        return msg.chars().take(Violation::MSG_MAX).collect();
    };
    let todo: String = todo.chars().take(Violation::MSG_MAX / 2).collect();
    let room = Violation::MSG_MAX - ADVICE.len() - todo.chars().count();
    let what: String = what.chars().take(room).collect();
    format!("{what}{ADVICE}{todo}")
}

/// What comes before what to do.
const ADVICE: &str = "; ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_what_is_wrong_is_cut_before_what_to_do() {
        let long = "é".repeat(5_000);
        for (name, msg, what, todo) in [
            ("short", "bad; sign it".to_owned(), 3, Some("sign it")),
            ("long", format!("{long}; sign it"), 1_991, Some("sign it")),
            ("advice within", format!("{long}; run this, {long}; sign it"), 1_991, Some("sign it")),
            ("no advice", long.clone(), 2_000, None),
            ("all of it", format!("{long}; {long}"), 998, Some(&long[..2_000])),
        ] {
            let cut = cut(&msg);
            let parts =
                cut.rsplit_once("; ").map_or((&*cut, None), |(what, todo)| (what, Some(todo)));
            assert_eq!((parts.0.chars().count(), parts.1), (what, todo), "{name}");
        }
    }
}
