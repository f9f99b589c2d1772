//! `countersign metadata get`.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::{
    attest::metadata::MetadataType,
    name::PinnedImage,
    source::{Deadline, Registries},
    verify::Trust,
};

use super::{
    super::{
        Failure,
        arguments::{ImageArgument, PATIENCE, RegistryArguments, TrustArguments},
        output,
    },
    shown::Standing,
};

/// Print metadata of an image
///
/// Prints the bytes of the newest metadata of that type as they were put there, on a terminal with
/// what it would act on spelled out; on stderr, whose they are. With --config or --keyring only what is verified is printed, and nothing else counts.
///
/// Example: countersign metadata get registry.example/acme/shop:1.4 approval --keyring qa.asc
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Get {
    #[command(flatten)]
    image: ImageArgument,
    /// What it is: approval, profile, contact, …
    #[arg(value_name = "TYPE")]
    kind: MetadataType,
    #[command(flatten)]
    trust: TrustArguments,
    /// Read the tag `_manifesto` instead, as Manifesto left it
    #[arg(long, conflicts_with_all = ["config", "keyring"])]
    legacy: bool,
    #[command(flatten)]
    registry: RegistryArguments,
}

impl Get {
    /// Looks it up and prints it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let trust = self.trust.load()?;
        let registries = self.registry.connect([self.image.repository()])?;
        let image = self.image.pinned(&registries).await?;
        let value = if self.legacy {
            self.legacy(&registries, &image).await?
        } else {
            self.newest(&registries, &image, trust.as_deref()).await?
        };
        output::bytes(&value)
            .map_err(|error| Failure::failed("the value cannot be printed", error))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn newest(
        &self,
        registries: &Registries,
        image: &PinnedImage,
        trust: Option<&Trust>,
    ) -> Result<bytes::Bytes, Failure> {
        let deadline = Deadline::after(PATIENCE);
        let (found, _) = registries.metadata(image, deadline).await.map_err(Failure::of)?;
        let mut refused = Vec::new();
        for stored in found.iter().filter(|stored| stored.metadata.kind == self.kind) {
            let standing = Standing::of(stored, trust, registries).await.map_err(Failure::of)?;
            if trust.is_some() && !matches!(standing, Standing::Verified { .. }) {
                let name = format!("{}@{}", image.repository, stored.referrer);
                refused.push(format!("\n  {name}: {}", standing.words()));
                continue;
            }
            output::say(&format!("of {}: {}", stored.metadata.created, standing.words()));
            if stored.metadata.expired(Timestamp::now()) {
                output::say("note: it has expired, and counts no more");
            }
            return registries.metadata_value(stored, deadline).await.map_err(Failure::of);
        }
        let kind = &self.kind;
        Err(Failure::fault(if refused.is_empty() {
            format!("{image} has no metadata of type {kind}")
        } else {
            format!("no metadata of type {kind} of {image} is verified{}", refused.concat())
        }))
    }

    async fn legacy(
        &self,
        registries: &Registries,
        image: &PinnedImage,
    ) -> Result<bytes::Bytes, Failure> {
        let (repository, deadline) = (&image.repository, Deadline::after(PATIENCE));
        let index = registries.manifesto(repository, deadline).await.map_err(Failure::of)?;
        let named = index.of(image.digest).find(|(kind, _)| *kind == self.kind.as_str());
        let Some((_, digest)) = named else {
            let kind = &self.kind;
            return Err(Failure::fault(format!("Manifesto left no {kind} of {image}")));
        };
        output::say("unsigned, as all that Manifesto left");
        registries.manifesto_value(repository, digest, deadline).await.map_err(Failure::of)
    }
}
