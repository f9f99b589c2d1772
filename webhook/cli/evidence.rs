//! `countersign evidence`: the policy input for an image, as JSON.

use std::{path::PathBuf, process::ExitCode};

use crate::{admission::Platforms, policy::Input};

use super::{Failure, asked, output, verify};

/// Print what rules get to see of an image
///
/// The policy input for a Pod of that one image, as JSON: what `opa eval --input` takes, and what a
/// rule's test can start from. It says nothing about whether the image would be admitted; that is
/// `countersign verify`.
///
/// Example: countersign evidence registry.example/acme/shop:1.4 --config countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Evidence {
    /// The image
    image: String,
    /// The webhook's configuration
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,
    /// The namespace that the image would run in
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

impl Evidence {
    /// Looks everything up and prints it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let gate = verify::gate(&self.config)?;
        let inspection =
            verify::inspect(&gate, &asked::pod_of(&self.image, &self.namespace)).await?;
        let mut parts = Vec::new();
        for (subject, entries) in inspection.subjects.iter().zip(&inspection.judgement.entries) {
            if let Err(obstacle) = &subject.known {
                return Err(Failure::of(obstacle.clone()));
            }
            for entry in entries {
                let part = entry.part(subject, Platforms::default());
                parts.extend(part.map_err(Failure::of)?);
            }
        }
        let input = Input::new(&inspection.request, &parts).map_err(Failure::of)?;
        output::json(&input)?;
        Ok(ExitCode::SUCCESS)
    }
}
