//! `countersign metadata put`.

use std::{path::PathBuf, process::ExitCode};

use crate::attest::metadata::{LARGEST_VALUE, MediaType, MetadataType};

use super::{
    super::{
        Failure,
        arguments::{ImageArgument, RegistryArguments},
        input, secret,
    },
    write::{WriteArguments, media_type},
};

/// Put metadata beside an image
///
/// Stores any file as metadata of some type beside the image, as a referrer in its registry. Signed
/// with --key it reaches the webhook's rules, as far as an authority attests `metadata/<type>`; of
/// each signer its newest counts. Doing it again changes nothing.
///
/// Example: countersign metadata put registry.example/acme/shop:1.4 approval ok.json --key qa.key --expires 720h
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Put {
    #[command(flatten)]
    image: ImageArgument,
    /// What it is: approval, profile, contact, or whatever your own rules read
    #[arg(value_name = "TYPE")]
    kind: MetadataType,
    /// The value, at most 1 MiB; `-` for stdin
    file: PathBuf,
    /// What the bytes are; without it JSON and text are told by looking
    #[arg(long, value_name = "TYPE/SUBTYPE")]
    media_type: Option<MediaType>,
    #[command(flatten)]
    write: WriteArguments,
    #[command(flatten)]
    registry: RegistryArguments,
}

impl Put {
    /// Signs and stores; what is stored is printed.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        secret::guard()?;
        let named = self.file.display();
        let value = input::read(&self.file, LARGEST_VALUE)
            .map_err(|error| Failure::unreadable(format!("cannot read {named}"), error))?;
        let media_type = media_type(self.media_type.as_ref(), &value)
            .map_err(|why| Failure::usage(format!("{named}: {why}")))?;
        let registries = self.registry.connect([self.image.repository()])?;
        let mut writing = self.write.begin(registries.clone())?;
        let image = self.image.pinned(&registries).await?;
        let placed = writing.place(&image, self.kind.clone(), media_type, value.into()).await;
        placed.map_err(|error| {
            Failure::failed(format!("{image} has no metadata {} from here", self.kind), error)
        })?;
        writing.finish()
    }
}
