//! What an image's configuration says about running it (OCI image-spec, `config.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Digest;

use super::spelling::CONFIG;

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
    /// It is no JSON, a member is of another type, or a runtime would take one for another.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        CONFIG.check(bytes)?;
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

/// The digests of the layers that a configuration blob is about, each of the unpacked archive, the
/// lowest layer first (`rootfs.diff_ids`).
///
/// ```
/// use countersign::{attest::oci::diff_ids, name::Digest};
///
/// let layer = Digest::sha256(b"");
/// let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#);
/// assert_eq!(diff_ids(config.as_bytes()).unwrap(), [layer]);
/// ```
///
/// # Errors
/// It is no JSON, or names no layers in the one way that there is and that all read alike.
pub fn diff_ids(bytes: &[u8]) -> Result<Vec<Digest>, serde_json::Error> {
    CONFIG.check(bytes)?;
    let built: Built = serde_json::from_slice(bytes)?;
    Ok(built.rootfs.diff_ids)
}

#[derive(Deserialize)]
struct Built {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(rename = "type")]
    _kind: RootFsKind,
    diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
enum RootFsKind {
    #[serde(rename = "layers")]
    Layers,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_a_configuration_says_one_thing_to_every_reader() {
        let layer = Digest::sha256(b"");
        for (name, execution, outside, want) in [
            ("plain", r#""User":"65532""#, "", true),
            ("labels are free", r#""Labels":{"user":"0","config":"x"}"#, "", true),
            ("user in another case", r#""User":"65532","user":"0""#, "", false),
            ("user in another case alone", r#""uSer":"0""#, "", false),
            ("by case folding", r#""U\u017fer":"0""#, "", false),
            ("twice", r#""User":"65532","User":"0""#, "", false),
            ("labels in another case", r#""labels":{"a":"b"}"#, "", false),
            ("another config", "", r#","CONFIG":{"User":"0"}"#, false),
            ("another root", "", r#","rootFS":{"type":"layers","diff_ids":[]}"#, false),
            ("another architecture", "", r#","Architecture":"arm64""#, false),
            ("what nobody reads", r#""Hostname":"x""#, r#","Hostname":1"#, true),
        ] {
            let root = format!(r#"{{"type":"layers","diff_ids":["{layer}"]}}"#);
            let text = format!(r#"{{"config":{{{execution}}},"rootfs":{root}{outside}}}"#);
            assert_eq!(ImageConfig::parse(text.as_bytes()).is_ok(), want, "{name}");
            let once = name == "twice"; // A member that the layers do not hang on.
            assert_eq!(diff_ids(text.as_bytes()).is_ok(), want || once, "{name}, its layers");
        }
    }
}
