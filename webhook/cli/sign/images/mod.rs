//! Which images are signed.

mod folder;
mod layout;
mod paste;

use std::{collections::BTreeSet, env, path::PathBuf, str::FromStr, sync::Arc};

use crate::{
    name::{BadReference, Digest, ImageRef, Pattern, PinnedImage, Repository},
    sign::{
        build::{Origin, is_revision, source_uri},
        images::{self, BadInput, Found, Named, Place},
    },
    source::{BadLayoutPlace, Deadline, LayoutPlace, Reference, Registries},
};

use super::super::{Failure, arguments::PATIENCE, output};

/// Which images to sign.
#[derive(Debug, clap::Args)]
pub struct ImageArguments {
    /// Images by digest, or on disk: oci:DIR, oci-archive:FILE, docker-archive:FILE, each with :NAME
    /// where there are several; `-` reads images by digest from stdin, one a line
    #[arg(
        required_unless_present_any = ["outputs", "results", "metadata_file"],
        value_name = "IMAGE@DIGEST|oci:DIR|-"
    )]
    images: Vec<Asked>,
    /// Sign what a tag names at this moment
    #[arg(long)]
    allow_tag: bool,
    /// A folder of files with {"image": …, "digest": …}, written by steps that pushed the images
    #[arg(long, value_name = "DIR", requires = "repository")]
    outputs: Option<PathBuf>,
    /// A folder of Tekton results: `IMAGE_URL` with `IMAGE_DIGEST`, `IMAGES`, `ARTIFACT_OUTPUTS`
    #[arg(long, value_name = "DIR", requires = "repository")]
    results: Option<PathBuf>,
    /// What `docker buildx build --metadata-file` or `docker buildx bake` wrote
    #[arg(long, value_name = "FILE", requires = "repository")]
    metadata_file: Vec<PathBuf>,
    /// The repository that images on disk will be pushed to, instead of the one that they name
    #[arg(long = "as", value_name = "REPOSITORY")]
    pushed_as: Option<Repository>,
    /// Repositories that may be signed, like registry.example/acme/**; files may name no others
    #[arg(long, value_name = "PATTERN")]
    repository: Vec<Pattern>,
}

/// One image on the command line.
#[derive(Clone, Debug)]
enum Asked {
    Stdin,
    Layout(LayoutPlace),
    Image(ImageRef),
}

impl FromStr for Asked {
    type Err = BadAsked;

    fn from_str(text: &str) -> Result<Self, BadAsked> {
        Ok(match text {
            "-" => Self::Stdin,
            _ if LayoutPlace::is_meant(text) => Self::Layout(text.parse()?),
            _ => Self::Image(text.parse()?),
        })
    }
}

/// What names no image.
#[derive(Debug, thiserror::Error)]
enum BadAsked {
    #[error(transparent)]
    Image(#[from] BadReference),
    #[error(transparent)]
    Layout(#[from] BadLayoutPlace),
}

/// What command line, files and stdin name, before anything was asked over the network.
#[derive(Debug)]
pub struct Gathered<'a> {
    arguments: &'a ImageArguments,
    named: Vec<Named>,
    tags: Vec<&'a ImageRef>,
    /// What Tekton results say of the source.
    pub results: Origin,
}

impl ImageArguments {
    /// Reads all files. One mistake in any of them and nothing is signed.
    pub fn gather(&self) -> Result<Gathered<'_>, Failure> {
        let mut gathered = Gathered {
            arguments: self,
            named: Vec::new(),
            tags: Vec::new(),
            results: Origin::default(),
        };
        let typed: Arc<str> = "the command line".into();
        for asked in &self.images {
            match asked {
                Asked::Stdin if self.repository.is_empty() => {
                    return Err(Failure::usage(
                        "images from stdin need --repository PATTERN, which says what may be signed",
                    ));
                }
                Asked::Stdin => {
                    let (file, bytes) = folder::stdin()?;
                    gathered.named.extend(images::listed(&file, &bytes).map_err(wrong)?);
                }
                Asked::Layout(place) if self.pushed_as.is_none() && self.repository.is_empty() => {
                    return Err(Failure::usage(format!(
                        "{place} needs --as REPOSITORY, where it will be pushed to, or \
                         --repository PATTERN, which says what its own name may be"
                    )));
                }
                Asked::Layout(place) => {
                    gathered.named.extend(layout::named(place, self.pushed_as.as_ref())?);
                }
                Asked::Image(image) if image.digest().is_none() => gathered.tags.push(image),
                Asked::Image(image) => gathered
                    .named
                    .push(Named::new(image.as_str(), None, Place::of(&typed)).map_err(wrong)?),
            }
        }
        for file in &self.metadata_file {
            let (file, bytes) = folder::file(file)?;
            gathered.add(images::metadata(&file, &bytes).map_err(wrong)?);
        }
        if let Some(outputs) = &self.outputs {
            for (_, (file, bytes)) in folder::folder(outputs, |_| true)? {
                gathered.named.extend(images::outputs(&file, &bytes).map_err(wrong)?);
            }
        }
        if let Some(results) = &self.results {
            let files = folder::folder(results, images::is_hint)?;
            let results = images::results(&files.into_iter().collect()).map_err(wrong)?;
            gathered.add(results.found);
            gathered.results.source = results.source.as_deref().and_then(source_uri);
            gathered.results.revision = results.revision.filter(|text| is_revision(text));
        }
        if gathered.named.is_empty() && gathered.tags.is_empty() {
            return Err(Failure::usage(
                "no image is named, so there is nothing to sign; \
                 does the step that builds come before this one?",
            ));
        }
        Ok(gathered)
    }
}

impl Gathered<'_> {
    fn add(&mut self, found: Found) {
        self.named.extend(found.images);
        for skipped in found.skipped {
            output::say(&format!("note: {skipped}"));
        }
    }

    /// The repositories that the images lie in.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        let tags = self.tags.iter().map(|tag| tag.repository());
        self.named.iter().map(Named::repository).chain(tags)
    }

    /// The images by digest, each once.
    pub async fn pinned(
        mut self,
        registries: &Registries,
    ) -> Result<BTreeSet<PinnedImage>, Failure> {
        for tag in &self.tags {
            let digest = self.arguments.resolved(tag, registries).await?;
            let name = tag.with_digest(digest);
            let place = Place::of(&"the command line".into());
            self.named.push(Named::new(&name, None, place).map_err(wrong)?);
        }
        images::choose(&self.named, &self.arguments.repository)
            .map_err(|error| Failure::usage(error.to_string()))
    }
}

impl ImageArguments {
    /// P14: a tag is refused with what to type instead, unless it is allowed.
    async fn resolved(&self, image: &ImageRef, registries: &Registries) -> Result<Digest, Failure> {
        let tag = Reference::Tag(image.tag().unwrap_or("latest"));
        let manifest = registries.manifest(image.repository(), tag, Deadline::after(PATIENCE));
        let digest = manifest.await.map_err(Failure::of)?.digest;
        if !self.allow_tag {
            let command =
                paste::command(env::args_os(), image.as_str(), &image.with_digest(digest));
            return Err(Failure::usage(format!(
                "{} is a tag, which may move; it names {digest} now: sign that with\n  {command}",
                image.as_str(),
            )));
        }
        output::say(&format!("{} is {digest}", image.as_str()));
        Ok(digest)
    }
}

fn wrong(bad: BadInput) -> Failure {
    Failure::usage(bad.to_string())
}
