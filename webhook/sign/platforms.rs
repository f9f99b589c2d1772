//! An image together with the manifests of its platforms, for those who sign each.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::PATIENCE;
use crate::{
    attest::oci::{Descriptor, Document, media_type},
    name::PinnedImage,
    source::{Deadline, FetchError, Reference, Registries},
};

/// Each image and, after an index, what stands in it that can run; indexes in it, for one level,
/// with theirs. Each once, in the order in which they were met.
///
/// # Errors
/// An image cannot be had, or is none.
pub async fn with_platforms(
    registries: &Registries,
    images: impl IntoIterator<Item = PinnedImage>,
) -> Result<Vec<PinnedImage>, Arc<FetchError>> {
    let families: Vec<Vec<PinnedImage>> = stream::iter(images)
        .map(|image| family(registries, image))
        .buffered(AT_ONCE)
        .try_collect()
        .await
        .map_err(Arc::new)?;
    let mut once: Vec<PinnedImage> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    once.extend(families.into_iter().flatten().filter(|image| seen.insert(image.clone())));
    Ok(once)
}

async fn family(
    registries: &Registries,
    image: PinnedImage,
) -> Result<Vec<PinnedImage>, FetchError> {
    let mut family = vec![image.clone()];
    for entry in entries(registries, &image).await? {
        let child = PinnedImage { repository: image.repository.clone(), digest: entry.digest };
        family.push(child.clone());
        if is_index(&entry) {
            for entry in entries(registries, &child).await? {
                let repository = image.repository.clone();
                family.push(PinnedImage { repository, digest: entry.digest });
            }
        }
    }
    Ok(family)
}

/// What of an index can run.
async fn entries(
    registries: &Registries,
    image: &PinnedImage,
) -> Result<Vec<Descriptor>, FetchError> {
    let (at, deadline) = (Reference::Digest(image.digest), Deadline::after(PATIENCE));
    let fetched = registries.manifest(&image.repository, at, deadline).await?;
    let Document::Index(index) = fetched.document()? else { return Ok(Vec::new()) };
    Ok(index.manifests.into_iter().filter(can_run).collect())
}

/// `unknown/unknown` is how `BuildKit` marks attestations.
fn can_run(entry: &Descriptor) -> bool {
    entry
        .platform
        .as_ref()
        .is_none_or(|platform| platform.os != "unknown" || platform.architecture != "unknown")
}

fn is_index(entry: &Descriptor) -> bool {
    [media_type::OCI_INDEX, media_type::DOCKER_INDEX].contains(&entry.media_type.as_str())
}

/// Images that are looked at together.
const AT_ONCE: usize = 16;
