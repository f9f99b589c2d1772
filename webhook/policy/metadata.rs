//! The `# METADATA` comment above a rule's `package`, as OPA defines it, with what we read of
//! its `custom` part: `code`, `needs` and the schema of `parameters`.

use regorus::unstable::Module;
use serde::Deserialize;

use super::{Location, RuleError, parameters::Schema, verdict};

/// What a rule says about itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Metadata {
    pub title: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub custom: Custom,
}

/// What a rule says about itself to us.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Custom {
    /// The reason code of violations that name none.
    pub code: Option<String>,
    pub needs: Option<Needs>,
    /// The shape of `data.parameters`.
    pub parameters: Option<Schema>,
}

/// What must be known of an image before the rule can be content.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Evidence that is there. More of it can only help the image, so a failed lookup of
    /// something else does not matter once the rule is content with what was found.
    Presence,
}

impl Metadata {
    /// Reads the block that ends right above the `package` line of `module`, if there is one.
    ///
    /// # Errors
    /// [`RuleError::At`] for YAML that does not parse and members that are not what they must be.
    pub(super) fn of_package(module: &Module) -> Result<Option<Self>, RuleError> {
        let span = &module.package.span;
        let lines: Vec<&str> =
            span.source.contents().lines().take(span.line.saturating_sub(1) as usize).collect();
        let comment = |line: &&&str| line.starts_with('#');
        let block = lines.len() - lines.iter().rev().take_while(comment).count();
        let Some(title) =
            (block..lines.len()).find(|at| lines.get(*at).is_some_and(|line| is_title(line)))
        else {
            return Ok(None);
        };
        let yaml: Vec<&str> = lines
            .iter()
            .skip(title + 1)
            .map(|line| line.strip_prefix('#').unwrap_or(line))
            .collect();
        let refused = |detail: String| {
            let line = u32::try_from(title + 1).unwrap_or(u32::MAX);
            let at = Location { file: span.source.get_path().clone(), line, column: 1 };
            RuleError::At { at, detail: format!("METADATA: {detail}") }
        };
        let metadata: Self = serde_saphyr::from_str(&yaml.join("\n")).map_err(|error| {
            refused(error.to_string().lines().next().unwrap_or_default().to_owned())
        })?;
        match &metadata.custom.code {
            Some(code) if !verdict::is_code(code) => {
                Err(refused(format!("custom.code `{code}` does not match [a-z0-9.-]+")))
            }
            _ => Ok(Some(metadata)),
        }
    }

    /// Whether the rule declares `custom.needs: presence`.
    pub fn needs_presence(&self) -> bool {
        self.custom.needs == Some(Needs::Presence)
    }
}

/// OPA's own rule: the word alone in a comment.
fn is_title(line: &str) -> bool {
    line.trim_start_matches('#').trim() == "METADATA"
}
