//! `countersign copy`: an image and its evidence to another place.

use std::{process::ExitCode, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    name::{ImageRef, escape},
    source::{
        Copied, CopiedManifest, CopyOptions, Destination, Graph, Observer, Origin, Registries,
        Step, copy,
    },
};

use super::{
    Failure,
    arguments::RegistryArguments,
    output::{self, Format},
    place::{Place, evidence_type},
};

/// Copy an image with its evidence
///
/// Carries an image, all its platforms, everything that refers to it (and to that), and cosign's
/// tags to another registry or a layout on disk, byte for byte. Blobs that are there are not sent
/// again, so a copy that was broken off goes on when it is run again; the tag comes last. Layers that
/// may not be passed on are left out. Prints what was stored, a line each.
///
/// Images are named as registries name them, or as oci:FOLDER[:NAME] and oci-archive:FILE[:NAME]; an
/// archive is written anew, gathered in FILE.part until it is whole. DEST without a tag takes that of IMAGE.
///
/// Example: countersign copy registry.example/acme/shop:1.4 oci:stick:shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Copy {
    /// The image: a tag, a digest, oci:FOLDER[:NAME] or oci-archive:FILE[:NAME]
    #[arg(value_name = "IMAGE")]
    from: Place,
    /// A repository, with a tag or without, oci:FOLDER[:NAME] or oci-archive:FILE[:NAME]
    #[arg(value_name = "DEST")]
    to: Place,
    /// Copy the image alone, detached from its evidence
    #[arg(long)]
    detach: bool,
    /// Copy evidence of this type alone, to where its image is: an `artifactType`, a media type of
    /// layers, or a predicate type (a URI or a short name such as `provenance`)
    #[arg(long, value_name = "TYPE", conflicts_with = "detach")]
    only: Option<String>,
    #[command(flatten)]
    registry: RegistryArguments,
    /// How to print what was stored
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

impl Copy {
    /// Copies, then prints what there is now.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let repositories = [&self.from, &self.to];
        let repositories = repositories.into_iter().filter_map(Place::repository);
        let registries = self.registry.connect(repositories)?;
        let origin = origin(&self.from, &registries).await?;
        let destination = self.destination(&registries).await?;
        let graph = Graph::of(&origin, !self.detach).await.map_err(Failure::of)?;
        for note in &graph.notes {
            output::say(&note.to_string());
        }
        let options = CopyOptions { only: self.only.as_deref().map(evidence_type), idle: IDLE };
        let progress = ProgressBar::new(0).with_style(style());
        let observer = watch(&progress);
        let outcome = copy(&origin, &graph, &destination, &options, &observer).await;
        progress.finish_and_clear();
        self.print(&outcome.map_err(Failure::of)?)
    }

    async fn destination(&self, registries: &Arc<Registries>) -> Result<Destination, Failure> {
        match &self.to {
            Place::Registry(image) if image.digest().is_some() => Err(Failure::usage(format!(
                "{image} names a digest, and a copy has that of the image; give a repository, with \
                 a tag or without"
            ))),
            Place::Registry(image) => {
                let own = image.written_tag();
                let tag = own.or_else(|| self.from.name().filter(|name| is_tag(name)));
                let (registries, tag) = (Arc::clone(registries), tag.map(str::to_owned));
                Ok(Destination::repository(registries, image.repository().clone(), tag))
            }
            Place::Layout(place) => {
                let name = place.image().or_else(|| self.from.name()).map(str::to_owned);
                if place.is_folder() {
                    return Destination::folder(place, name).await.map_err(Failure::of);
                }
                if place.is_archive() {
                    return Destination::archive(place, name).await.map_err(Failure::of);
                }
                Err(Failure::usage(format!(
                    "{place} would be an archive as Docker's, which holds no evidence; write \
                     oci-archive: instead"
                )))
            }
        }
    }

    fn print(&self, copied: &Copied) -> Result<ExitCode, Failure> {
        let Copied { place, digest, name, named, manifests, blobs } = copied;
        if self.output == Format::Json {
            output::json(copied)?;
        }
        let shown = |one: &&CopiedManifest| one.digest == *digest || one.about.is_some();
        for manifest in manifests.iter().filter(shown) {
            let line = format!("{place}@{}", manifest.digest);
            if manifest.unchanged {
                output::say(&format!("unchanged: {line}"));
            } else if self.output == Format::Text {
                output::data(&line);
            }
        }
        let evidence = manifests.iter().filter(|one| one.about.is_some()).count();
        let mut text = format!(
            "{evidence} pieces of evidence; blobs: {} sent ({} bytes), {} mounted, {} there already",
            blobs.sent, blobs.bytes, blobs.mounted, blobs.present
        );
        if let Some(name) = name {
            let verb = if *named { "is now" } else { "is" };
            text = format!("{:?} {verb} {digest}; {text}", escape(name, NAME));
        }
        output::say(&text);
        if self.only.is_some() && evidence == 0 {
            return Err(Failure::fault(
                "the image has no evidence of this type; `countersign copy` without `--only` copies \
                 all there is",
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Where an image is carried from.
pub async fn origin(place: &Place, registries: &Arc<Registries>) -> Result<Origin, Failure> {
    match place {
        Place::Registry(image) => {
            let (registries, image) = (Arc::clone(registries), image.clone());
            Ok(Origin::Registry { registries, image })
        }
        Place::Layout(place) => Origin::on_disk(place).await.map_err(Failure::of),
    }
}

/// Moves the bar.
fn watch(progress: &ProgressBar) -> Observer {
    let bar = progress.clone();
    Arc::new(move |step| match step {
        Step::Planned(bytes) => bar.set_length(bytes),
        Step::Passed(bytes) => bar.inc(bytes),
        Step::Undone(bytes) => bar.dec(bytes),
    })
}

/// Whether a name, which may be that of a layout, can be a tag.
fn is_tag(name: &str) -> bool {
    format!("x/y:{name}").parse::<ImageRef>().is_ok()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How long a blob may stand still: registries take their time to put a large one away.
const IDLE: Duration = Duration::from_mins(2);

/// How much of a name is shown.
const NAME: usize = 128;
