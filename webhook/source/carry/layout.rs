//! An image in a layout on disk, and what in that layout hangs on what.
//!
//! Layouts have no list of referrers: whatever their index names is looked at once for its subject.
//! A tag made of a digest, which clients keep in layouts as in registries, works as there.

use std::collections::HashMap;

use super::walk::{Found, Lead};
use crate::{
    attest::oci::{Descriptor, Document},
    name::Digest,
    source::layout::{Layout, LayoutError, LayoutPlace, LayoutRoot},
};

/// An image in a layout that was looked through.
#[derive(Debug)]
pub struct LayoutOrigin {
    layout: Layout,
    root: Descriptor,
    referrers: HashMap<Digest, Vec<Descriptor>>,
    tags: HashMap<String, Descriptor>,
}

impl LayoutOrigin {
    /// # Errors
    /// The layout is none, or has no such image.
    pub(super) fn open(place: &LayoutPlace) -> Result<Self, LayoutError> {
        let (layout, image) = place.open()?;
        let root = layout.root(&image)?.clone();
        let mut referrers: HashMap<Digest, Vec<Descriptor>> = HashMap::new();
        let mut tags = HashMap::new();
        for image in layout.images() {
            let LayoutRoot::Descriptor(descriptor) = &image.root else { continue };
            for name in &image.names {
                let tag = name.rsplit_once([':', '/']).map_or(name.as_str(), |(_, tag)| tag);
                tags.insert(tag.to_owned(), (**descriptor).clone());
            }
            // What cannot be read may have nothing to do with this image.
            let Ok((_, document)) = layout.document(descriptor) else { continue };
            if let Some(subject) = document.subject() {
                let listed = referrers.entry(subject.digest).or_default();
                if listed.iter().all(|known| known.digest != descriptor.digest) {
                    listed.push((**descriptor).clone());
                }
            }
        }
        Ok(Self { layout, root, referrers, tags })
    }

    pub(super) fn root(&self) -> &Descriptor {
        &self.root
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn read(&self, descriptor: &Descriptor) -> Result<Found, LayoutError> {
        let (bytes, document) = self.layout.document(descriptor)?;
        let (digest, media_type) = (descriptor.digest, descriptor.media_type.clone());
        Ok(Found { digest, media_type, bytes, document })
    }

    pub(super) fn evidence(
        &self,
        about: Digest,
        tags: Vec<String>,
    ) -> Result<Vec<Lead>, LayoutError> {
        let mut listed = self.referrers.get(&about).cloned().unwrap_or_default();
        if let Some(list) = self.tags.get(&about.fallback_tag())
            && let Document::Index(index) = self.read(list)?.document
        {
            for other in index.manifests {
                if listed.iter().all(|known| known.digest != other.digest) {
                    listed.push(other);
                }
            }
        }
        let mut leads: Vec<Lead> =
            listed.into_iter().map(|listed| Lead::Referrer { listed, about }).collect();
        for tag in tags {
            if let Some(descriptor) = self.tags.get(&tag) {
                let found = self.read(descriptor)?;
                leads.push(Lead::Tagged { found, tag, about });
            }
        }
        Ok(leads)
    }
}
