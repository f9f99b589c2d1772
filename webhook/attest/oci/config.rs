//! What an image's configuration says about running it (OCI image-spec, `config.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The parts of a configuration that rules read, under the names that they read them by.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ImageConfig {
    /// Who runs in it; empty for root.
    pub user: String,
    /// Variables; the last value of a name counts.
    pub env: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// Its arguments.
    pub cmd: Vec<String>,
}

impl ImageConfig {
    /// Reads a configuration blob. Members that are absent or null are empty.
    ///
    /// ```
    /// use countersign::attest::oci::ImageConfig;
    ///
    /// let read = ImageConfig::parse(br#"{"config":{"User":"65532","Env":["A=b=c"]}}"#).unwrap();
    /// assert_eq!((read.user.as_str(), read.env["A"].as_str()), ("65532", "b=c"));
    /// ```
    ///
    /// # Errors
    /// It is no JSON, or a member is of another type.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(bytes)?;
        let execution = document.config.unwrap_or_default();
        let variables = execution.env.unwrap_or_default();
        let env = variables.into_iter().map(|variable| match variable.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (variable, String::new()),
        });
        Ok(Self {
            user: execution.user.unwrap_or_default(),
            env: env.collect(),
            labels: execution.labels.unwrap_or_default(),
            entrypoint: execution.entrypoint.unwrap_or_default(),
            cmd: execution.cmd.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
struct Document {
    config: Option<Execution>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    user: Option<String>,
    env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
}
