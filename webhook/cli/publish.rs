//! `countersign publish`: upload what was signed on a machine without the network.

use std::{path::PathBuf, process::ExitCode};

use crate::{
    name::Pattern,
    sign::{Destinations, Entry, Folder, Publisher, Unpacked},
};

use super::{
    Failure,
    arguments::{RegistryArguments, StoreArguments},
    output::{self, Format},
    report::Report,
};

/// Upload what `countersign sign --output-dir` wrote
///
/// Needs no key: it checks each signature with the public half beside it, and that what was signed
/// names the image that it is published for. No note is signed: `--note` says which it is, for
/// records (a build, findings) as `sign` would. Prints what was published, a line each. Running it
/// again publishes nothing twice.
///
/// The folder says which registries are written to. What `docker login` knows of each is used; a user
/// name that is given goes to the one that `--repository` names too.
///
/// Example: countersign publish signed --attach
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Publish {
    /// The folder
    dir: PathBuf,
    /// Push the attestations to the images' registries, as referrers of the images
    #[arg(long)]
    attach: bool,
    /// Repositories that may be published to, like registry.example/acme/**; the folder may name no
    /// others
    #[arg(long, value_name = "PATTERN")]
    repository: Vec<Pattern>,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    registry: RegistryArguments,
    /// How to print what was published
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

impl Publish {
    /// Leaves out what only a store takes.
    fn leave_records(&self, entries: &mut Vec<Entry>) -> Result<(), Failure> {
        let left: usize = entries.iter_mut().map(|entry| entry.records.drain(..).count()).sum();
        entries.retain(|entry| !entry.signed.is_empty());
        let named = self.dir.display();
        if entries.is_empty() {
            return Err(Failure::usage(format!(
                "{named} holds records alone, which go to a store; give --store and --note"
            )));
        }
        if left > 0 {
            output::say(&format!(
                "note: {left} records in {named} go to a store alone, so they are not published; \
                 give --store and --note for them"
            ));
        }
        Ok(())
    }

    /// P9, P14: the folder proves nothing about itself, so where it may send us, and above all a
    /// password, is not for it to say.
    fn permit(&self, entries: &[Entry]) -> Result<(), Failure> {
        let named = self.dir.display();
        for repository in entries.iter().map(|entry| &entry.image.repository) {
            let may = |pattern: &Pattern| pattern.matches(repository);
            if !self.repository.is_empty() && !self.repository.iter().any(may) {
                return Err(Failure::usage(format!(
                    "{named} names {repository}, which none of --repository covers; if it should \
                     be published to, add --repository '{repository}'"
                )));
            }
            let host = repository.host();
            let meant = self.repository.iter().any(|pattern| pattern.host() == host);
            if self.attach && !meant && self.registry.is_login_given() {
                return Err(Failure::usage(format!(
                    "the user name would go to {host}, which nothing but {named} names; if it is \
                     meant for that registry, add --repository '{host}/**', else use `docker login`"
                )));
            }
        }
        Ok(())
    }

    /// Publishes; what is published is printed at once.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if !self.attach && self.store.store.is_none() {
            return Err(Failure::usage(
                "nothing says where the attestations go; give --attach, or --store and --note",
            ));
        }
        let Unpacked { mut entries, keys } = Folder::read(&self.dir).map_err(Failure::of)?;
        if self.store.store.is_none() {
            self.leave_records(&mut entries)?;
        }
        self.permit(&entries)?;
        let attached = entries.iter().filter(|_| self.attach);
        let registries = self.registry.connect(attached.map(|entry| &entry.image.repository))?;
        let store = self.store.connect()?;
        if let Some(store) = &store {
            store.prepare(&entries, self.store.create_note).await.map_err(Failure::of)?;
        }
        let destinations = Destinations { registries, attach: self.attach, store, folder: None };
        let publisher =
            Publisher::new(Vec::new(), keys, &entries, destinations).await.map_err(Failure::of)?;
        Report::new(self.output, entries.len()).of(&publisher, &entries).await
    }
}
