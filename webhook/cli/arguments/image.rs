//! One image that a command is about, by tag or by digest.

use crate::{
    name::{ImageRef, PinnedImage, Repository},
    source::{Deadline, Reference, Registries},
};

use super::{
    super::{Failure, output},
    PATIENCE,
};

/// The image that the command is about.
#[derive(Debug, clap::Args)]
pub struct ImageArgument {
    /// The image; a tag (`latest` where none is given) stands for what it names now
    image: ImageRef,
}

impl ImageArgument {
    /// Where it lies.
    pub fn repository(&self) -> &Repository {
        self.image.repository()
    }

    /// The image by digest. What a tag was resolved to is told.
    pub async fn pinned(&self, registries: &Registries) -> Result<PinnedImage, Failure> {
        let repository = self.image.repository().clone();
        if let Some(digest) = self.image.digest() {
            return Ok(PinnedImage { repository, digest });
        }
        let name = self.image.tag().unwrap_or("latest");
        let (tag, deadline) = (Reference::Tag(name), Deadline::after(PATIENCE));
        let fetched = registries.manifest(&repository, tag, deadline).await.map_err(Failure::of)?;
        output::say(&format!("{repository}:{name} is {}", fetched.digest));
        Ok(PinnedImage { repository, digest: fetched.digest })
    }
}
