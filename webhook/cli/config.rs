//! `countersign config`: is a configuration good, and what may stand in one.

use std::{path::PathBuf, process::ExitCode};

use jiff::Timestamp;

use crate::config::{self, Config, ConfigErrors, Purpose, Warning};

use super::{Failure, output};

/// See whether a configuration is good, or what may stand in one.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    Check(Check),
    Schema(Schema),
}

/// Load everything that `serve` would load
///
/// Keys, policies and certificates, too; nobody is contacted. Prints each authority's keys and each
/// rule. Exit 0, or 2: the first error of the file's shape, or all errors of its contents at once.
///
/// Example: countersign config check countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Check {
    /// The configuration
    file: PathBuf,
}

/// Print the JSON Schema of the configuration
///
/// Example: countersign config schema > countersign.schema.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Schema {}

impl ConfigCommand {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Check(Check { file }) => {
                let now = Timestamp::now();
                let report = Config::load(&file, Purpose::Serve)
                    .map_err(|errors| refused(&errors))?
                    .report(now);
                output::data(report.to_string().trim_end());
                for Warning { line, text } in &report.warnings {
                    output::say(&format!("warning: {}:{line}: {text}", file.display()));
                }
            }
            Self::Schema(Schema {}) => output::json(&config::schema())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A configuration that does not load: exit 2, with every error.
pub fn refused(errors: &ConfigErrors) -> Failure {
    Failure::usage(errors.to_string())
}
