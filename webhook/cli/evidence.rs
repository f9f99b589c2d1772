//! `countersign evidence`: the policy input for an image, as JSON.

use std::{path::PathBuf, process::ExitCode};

use crate::{
    admission::Platforms,
    name::{Repository, escape},
    policy::Input,
};

use super::{Failure, asked, local, output, verify};

/// Print what rules get to see of an image
///
/// The policy input for a Pod of that one image, as JSON: what `opa eval --input` takes, and what a
/// rule's test can start from. It says nothing about whether the image would be admitted; that is
/// `countersign verify`.
///
/// Of an image on this machine, what lies in its index, without a configuration: `docker://IMAGE` in
/// the Docker Engine (`DOCKER_HOST`), `oci:FOLDER`, `oci-archive:FILE`, `docker-archive:FILE`, with
/// `:NAME` after it where there are several. With `--as` and a configuration also what is signed
/// about it there, judged as it would be once the image lies in that repository.
///
/// Example: countersign evidence registry.example/acme/shop:1.4 --config countersign.yaml
/// Example: countersign evidence oci-archive:shop.tar
/// Example: countersign evidence oci:shop --as registry.example/acme/shop --config countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Evidence {
    /// The image
    image: String,
    /// The webhook's configuration
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    /// The repository for which signatures beside an image on this machine are judged
    #[arg(long = "as", value_name = "REPOSITORY", requires = "config")]
    destined: Option<Repository>,
    /// The namespace that the image would run in
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

impl Evidence {
    /// Looks everything up and prints it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if local::is_meant(&self.image) {
            let judge = match (&self.destined, &self.config) {
                (Some(destined), Some(config)) => Some(local::Judge::new(config, destined)?),
                _ => None,
            };
            return local::evidence(&self.image, judge.as_ref()).await;
        }
        if self.destined.is_some() {
            return Err(Failure::usage("--as is for images on this machine; leave it out"));
        }
        let missing = "an image in a registry is looked at as a webhook would; name its --config";
        let config = self.config.as_deref().ok_or_else(|| Failure::usage(missing))?;
        let gate = verify::gate(config)?;
        let inspection =
            verify::inspect(&gate, &asked::pod_of(&self.image, &self.namespace)).await?;
        let mut parts = Vec::new();
        for (subject, entries) in inspection.subjects.iter().zip(&inspection.judgement.entries) {
            if subject.reference.is_some() && subject.policies.is_empty() {
                return Err(Failure::usage(format!(
                    "no policy applies to {} in namespace {}, so a webhook would not look it up; name another --namespace",
                    escape(&self.image, SHOWN),
                    escape(&self.namespace, SHOWN),
                )));
            }
            if let Err(obstacle) = &subject.known {
                let todo = obstacle.todo.iter().map(|todo| format!("; {todo}"));
                return Err(Failure::fault(format!("{obstacle}{}", todo.collect::<String>())));
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

/// How much is told of what was typed.
const SHOWN: usize = 600;
