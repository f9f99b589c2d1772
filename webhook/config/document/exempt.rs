//! The ways past a policy: `exceptions` and `breakGlass`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::At;

/// Images that are let in whatever a policy says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exception {
    /// Exactly these: `repository@digest`.
    pub images: Vec<At<String>>,
    /// Where, `*` for any characters; everywhere if absent.
    pub namespaces: Option<At<Vec<At<String>>>>,
    /// From then on it does not count.
    pub until: At<String>,
    /// Why, for the log.
    pub reason: At<String>,
}

/// Who may let a Pod in by the annotation `countersign.dev/break-glass`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakGlass {
    /// Groups of people.
    pub groups: Vec<String>,
    /// From then on it does not count.
    pub until: At<String>,
}
