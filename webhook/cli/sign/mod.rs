//! `countersign sign`: attest what CI built.

mod build;
mod claims;
mod images;
mod report;

use std::process::ExitCode;

use crate::sign::{Destinations, Entry, Publisher};

use super::{
    Failure,
    arguments::{KeyArguments, RegistryArguments, StoreArguments},
    secret,
};

use claims::ClaimArguments;
use images::ImageArguments;
use report::Report;

/// Attest images that this pipeline made
///
/// Signs each image's digest and stores the attestation where the webhook looks: as an occurrence
/// in a Grafeas server (`--store`, `--note`), as a referrer in the image's registry (`--attach`), or
/// both. Prints what was published, a line each. Running it again publishes nothing twice.
///
/// Example: countersign sign registry.example/acme/shop@sha256:3b1c… --key ci.key --attach
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Sign {
    #[command(flatten)]
    images: ImageArguments,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    claims: ClaimArguments,
    /// Push the attestation to the image's registry, as a referrer of the image
    #[arg(long)]
    attach: bool,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    registry: RegistryArguments,
    /// How to print what was published
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// How what was published is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

impl Sign {
    /// Signs and publishes; what is published is printed at once.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        secret::guard()?;
        if !self.attach && self.store.store.is_none() {
            return Err(Failure::usage(
                "nothing says where the attestation goes; give --attach, or --store and --note",
            ));
        }
        let gathered = self.images.gather()?;
        let signers = self.keys.load()?;
        let results = gathered.results.clone();
        let registries = self.registry.connect(gathered.repositories())?;
        let images = gathered.pinned(&registries).await?;
        let store = self.store.connect()?;
        let said = self.claims.said(&results, &images, store.as_ref())?;
        if said.is_signed() && signers.is_empty() {
            return Err(Failure::usage("there is something to sign and no key; give --key"));
        }
        let entries: Vec<Entry> = images.into_iter().map(|image| said.about(image)).collect();
        if let Some(store) = &store {
            let records = entries.iter().flat_map(|entry| &entry.records);
            store.prepare(records, self.store.create_note).await.map_err(Failure::of)?;
        }
        let destinations = Destinations { registries, attach: self.attach, store };
        let publisher =
            Publisher::new(signers, &entries, destinations).await.map_err(Failure::of)?;
        Report::new(self.output, entries.len()).of(&publisher, &entries).await
    }
}
