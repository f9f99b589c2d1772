//! `countersign sign`: attest what CI built.

mod build;
mod claims;
mod images;
mod ocibuilder;

use std::{path::PathBuf, process::ExitCode};

use crate::sign::{
    Destinations, Entry, Folder, Publisher, Signer,
    ocibuilder::{Kind, OciBuilder},
    with_platforms,
};

use super::{
    Failure,
    arguments::{FILED, KeyArguments, NOTED, RegistryArguments, STORED, StoreArguments},
    output::{self, Format},
    report::Report,
    secret,
};

use build::RECORDED;
use claims::ClaimArguments;
use images::ImageArguments;

/// Attest images that this pipeline made
///
/// Signs each image's digest and stores the attestation where the webhook looks: as an occurrence
/// in a Grafeas server (`--store`, `--note`), as a referrer in the image's registry (`--attach`), or
/// both. Prints what was published, a line each. Running it again publishes nothing twice.
/// Where key and network are not on one machine, `--output-dir` keeps what was signed for
/// `countersign publish`.
///
/// Example: countersign sign registry.example/acme/shop@sha256:3b1c… --key ci.key --attach
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Sign {
    #[command(flatten, next_help_heading = "Which images")]
    images: ImageArguments,
    #[command(flatten, next_help_heading = "Keys")]
    keys: KeyArguments,
    #[command(flatten, next_help_heading = "What is said of them")]
    claims: ClaimArguments,
    /// Write what ocibuilder wrote, by the `metadata:` block of its file: key, store and notes stand
    /// there
    #[arg(help_heading = "What is said of them", 
        long,
        value_name = "FILE",
        groups = [STORED, NOTED, RECORDED],
        conflicts_with_all = ["predicate", "build", "vulnerabilities", "output_dir", "recursive", "project"],
    )]
    ocibuilder: Option<PathBuf>,
    /// Push the attestation to the image's registry, as a referrer of the image
    #[arg(long, help_heading = PLACES)]
    attach: bool,
    /// Write what was signed into a folder, for `countersign publish` on a machine with the network
    #[arg(long, help_heading = PLACES, value_name = "DIR", group = FILED, conflicts_with_all = ["attach", "store", "recursive"])]
    output_dir: Option<PathBuf>,
    /// Sign each platform of an index too
    #[arg(long, help_heading = "Which images")]
    recursive: bool,
    #[command(flatten, next_help_heading = PLACES)]
    store: StoreArguments,
    #[command(flatten, next_help_heading = "Registries")]
    registry: RegistryArguments,
    /// How to print what was published
    #[arg(short, long, help_heading = PLACES, value_enum, default_value = "text")]
    output: Format,
}

/// Where the help lists what is published, and how.
const PLACES: &str = "Where it goes";

impl Sign {
    /// Signs and publishes; what is published is printed at once.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        secret::guard()?;
        if let Some(file) = &self.ocibuilder {
            return self.like_ocibuilder(&ocibuilder::read(file)?).await;
        }
        if !self.attach && self.store.store.is_none() && self.output_dir.is_none() {
            return Err(Failure::usage(
                "nothing says where the attestation goes; \
                 give --attach, or --store and --note, or --output-dir",
            ));
        }
        let gathered = self.images.gather()?;
        let signers = self.keys.load()?;
        let results = gathered.results.clone();
        let registries = self.registry.connect(gathered.repositories())?;
        let images = gathered.pinned(&registries).await?;
        let images = if self.recursive {
            with_platforms(&registries, images).await.map_err(Failure::of)?
        } else {
            images.into_iter().collect()
        };
        let store = self.store.connect()?;
        let all = images.iter().cloned().collect();
        let filed = store.is_some() || self.output_dir.is_some();
        let said = self.claims.said(&results, &all, filed)?;
        if said.is_signed() && signers.is_empty() {
            return Err(Failure::usage("there is something to sign and no key; give --key"));
        }
        if !said.is_signed() && (self.attach || !signers.is_empty()) {
            output::say(
                "note: nobody signs what is filed here, so nothing is signed or attached; \
                 sign the image in another run",
            );
        }
        let entries: Vec<Entry> = images.into_iter().map(|image| said.about(image)).collect();
        if let Some(store) = &store {
            store.prepare(&entries, self.store.create_note).await.map_err(Failure::of)?;
        }
        let folder = self.output_dir.as_deref().map(Folder::create).transpose();
        let folder = folder.map_err(Failure::of)?;
        let destinations = Destinations { registries, attach: self.attach, store, folder };
        self.publish(signers, entries, destinations).await
    }

    /// What ocibuilder wrote after a build, of an image that was pushed since.
    async fn like_ocibuilder(&self, file: &OciBuilder) -> Result<ExitCode, Failure> {
        self.store.permit(&file.hostname)?;
        let gathered = self.images.gather()?;
        let mut signers = self.keys.load()?;
        if signers.is_empty() && file.data.contains(&Kind::Attestation) {
            signers.push(ocibuilder::signer(file)?);
        }
        let registries = self.registry.connect(gathered.repositories())?;
        let images = gathered.pinned(&registries).await?;
        let store = ocibuilder::store(file, &self.store)?;
        let times = self.claims.build.times();
        let entries =
            ocibuilder::entries(file, &images, times, &self.registry, &registries).await?;
        store.prepare(&entries, self.store.create_note).await.map_err(Failure::of)?;
        let destinations =
            Destinations { registries, attach: self.attach, store: Some(store), folder: None };
        self.publish(signers, entries, destinations).await
    }

    async fn publish(
        &self,
        signers: Vec<Signer>,
        entries: Vec<Entry>,
        destinations: Destinations,
    ) -> Result<ExitCode, Failure> {
        let publisher = Publisher::new(signers, Vec::new(), &entries, destinations)
            .await
            .map_err(Failure::of)?;
        Report::new(self.output, entries.len()).of(&publisher, &entries).await
    }
}
