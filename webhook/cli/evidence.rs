//! `countersign evidence`: the policy input for an image, as JSON.

use std::{path::PathBuf, process::ExitCode};

use crate::{admission::Platforms, policy::Input};

use super::{Failure, asked, local, output, verify};

/// Print what rules get to see of an image
///
/// The policy input for a Pod of that one image, as JSON: what `opa eval --input` takes, and what a
/// rule's test can start from. It says nothing about whether the image would be admitted; that is
/// `countersign verify`.
///
/// Of an image on this machine, what lies in its index, without a configuration: `docker://IMAGE` in
/// the Docker Engine (`DOCKER_HOST`), `oci:FOLDER`, `oci-archive:FILE`, `docker-archive:FILE`, with
/// `:NAME` after it where there are several. No signature is looked at.
///
/// Example: countersign evidence registry.example/acme/shop:1.4 --config countersign.yaml
/// Example: countersign evidence oci-archive:shop.tar
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Evidence {
    /// The image
    image: String,
    /// The webhook's configuration
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    /// The namespace that the image would run in
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

impl Evidence {
    /// Looks everything up and prints it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if local::is_meant(&self.image) {
            return local::evidence(&self.image).await;
        }
        let missing = "an image in a registry is looked at as a webhook would; name its --config";
        let config = self.config.as_deref().ok_or_else(|| Failure::usage(missing))?;
        let gate = verify::gate(config)?;
        let inspection =
            verify::inspect(&gate, &asked::pod_of(&self.image, &self.namespace)).await?;
        let mut parts = Vec::new();
        for (subject, entries) in inspection.subjects.iter().zip(&inspection.judgement.entries) {
            if let Err(obstacle) = &subject.known {
                return Err(Failure::of(obstacle.clone()));
            }
            for entry in entries.iter() {
                let part = entry.part(subject, Platforms::default());
                parts.extend(part.map_err(Failure::of)?);
            }
        }
        let input = Input::new(&inspection.request, &parts).map_err(Failure::of)?;
        output::json(&input)?;
        Ok(ExitCode::SUCCESS)
    }
}
