//! `countersign sign`: attest what CI built.

mod claims;
mod images;

use std::process::ExitCode;

use jiff::Timestamp;

use crate::sign::{Destinations, Publication, Publisher, Receipt};

use super::{
    Failure,
    arguments::{KeyArguments, RegistryArguments, StoreArguments},
    output,
};

use claims::ClaimArguments;
use images::ImageArguments;

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

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Sign {
    /// Signs and publishes; what is published is printed at once.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if !self.attach && self.store.store.is_none() {
            return Err(Failure::usage(
                "nothing says where the attestation goes; give --attach, or --store and --note",
            ));
        }
        let gathered = self.images.gather()?;
        let keys = self.keys.load()?;
        let claim = self.claims.claim()?;
        let registries = self.registry.connect(gathered.repositories())?;
        let images = gathered.pinned(&registries).await?;
        let store = self.store.connect().await?;
        let destinations = Destinations { registries, attach: self.attach, store };
        let mut receipts = Vec::new();
        for key in &keys {
            let publisher = Publisher::new(key, std::slice::from_ref(&claim), &destinations)
                .map_err(Failure::of)?;
            for image in &images {
                let now = Timestamp::now();
                let receipt = publisher.publish(image, &claim, now).await.map_err(|error| {
                    Failure::failed(
                        format!("{image} is not attested by {}", key.fingerprint()),
                        error,
                    )
                })?;
                if self.output == Format::Text {
                    print(&receipt);
                }
                receipts.push(receipt);
            }
        }
        if self.output == Format::Json {
            output::json(&receipts)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(receipt: &Receipt) {
    for publication in &receipt.published {
        let (name, unchanged) = match publication {
            Publication::Occurrence { name, unchanged, .. } => (name.clone(), unchanged),
            Publication::Referrer { digest, unchanged, .. } => {
                (format!("{}@{digest}", receipt.image), unchanged)
            }
        };
        if *unchanged {
            output::say(&format!("unchanged: {name}"));
        } else {
            output::data(&name);
        }
    }
}
