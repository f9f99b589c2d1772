//! `countersign metadata list`.

use std::process::ExitCode;

use crate::{
    name::escape,
    source::{Deadline, Registries},
};

use super::{
    super::{
        Failure,
        arguments::{ImageArgument, PATIENCE, RegistryArguments, TrustArguments},
        output::{self, Format},
    },
    shown::{Shown, Standing},
};

/// List the metadata beside an image
///
/// Type, size in bytes, when it was made by its own word, until when it counts, and whose it is.
/// Nothing of that is verified unless --config or --keyring says whom to believe.
///
/// Example: countersign metadata list registry.example/acme/shop:1.4 --keyring qa.asc
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct List {
    #[command(flatten)]
    image: ImageArgument,
    #[command(flatten)]
    trust: TrustArguments,
    /// Read the tag `_manifesto` instead, as Manifesto left it
    #[arg(long, conflicts_with_all = ["config", "keyring"])]
    legacy: bool,
    #[command(flatten)]
    registry: RegistryArguments,
    /// How to print it
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

impl List {
    /// Looks it up and prints it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let trust = self.trust.load()?;
        let registries = self.registry.connect([self.image.repository()])?;
        let image = self.image.pinned(&registries).await?;
        if self.legacy {
            return self.legacy(&registries, image.digest).await;
        }
        let deadline = Deadline::after(PATIENCE);
        let (found, unreadable) =
            registries.metadata(&image, deadline).await.map_err(Failure::of)?;
        let mut rows = Vec::new();
        for stored in &found {
            let standing = Standing::of(stored, trust.as_deref(), &registries).await;
            rows.push(Shown::new(stored, standing.map_err(Failure::of)?));
        }
        for bad in unreadable {
            let why = escape(&bad.why.to_string(), 300);
            output::say(&format!(
                "note: {}@{} is no metadata: {why}",
                image.repository, bad.referrer
            ));
        }
        match self.output {
            Format::Json => output::json(&rows)?,
            Format::Text => {
                let cells: Vec<[String; 5]> = rows.iter().map(Shown::cells).collect();
                table(["TYPE", "SIZE", "CREATED", "EXPIRES", "SIGNER"], &cells);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What Manifesto's list says of the image.
    async fn legacy(
        &self,
        registries: &Registries,
        image: crate::name::Digest,
    ) -> Result<ExitCode, Failure> {
        let deadline = Deadline::after(PATIENCE);
        let index =
            registries.manifesto(self.image.repository(), deadline).await.map_err(Failure::of)?;
        let mut rows = Vec::new();
        for (kind, digest) in index.of(image) {
            rows.push(serde_json::json!({"type": kind, "digest": digest, "status": "unsigned"}));
        }
        match self.output {
            Format::Json => output::json(&rows)?,
            Format::Text => {
                let cell = |(kind, digest): (&str, crate::name::Digest)| {
                    [escape(kind, 128), digest.to_string()]
                };
                table(["TYPE", "DIGEST"], &index.of(image).map(cell).collect::<Vec<_>>());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints rows under their heads, each column as wide as it must be.
fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) {
    if rows.is_empty() {
        output::say("there is none");
        return;
    }
    let heads = heads.map(str::to_owned);
    let lines = || std::iter::once(&heads).chain(rows);
    let widths: Vec<usize> = (0..N)
        .map(|at| lines().filter_map(|row| Some(row.get(at)?.chars().count())).max().unwrap_or(0))
        .collect();
    for row in lines() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        output::data(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
