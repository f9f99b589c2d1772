//! What is recorded of the build.

use std::path::Path;

use jiff::Timestamp;

use crate::{
    name::NoteName,
    sign::{
        build::{
            BuildRecord, Ci, Environment, Given, Material, Observed, Origin, is_revision, read_git,
            source_uri,
        },
        ocibuilder::BuildTimes,
    },
};

use super::super::{arguments::FILED, output};

/// The flags that record a build.
pub const RECORDED: &str = "recorded";

/// A record of the build. What is not given here is taken from the CI's variables, Tekton's
/// results, and the git work tree; what none of them knows is left out.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Build record")]
pub struct BuildArguments {
    /// Sign how the images were built, as SLSA provenance; with --store also a BUILD occurrence
    #[arg(long, group = RECORDED)]
    pub build: bool,
    /// Who built: a URI that rules can ask for
    #[arg(long, value_name = "URI", value_parser = uri, requires = "build")]
    builder_id: Option<String>,
    /// How the record is to be read, if not as countersign's
    #[arg(long, value_name = "URI", value_parser = uri, requires = "build")]
    build_type: Option<String>,
    /// The repository that was built; credentials in it are left out
    #[arg(long, value_name = "URL", value_parser = source, requires = "build")]
    source: Option<String>,
    /// Its commit
    #[arg(long, value_name = "COMMIT", value_parser = revision, requires = "build")]
    revision: Option<String>,
    /// The ref that the commit stood at, like refs/heads/main
    #[arg(long = "ref", value_name = "REF", value_parser = reference, requires = "build")]
    reference: Option<String>,
    /// This run of the builder
    #[arg(long, value_name = "ID", requires = "build")]
    invocation_id: Option<String>,
    /// When the build began, like 2026-11-20T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, requires = RECORDED)]
    started: Option<Timestamp>,
    /// When it ended
    #[arg(long, value_name = "TIME", value_parser = time, requires = RECORDED)]
    finished: Option<Timestamp>,
    /// What whoever started the build chose; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter, requires = "build")]
    parameter: Vec<(String, String)>,
    /// What else went into it; may be repeated
    #[arg(long, value_name = "URI@ALGORITHM:HEX", requires = "build")]
    material: Vec<Material>,
    /// The note of the BUILD occurrence; by default --note's name and `-build`
    #[arg(long, value_name = "projects/P/notes/N", requires_all = ["build", FILED])]
    pub build_note: Option<NoteName>,
}

impl BuildArguments {
    /// When the build ran.
    pub fn times(&self) -> BuildTimes {
        BuildTimes { started: self.started, finished: self.finished }
    }

    /// The record of this build, and on stderr what is open in it.
    pub fn record(&self, results: &Origin) -> BuildRecord {
        let given = Given {
            origin: Origin {
                source: self.source.clone(),
                revision: self.revision.clone(),
                reference: self.reference.clone(),
                path: None,
            },
            builder_id: self.builder_id.clone(),
            build_type: self.build_type.clone(),
            invocation_id: self.invocation_id.clone(),
            started: self.started,
            finished: self.finished,
            parameters: self.parameter.iter().cloned().collect(),
            materials: self.material.clone(),
        };
        let observed = Observed {
            ci: Ci::detect(&Environment::of_this_process()),
            results: results.clone(),
            git: read_git(Path::new(".")),
        };
        let (record, notes) = BuildRecord::new(given, observed);
        for note in notes {
            output::say(&format!("note: {note}"));
        }
        record
    }
}

fn uri(text: &str) -> Result<String, String> {
    let is_uri = url::Url::parse(text).is_ok() && !text.chars().any(char::is_control);
    is_uri.then(|| text.to_owned()).ok_or_else(|| "no URI, like https://ci.example/builder".into())
}

fn source(text: &str) -> Result<String, String> {
    source_uri(text).ok_or_else(|| "no repository, like https://git.example/acme/shop".into())
}

fn revision(text: &str) -> Result<String, String> {
    let whole = is_revision(text).then(|| text.to_owned());
    whole.ok_or_else(|| "no commit of 40 or 64 hex digits; `git rev-parse HEAD` prints one".into())
}

fn reference(text: &str) -> Result<String, String> {
    let is_whole =
        text.starts_with("refs/") && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    is_whole.then(|| text.to_owned()).ok_or_else(|| "no whole ref, like refs/heads/main".into())
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "no time, like 2026-11-20T08:00:00Z".into())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let is_named = !name.is_empty();
    is_named.then(|| (name.to_owned(), value.to_owned())).ok_or_else(|| "no NAME=VALUE".into())
}
