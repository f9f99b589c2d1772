//! `countersign metadata delete`.

use std::process::ExitCode;

use crate::{
    attest::{Envelope, metadata::MetadataType},
    source::{Deadline, Deleted, StoredMetadata},
};

use super::{
    super::{
        Failure,
        arguments::{ImageArgument, PATIENCE, RegistryArguments},
        output, terminal,
    },
    shown::Standing,
};

/// Delete metadata of an image
///
/// Deletes all metadata of that type beside the image, or only what a key is said to have signed;
/// asks before it does. Who kept a copy can put it back: what must not count any more is taken back
/// by newer metadata of the same key, or ends by its expiry.
///
/// Example: countersign metadata delete registry.example/acme/shop:1.4 approval --yes
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Delete {
    #[command(flatten)]
    image: ImageArgument,
    /// What it is: approval, profile, contact, …
    #[arg(value_name = "TYPE")]
    kind: MetadataType,
    /// Only what says that this key signed it
    #[arg(long, value_name = "FINGERPRINT")]
    signer: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    registry: RegistryArguments,
}

impl Delete {
    /// Asks, and deletes.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let registries = self.registry.connect([self.image.repository()])?;
        let image = self.image.pinned(&registries).await?;
        let deadline = Deadline::after(PATIENCE);
        let (mut found, _) = registries.metadata(&image, deadline).await.map_err(Failure::of)?;
        found.retain(|stored| self.means(stored));
        if found.is_empty() {
            let kind = &self.kind;
            return Err(Failure::fault(format!("{image} has no such metadata of type {kind}")));
        }
        for stored in &found {
            let standing = Standing::of(stored, None, &registries).await.map_err(Failure::of)?;
            let name = format!("{}@{}", image.repository, stored.referrer);
            output::say(&format!("{name}: of {}, {}", stored.metadata.created, standing.words()));
        }
        if !self.yes && !terminal::confirm(&format!("delete these {}? [y/N] ", found.len()))? {
            output::say("nothing is deleted");
            return Ok(ExitCode::FAILURE);
        }
        let mut refused = false;
        for StoredMetadata { referrer, .. } in &found {
            let (repository, digest) = (&image.repository, image.digest);
            let deadline = Deadline::after(PATIENCE);
            let deleted = registries.delete_referrer(repository, digest, *referrer, deadline).await;
            let name = format!("{repository}@{referrer}");
            match deleted.map_err(Failure::of)? {
                Deleted::Gone => output::data(&name),
                Deleted::Unlisted => {
                    output::data(&name);
                    output::say(&format!("note: the registry deletes nothing: {name} {UNLISTED}"));
                }
                Deleted::Refused => {
                    refused = true;
                    output::say(&format!("error: the registry deletes nothing: {name} {REFUSED}"));
                }
            }
        }
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn means(&self, stored: &StoredMetadata) -> bool {
        let signed_by = |signer: &String| {
            let envelope = stored.envelope.as_ref();
            let mut signatures = envelope.into_iter().flat_map(Envelope::signatures);
            signatures
                .any(|one| one.key_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(signer)))
        };
        stored.metadata.kind == self.kind && self.signer.as_ref().is_none_or(signed_by)
    }
}

const UNLISTED: &str = "is no longer listed, but is still there";

const REFUSED: &str = "stays and counts on; put newer metadata with the same key to take it back, \
    or ask who runs the registry";
