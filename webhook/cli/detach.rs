//! `countersign detach`: evidence off an image.

use std::{process::ExitCode, sync::Arc};

use crate::{
    name::{Digest, Fingerprint, ImageRef, escape},
    source::{Fit, Graph, Item, Origin, Registries, detach},
};

use super::{Failure, arguments::RegistryArguments, output, place::evidence_type, terminal};

/// Remove evidence from an image
///
/// Lists what would be removed and asks: everything that refers to the image or its platforms and
/// what cosign keeps under its tags, or only what is of a type or by a signer, and what hangs on
/// that. Parts of the image itself stay, the attestations in an index by BuildKit among them. Prints
/// what was removed, a line each.
///
/// The signer is the one that a signature names (OpenPGP issuer, DSSE key id), a claim that is not
/// verified here; give the fingerprint of the subkey, where a subkey signed. Signatures that name no
/// key are left, and so is what holds evidence of others too.
///
/// Example: countersign detach registry.example/acme/shop:1.4 --type vulnerabilities --yes
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Detach {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: ImageRef,
    /// Only evidence of this type: an `artifactType`, a media type of layers, or a predicate type (a
    /// URI or a short name such as `provenance`)
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only what says that this key signed it
    #[arg(long, value_name = "FINGERPRINT")]
    signer: Option<Fingerprint>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    registry: RegistryArguments,
}

impl Detach {
    /// Lists, asks, removes.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let repository = self.image.repository();
        let registries = self.registry.connect([repository])?;
        let image = self.image.clone();
        let origin = Origin::Registry { registries: Arc::clone(&registries), image };
        let graph = Graph::of(&origin, true).await.map_err(Failure::of)?;
        let (chosen, mixed) = self.choose(&graph, &registries).await?;
        for item in &mixed {
            output::say(&format!("left: {}, which holds evidence of others too", line(item)));
        }
        let chosen = graph.with_what_hangs_on(&chosen);
        if chosen.is_empty() {
            output::say(&format!("nothing to remove from {repository}@{}", graph.digest()));
            return Ok(if mixed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        output::say(&format!("from {repository}@{}:", graph.digest()));
        for item in &chosen {
            output::say(&format!("  {}", line(item)));
        }
        if !self.yes && !terminal::confirm(&format!("remove these {}? [y/N] ", chosen.len()))? {
            output::say("nothing was removed");
            return Ok(ExitCode::FAILURE);
        }
        let removed = detach(&registries, repository, &graph, &chosen).await;
        for digest in &removed.gone {
            output::data(&format!("{repository}@{digest}"));
        }
        match removed.error {
            Some(error) => Err(Failure::failed(
                format!("{} of {} removed", removed.gone.len(), chosen.len()),
                error,
            )),
            None if mixed.is_empty() => Ok(ExitCode::SUCCESS),
            None => Ok(ExitCode::FAILURE),
        }
    }

    /// What is asked for as a whole, and what holds something else too.
    async fn choose<'a>(
        &self,
        graph: &'a Graph,
        registries: &Registries,
    ) -> Result<(Vec<Digest>, Vec<&'a Item>), Failure> {
        let kind = self.kind.as_deref().map(evidence_type);
        let (mut chosen, mut mixed) = (Vec::new(), Vec::new());
        for item in graph.evidence() {
            let of_type = kind.as_deref().map_or(Fit::Wholly, |kind| item.fit(kind));
            let by_signer = match &self.signer {
                Some(signer) if of_type != Fit::None => item
                    .fit_signer(registries, self.image.repository(), signer)
                    .await
                    .map_err(Failure::of)?,
                _ => Fit::Wholly,
            };
            match (of_type, by_signer) {
                (Fit::Wholly, Fit::Wholly) => chosen.push(item.digest),
                (Fit::None, _) | (_, Fit::None) => {}
                _ => mixed.push(item),
            }
        }
        Ok((chosen, mixed))
    }
}

/// A piece of evidence, as one line.
fn line(item: &Item) -> String {
    let kind = item.kind().unwrap_or("of no type");
    let mut line = format!("{} {}", item.digest, escape(kind, SHOWN));
    for tag in &item.tags {
        line.push_str(&format!(" (tag {tag})"));
    }
    line
}

/// How much of a type is shown.
const SHOWN: usize = 120;
