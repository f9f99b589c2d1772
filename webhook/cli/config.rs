//! `countersign config`: is a configuration good, and what may stand in one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use jiff::Timestamp;

use crate::config::{self, Config, ConfigErrors, Purpose, Warning};

use super::{Failure, input, output};

/// See whether a configuration is good, or what may stand in one.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    Check(Check),
    Schema(Schema),
    From(From),
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

/// Carry over the policies of another tool
///
/// Reads podman's policy.json, or manifests with resources of Kritis or Portieris, and prints a
/// configuration. What could not be carried over is said on stderr: it becomes a denial, never
/// an admission. Keys that stand in the file itself are written to `keys/`.
///
/// Example: countersign config from /etc/containers/policy.json > countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct From {
    /// The other tool's file, or `-` for stdin
    file: PathBuf,
}

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
                    let named = file.display();
                    output::say(&match line {
                        0 => format!("warning: {named}: {text}"),
                        _ => format!("warning: {named}:{line}: {text}"),
                    });
                }
            }
            Self::Schema(Schema {}) => output::json(&config::schema())?,
            Self::From(from) => from.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl From {
    fn run(&self) -> Result<(), Failure> {
        let shown = self.file.display();
        let text = input::read_text(&self.file, MOST)
            .map_err(|error| Failure::failed(format!("cannot read {shown}"), error))?;
        let translation = config::from::from(&text)
            .map_err(|error| Failure::usage(format!("{shown} cannot be carried over: {error}")))?;
        let yaml = serde_saphyr::to_string(&translation.draft)
            .map_err(|error| Failure::failed("the configuration does not fit into YAML", error))?;
        for (path, bytes) in &translation.draft.files {
            write_key(Path::new(path), bytes)
                .map_err(|error| Failure::failed(format!("cannot write {path}"), error))?;
            output::say(&format!("wrote {path}"));
        }
        for remark in &translation.remarks {
            output::say(&format!("warning: {remark}"));
        }
        output::data(yaml.trim_end());
        Ok(())
    }
}

/// Most bytes of another tool's file.
const MOST: u64 = 4 * 1024 * 1024;

/// Writes a public key, unless another file stands there.
fn write_key(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && fs::read(path)? == bytes => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A configuration that does not load: exit 2, with every error.
pub fn refused(errors: &ConfigErrors) -> Failure {
    Failure::usage(errors.to_string())
}
