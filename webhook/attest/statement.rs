//! in-toto statements: what is said (the predicate) about which things (the subjects).
//!
//! Specified by in-toto/attestation, `spec/v1/statement.md`; version 0.1 has the same shape.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::json::{BadJson, parse_json};

/// The `_type` that we write; `https://in-toto.io/Statement/v0.1` is read too.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// One statement. Nothing in it is proven; the verifier alone knows who signed it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// A URI, compared byte by byte.
    pub predicate_type: String,
    /// At least one.
    pub subjects: Vec<Subject>,
    /// `{}` where the statement has none.
    pub predicate: Value,
}

/// A thing that a statement is about.
#[derive(Clone, Debug, Deserialize)]
pub struct Subject {
    /// For images the repository, as the signer knew it.
    #[serde(default)]
    pub name: Option<Box<str>>,
    /// Whoever accepts the subject must match each of them.
    #[serde(rename = "digest", default)]
    pub digests: SubjectDigests,
}

/// What a thing hashes to: algorithm and value, in the order of the algorithms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<Box<str>, Box<str>>")]
pub struct SubjectDigests(Box<[(Box<str>, Box<str>)]>);

impl SubjectDigests {
    /// Algorithm and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(algorithm, value)| (&**algorithm, &**value))
    }

    /// Whether nothing tells what the thing is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<Box<str>, Box<str>>> for SubjectDigests {
    fn from(digests: BTreeMap<Box<str>, Box<str>>) -> Self {
        Self(digests.into_iter().collect())
    }
}

/// Why a payload is no statement.
#[derive(Debug, thiserror::Error)]
pub enum BadStatement {
    #[error(transparent)]
    Json(#[from] BadJson),
    #[error("no in-toto statement: {0}")]
    Shape(serde_json::Error),
    #[error("_type {0:?} is no version of the in-toto statement that is read here")]
    Type(String),
    #[error("the statement has {count} subjects, 1 to {MAX_SUBJECTS} are read")]
    Subjects { count: usize },
    #[error("the statement names no predicate type")]
    PredicateType,
}

impl Statement {
    /// Reads a statement. Members that the specification does not know are ignored, as it asks;
    /// a member that appears twice is refused, wherever it stands.
    ///
    /// # Errors
    /// [`BadStatement`] says what is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, BadStatement> {
        let document = parse_json(payload, MAX_SIZE)?;
        let Wire { kind, subject, predicate_type, predicate } =
            serde_json::from_value(document).map_err(BadStatement::Shape)?;
        if kind != STATEMENT_TYPE && kind != "https://in-toto.io/Statement/v0.1" {
            return Err(BadStatement::Type(kind));
        }
        if subject.is_empty() || subject.len() > MAX_SUBJECTS {
            return Err(BadStatement::Subjects { count: subject.len() });
        }
        if predicate_type.is_empty() {
            return Err(BadStatement::PredicateType);
        }
        let predicate = match predicate {
            Value::Null => Value::Object(serde_json::Map::new()),
            predicate => predicate,
        };
        Ok(Self { predicate_type, subjects: subject, predicate })
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

/// The largest statement that is read. Software bills of materials reach some megabytes.
const MAX_SIZE: usize = 8 * 1024 * 1024;

/// Builds name each platform and each tag; none is known to name more.
const MAX_SUBJECTS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_both_versions_and_no_others() {
        let statement = |kind: &str, rest: &str| format!(r#"{{"_type":"{kind}",{rest}}}"#);
        let rest = r#""subject":[{"name":"a.example/b","digest":{"sha256":"00"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"a":1},"x":0"#;
        let v01 = "https://in-toto.io/Statement/v0.1";
        for (name, text, want) in [
            ("v1", statement(STATEMENT_TYPE, rest), None),
            ("v0.1", statement(v01, rest), None),
            ("v2", statement("https://in-toto.io/Statement/v2", rest), Some("no version")),
            ("no type", r#"{"subject":[]}"#.into(), Some("missing field `_type`")),
            (
                "no subject",
                statement(v01, r#""predicateType":"x","subject":[]"#),
                Some("0 subjects"),
            ),
            (
                "subject null",
                statement(v01, r#""predicateType":"x","subject":null"#),
                Some("no in-toto statement"),
            ),
            (
                "no predicate type",
                statement(v01, r#""predicateType":"","subject":[{}]"#),
                Some("names no predicate type"),
            ),
            (
                "predicate twice",
                statement(v01, r#""predicate":1,"predicate":2"#),
                Some("appears twice"),
            ),
            (
                "twice, deep",
                statement(v01, r#""predicate":{"a":{"b":1,"b":1}}"#),
                Some("appears twice"),
            ),
            (
                "digest a list",
                statement(v01, r#""predicateType":"x","subject":[{"digest":{"sha256":[]}}]"#),
                Some("no in-toto statement"),
            ),
            ("simple signing", r#"{"critical":{}}"#.into(), Some("missing field `_type`")),
        ] {
            match (Statement::parse(text.as_bytes()), want) {
                (Ok(statement), None) => {
                    assert_eq!(
                        statement.predicate_type, "https://slsa.dev/provenance/v1",
                        "{name}"
                    );
                    assert_eq!(statement.predicate, serde_json::json!({"a": 1}), "{name}");
                }
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
