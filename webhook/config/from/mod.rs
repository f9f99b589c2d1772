//! Configurations of other tools, carried over into ours.
//!
//! A translation asks of every image what the other tool asked, or more: what cannot be said here
//! becomes a denial, and a remark tells the person so. Where the other tool let in one signed tag
//! and no other, others of that repository come in once they are signed alike, with a remark.

mod containers;
mod draft;
mod kritis;
mod portieris;
mod requirement;

use serde_json::Value;

pub use draft::{Draft, KeyMaterial};

use crate::name::escape;

/// What came of a file.
#[derive(Debug, Default)]
pub struct Translation {
    /// The configuration.
    pub draft: Draft,
    /// What could not be carried over, or not quite, for the person who goes on with it.
    pub remarks: Vec<String>,
}

/// A file from which nothing can be made.
#[derive(Debug, thiserror::Error)]
pub enum BadForeign {
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    #[error(
        "it is none of the files that can be carried over: policy.json of podman and skopeo, \
         resources of Kritis or Portieris"
    )]
    Unknown,
    #[error("{what} is not as its tool would have it: {why}")]
    Shape { what: String, why: String },
}

/// Carries over a `policy.json`, or manifests with resources of Kritis or Portieris; resources of
/// other kinds are passed over with a remark.
///
/// # Errors
/// [`BadForeign`]: the file is none of those, or is damaged.
pub fn from(text: &str) -> Result<Translation, BadForeign> {
    let documents = documents(text)?;
    let mut translation = Translation::default();
    if let [policy] = documents.as_slice()
        && policy.get("default").is_some()
        && policy.get("apiVersion").is_none()
    {
        containers::translate(policy, &mut translation)?;
        return Ok(translation.finished());
    }
    let of = |group: &str| -> Vec<Value> {
        let is = |document: &&Value| {
            let version = document.get("apiVersion").and_then(Value::as_str);
            version.and_then(|version| version.split('/').next()) == Some(group)
        };
        documents.iter().filter(is).cloned().collect()
    };
    let kritis = of("kritis.grafeas.io");
    let portieris: Vec<Value> = portieris::GROUPS.into_iter().flat_map(of).collect();
    if kritis.is_empty() && portieris.is_empty() {
        return Err(BadForeign::Unknown);
    }
    let passed_over = documents.len() - kritis.len() - portieris.len();
    if passed_over > 0 {
        translation.remark(format!("{passed_over} resources of other kinds are passed over"));
    }
    if !kritis.is_empty() {
        kritis::translate(&kritis, &mut translation)?;
    }
    if !portieris.is_empty() {
        portieris::translate(&portieris, &mut translation)?;
    }
    Ok(translation.finished())
}

impl Translation {
    /// Tells the person something, once.
    fn remark(&mut self, text: String) {
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    fn finished(mut self) -> Self {
        self.draft.mark_shared_keys();
        if self.draft.allow_registries() {
            self.remark(
                "any registry may be asked; narrow `registries.allow` to those you use".into(),
            );
        }
        self
    }
}

/// All documents of a file; lists of resources are taken apart.
fn documents(text: &str) -> Result<Vec<Value>, BadForeign> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)
        .map_err(|error| BadForeign::Syntax(escape(&error.to_string(), SHOWN)))?;
    let mut found = Vec::new();
    for document in documents {
        match document {
            Value::Object(mut list) if list.get("kind") == Some(&Value::from("List")) => {
                if let Some(Value::Array(items)) = list.remove("items") {
                    found.extend(items);
                }
            }
            Value::Null => {}
            other => found.push(other),
        }
    }
    Ok(found)
}

/// Reads `value`, which people know as `what`.
fn read<T: for<'de> serde::Deserialize<'de>>(value: &Value, what: &str) -> Result<T, BadForeign> {
    T::deserialize(value).map_err(|error| BadForeign::Shape {
        what: escape(what, SHOWN),
        why: escape(&error.to_string(), SHOWN),
    })
}

/// How much of an outside text is shown.
const SHOWN: usize = 200;
