//! `ocibuilder.yaml`: ocibuilder/ocibuilder `pkg/apis/ocibuilder/v1alpha1/types.go`.
//!
//! Only what tells of metadata is read; a file with a `metadata:` block alone will do. Nothing has a
//! default there, and nothing is made up here.

use serde::Deserialize;
use url::Url;

use crate::{
    name::{NoteName, ProjectName, Repository, escape},
    source::Secret,
};

/// What an `ocibuilder.yaml` says of metadata.
#[derive(Debug)]
pub struct OciBuilder {
    /// The Grafeas server.
    pub hostname: Url,
    /// Which occurrences are written.
    pub data: Vec<Kind>,
    /// Where the armored secret key is.
    pub key: KeyPlace,
    /// What unlocks it: often the empty text.
    pub passphrase: Secret,
    /// The project that occurrences are written into.
    pub project: ProjectName,
    /// The notes that they are filed under.
    pub notes: Notes,
    steps: Vec<Step>,
}

/// A kind of occurrence, as `data:` names it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Attestation,
    Build,
    Image,
}

/// Where a key is.
#[derive(Debug)]
pub enum KeyPlace {
    /// In the environment, as armored text.
    Variable(String),
    /// In the file itself.
    Armor(Secret),
    /// Nowhere.
    Nowhere,
}

/// Notes by kind.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct Notes {
    pub attestation: Option<NoteName>,
    pub build: Option<NoteName>,
    pub image: Option<NoteName>,
}

/// One image that ocibuilder builds.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct Step {
    metadata: StepMetadata,
    /// The tag that it is built under.
    pub tag: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
struct StepMetadata {
    name: String,
    creator: Option<String>,
    source: Option<String>,
}

impl Step {
    /// Who is said to have built.
    pub fn creator(&self) -> Option<&str> {
        self.metadata.creator.as_deref().filter(|text| !text.is_empty())
    }

    /// What was built, as the author names it.
    pub fn source(&self) -> Option<&str> {
        self.metadata.source.as_deref().filter(|text| !text.is_empty())
    }
}

/// Why a file cannot be used. The text quotes none of it: keys stand in there.
#[derive(Debug, thiserror::Error)]
pub enum BadOciBuilder {
    #[error("line {0}: this is not as in ocibuilder's metadata; see docs/ocibuilder.md")]
    Shape(u64),
    #[error("has no {0}")]
    Missing(&'static str),
    #[error("metadata.hostname \"{0}\" is no URL, like http://localhost:8080")]
    Hostname(String),
    #[error("metadata.data is empty; write [attestation, build, image], or some of them")]
    Nothing,
}

impl OciBuilder {
    /// Reads the file.
    ///
    /// # Errors
    /// [`BadOciBuilder`] says what is missing.
    pub fn parse(text: &str) -> Result<Self, BadOciBuilder> {
        let options = serde_saphyr::options! { with_snippet: false };
        let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            BadOciBuilder::Shape(error.location().map_or(0, |location| location.line()))
        })?;
        let missing = BadOciBuilder::Missing;
        let metadata = file.metadata.ok_or(missing("metadata: block"))?;
        let hostname = metadata.hostname.ok_or(missing("metadata.hostname"))?;
        let hostname =
            hostname.parse().map_err(|_| BadOciBuilder::Hostname(escape(&hostname, SHOWN)))?;
        let store = metadata.store_config.unwrap_or_default().grafeas;
        let store = store.ok_or(missing("metadata.storeConfig.grafeas"))?;
        let notes = store.notes;
        if metadata.data.is_empty() {
            return Err(BadOciBuilder::Nothing);
        }
        for kind in &metadata.data {
            let (note, name) = match kind {
                Kind::Attestation => {
                    (&notes.attestation, "metadata.storeConfig.grafeas.notes.attestation")
                }
                Kind::Build => (&notes.build, "metadata.storeConfig.grafeas.notes.build"),
                Kind::Image => (&notes.image, "metadata.storeConfig.grafeas.notes.image"),
            };
            note.as_ref().ok_or(missing(name))?;
        }
        let project = store.project.ok_or(missing("metadata.storeConfig.grafeas.project"))?;
        // ocibuilder names it without the collection.
        let project = project.strip_prefix("projects/").unwrap_or(&project).to_owned();
        let project = format!("projects/{project}")
            .parse()
            .map_err(|_| missing("name of a project in metadata.storeConfig.grafeas.project"))?;
        let key = metadata.sign_key.unwrap_or_default();
        Ok(Self {
            hostname,
            data: metadata.data,
            passphrase: key.passphrase.clone(),
            key: key.place(),
            project,
            notes,
            steps: file.build.unwrap_or_default().steps,
        })
    }

    /// What it says of the image of this repository.
    pub fn step(&self, repository: &Repository) -> Step {
        let is_it = |step: &&Step| {
            step.metadata.name.parse::<Repository>().is_ok_and(|name| name == *repository)
        };
        self.steps.iter().find(is_it).cloned().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    build: Option<Build>,
}

#[derive(Default, Deserialize)]
struct Build {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    data: Vec<Kind>,
    #[serde(default)]
    sign_key: Option<SignKey>,
    #[serde(default)]
    store_config: Option<StoreConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SignKey {
    env_private_key: String,
    plain_private_key: Secret,
    passphrase: Secret,
}

impl SignKey {
    fn place(self) -> KeyPlace {
        match (self.env_private_key, self.plain_private_key) {
            (name, _) if !name.is_empty() => KeyPlace::Variable(name),
            (_, armor) if !armor.reveal().is_empty() => KeyPlace::Armor(armor),
            _ => KeyPlace::Nowhere,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoreConfig {
    grafeas: Option<Store>,
}

#[derive(Deserialize)]
struct Store {
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    notes: Notes,
}

/// How much of a wrong text a message shows.
const SHOWN: usize = 200;
