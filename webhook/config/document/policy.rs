//! What must be so of which images: `policies`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::At;

/// Where it applies, what must be so, and what a complaint leads to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// What denials call it.
    pub name: At<String>,
    /// Where it applies; `{}` is everywhere.
    #[serde(rename = "match")]
    pub applies: Match,
    /// All of them must be content.
    #[serde(default)]
    pub rules: Vec<At<Rule>>,
    /// What a complaint leads to.
    pub mode: Mode,
    /// Which digests of an index attestations may be of; `index-or-every` if absent.
    #[serde(default)]
    pub platforms: Platforms,
}

/// Where a policy applies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// Namespaces, `*` for any characters; all if absent.
    pub namespaces: Option<At<Vec<At<String>>>>,
    /// Patterns of repositories; all if absent.
    pub images: Option<At<Vec<At<String>>>>,
}

/// One package of Rego: `use` of the built-in library, or `path` and `package` of your own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The name of a rule of the library.
    #[serde(rename = "use")]
    pub library: Option<At<String>>,
    /// A file, a folder or a bundle (`.tar.gz`).
    pub path: Option<At<String>>,
    /// The package in it.
    pub package: Option<At<String>>,
    /// What the rule finds under `data.parameters`.
    #[serde(default)]
    pub parameters: Option<At<serde_json::Map<String, serde_json::Value>>>,
}

/// What a complaint of a policy leads to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A denial.
    Enforce,
    /// A warning for who asked, and a note in the audit log.
    Warn,
    /// A note in the audit log.
    Audit,
}

/// Which digests attestations of an image with an index may be of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Platforms {
    /// The index that the Pod names.
    Index,
    /// The manifest of every platform.
    Every,
    /// Either.
    #[default]
    IndexOrEvery,
}
