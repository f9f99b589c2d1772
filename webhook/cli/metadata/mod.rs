//! `countersign metadata`: typed metadata beside an image, in its own registry.

mod delete;
mod get;
mod import;
mod list;
mod put;
mod shown;
mod write;

use std::process::ExitCode;

use super::Failure;

/// Keep typed metadata beside an image: sign-offs, profiles, contacts
///
/// What is signed reaches the rules of the webhook; what is not stays for people.
#[derive(Debug, clap::Subcommand)]
pub enum Metadata {
    Put(put::Put),
    Get(get::Get),
    List(list::List),
    Delete(delete::Delete),
    Import(import::Import),
}

impl Metadata {
    /// Runs the command.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Put(command) => command.run().await,
            Self::Get(command) => command.run().await,
            Self::List(command) => command.run().await,
            Self::Delete(command) => command.run().await,
            Self::Import(command) => command.run().await,
        }
    }
}
