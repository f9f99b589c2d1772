//! One file per command.
//!
//! stdout is data, stderr is people. Exit 0: done or allowed; 1: denied or failed; 2: wrong usage
//! or configuration.

mod arguments;
mod asked;
mod config;
mod copy;
mod detach;
mod evidence;
mod input;
mod keys;
mod local;
mod metadata;
mod output;
mod place;
mod policy;
mod publish;
mod report;
mod secret;
mod serve;
mod sign;
mod signals;
mod store;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::serve::LogFormat;

pub use output::Failure;

/// Nothing runs in the cluster that the pipeline did not countersign.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// How log lines look on stderr
    #[arg(long, global = true, default_value = "text", value_name = "text|json")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Verify(verify::Verify),
    Evidence(evidence::Evidence),
    Sign(Box<sign::Sign>),
    Publish(Box<publish::Publish>),
    #[command(subcommand)]
    Metadata(Box<metadata::Metadata>),
    Copy(copy::Copy),
    Detach(detach::Detach),
    Store(store::Store),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Policy(policy::Policy),
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

impl Cli {
    /// Runs the command and says how it ended, as an exit code and, on stderr, in words.
    pub fn run(self) -> ExitCode {
        crate::serve::start_log(self.log_format);
        let outcome = match self.command {
            Command::Serve(command) => block_on(command.run()),
            Command::Verify(command) => block_on(command.run()),
            Command::Evidence(command) => block_on(command.run()),
            Command::Sign(command) => block_on(command.run()),
            Command::Publish(command) => block_on(command.run()),
            Command::Metadata(command) => block_on(command.run()),
            Command::Copy(command) => block_on(command.run()),
            Command::Detach(command) => block_on(command.run()),
            Command::Store(command) => block_on(command.run()),
            Command::Keys(command) => command.run(),
            Command::Policy(command) => command.run(),
            Command::Config(command) => command.run(),
        };
        outcome.unwrap_or_else(Failure::report)
    }
}

fn block_on(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("the async runtime does not start", error))?
        .block_on(command)
}
