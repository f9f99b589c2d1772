//! `countersign metadata import`.

use std::process::ExitCode;

use crate::{
    attest::{manifesto::ManifestoIndex, metadata::MetadataType},
    name::{PinnedImage, escape},
    source::{Deadline, Registries},
};

use super::{
    super::{
        Failure,
        arguments::{ImageArgument, PATIENCE, RegistryArguments},
        output, secret,
    },
    write::{WriteArguments, Writing, media_type},
};

/// Take over what Manifesto kept of an image
///
/// Reads the tag `_manifesto` of the image's repository and puts what it lists of the image beside
/// it, as `put` would. Nobody signed what Manifesto kept: who signs it here vouches for it, so list
/// and read it first (`list --legacy`, `get --legacy`). The tag is left as it is.
///
/// Example: countersign metadata import registry.example/acme/shop:1.4 --key ci.key
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Import {
    #[command(flatten)]
    image: ImageArgument,
    /// Of all images that the tag lists, not only of this one
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    write: WriteArguments,
    #[command(flatten)]
    registry: RegistryArguments,
}

impl Import {
    /// Reads the list, and places what it names. What is wrong with one value does not keep the
    /// others.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        secret::guard()?;
        let repository = self.image.repository();
        let registries = self.registry.connect([repository])?;
        let mut writing = self.write.begin(registries.clone())?;
        let deadline = Deadline::after(PATIENCE);
        let index = registries.manifesto(repository, deadline).await.map_err(Failure::of)?;
        let images: Vec<PinnedImage> = if self.all {
            let pinned = |digest| PinnedImage { repository: repository.clone(), digest };
            index.images().map(pinned).collect()
        } else {
            vec![self.image.pinned(&registries).await?]
        };
        for image in images {
            import(&registries, &index, &image, &mut writing).await;
        }
        writing.finish()
    }
}

async fn import(
    registries: &Registries,
    index: &ManifestoIndex,
    image: &PinnedImage,
    writing: &mut Writing,
) {
    let mut count = 0;
    for (kind, digest) in index.of(image.digest) {
        count += 1;
        let named = escape(kind, 128);
        let kind: MetadataType = match kind.parse() {
            Ok(kind) => kind,
            Err(bad) => {
                writing.fail(&format!("{image}: {bad}"));
                continue;
            }
        };
        let deadline = Deadline::after(PATIENCE);
        let value = match registries.manifesto_value(&image.repository, digest, deadline).await {
            Ok(value) => value,
            Err(error) => {
                writing.fail(&format!("{named} of {image} is not imported: {error}"));
                continue;
            }
        };
        let placed = match media_type(None, &value) {
            Ok(media_type) => {
                let placed = writing.place(image, kind, media_type, value).await;
                placed.map_err(|error| error.to_string())
            }
            Err(why) => Err(why),
        };
        if let Err(why) = placed {
            writing.fail(&format!("{named} of {image} is not imported: {why}"));
        }
    }
    if count == 0 {
        output::say(&format!("Manifesto kept nothing of {image}"));
    }
}
