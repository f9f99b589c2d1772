//! Which images are signed.

use crate::{
    name::{Digest, ImageRef, PinnedImage, Repository},
    source::{Deadline, Reference, Registries},
};

use super::super::{Failure, arguments::PATIENCE, output};

/// Which images to sign.
#[derive(Debug, clap::Args)]
pub struct ImageArguments {
    /// Images by digest
    #[arg(required = true, value_name = "IMAGE@DIGEST")]
    images: Vec<ImageRef>,
    /// Sign what a tag names at this moment
    #[arg(long)]
    allow_tag: bool,
}

impl ImageArguments {
    /// The repositories that the images lie in.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.images.iter().map(ImageRef::repository)
    }

    /// The images by digest, each once.
    pub async fn pinned(&self, registries: &Registries) -> Result<Vec<PinnedImage>, Failure> {
        let mut pinned = Vec::new();
        for image in &self.images {
            let repository = image.repository().clone();
            let digest = match image.digest() {
                Some(digest) => digest,
                None => self.resolved(image, registries).await?,
            };
            pinned.push(PinnedImage { repository, digest });
        }
        pinned.sort();
        pinned.dedup();
        Ok(pinned)
    }

    /// P14: a tag is refused with what to type instead, unless it is allowed.
    async fn resolved(&self, image: &ImageRef, registries: &Registries) -> Result<Digest, Failure> {
        let tag = Reference::Tag(image.tag().unwrap_or("latest"));
        let manifest = registries.manifest(image.repository(), tag, Deadline::after(PATIENCE));
        let digest = manifest.await.map_err(Failure::of)?.digest;
        if !self.allow_tag {
            return Err(Failure::usage(format!(
                "{} is a tag, which may move; it names {digest} now: sign that with\n  \
                 countersign sign {} …",
                image.as_str(),
                image.with_digest(digest),
            )));
        }
        output::say(&format!("{} is {digest}", image.as_str()));
        Ok(digest)
    }
}
