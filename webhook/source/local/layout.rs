//! What an image on disk says of itself.

use std::sync::Arc;

use bytes::Bytes;

use super::{LocalImage, LocalPlatform, signed::Found};
use crate::{
    attest::{
        Candidate,
        oci::{Descriptor, Document, Manifest},
    },
    source::{
        ImageError, Layout, LayoutError, LayoutImage,
        evidence::{
            image::{Described, MOST_LISTED},
            index::{Holder, Interest, MOST_STATED, Piece, read},
        },
    },
};

/// Why an image on disk cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The layout is at fault.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The image is.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl Layout {
    /// What `image` is, what its index says of each of its platforms, and what in this layout is
    /// signed about it. Reads files as it goes.
    ///
    /// # Errors
    /// Something is not there, damaged, or too much.
    pub async fn inspect(&self, image: &LayoutImage) -> Result<LocalImage, LocalError> {
        let root = self.root(image)?;
        let (bytes, document) = self.document(root)?;
        let listed: Vec<Descriptor> = match &document {
            Document::Index(index) => index.manifests.iter().take(MOST_LISTED).cloned().collect(),
            Document::Manifest(_) => Vec::new(),
        };
        let top = Arc::new(Described::new(root.digest, &root.media_type, &bytes, document));
        let mut nested = Vec::new();
        for within in top.nested_indexes()? {
            let Some(entry) = listed.iter().find(|entry| entry.digest == within) else { continue };
            let (bytes, document) = self.document(entry)?;
            let described = Described::new(within, &entry.media_type, &bytes, document);
            nested.push(Arc::new(described));
        }
        let runnable = top.runnable(&nested, &[])?;
        let manifests = runnable.iter().map(|child| child.manifest);
        let signed = self.signed(&manifests.chain([root.digest]).collect::<Vec<_>>())?;
        let mut platforms = Vec::new();
        for child in runnable {
            let indexes = std::iter::once(&top).chain(&nested);
            let carriers: Vec<Descriptor> =
                indexes.flat_map(|index| index.carriers(child.manifest)).cloned().collect();
            let embedded =
                read(&InLayout(self), child.manifest, &carriers, &Interest::everything()).await?;
            let levels = [Some(root.digest), child.in_index.then_some(child.manifest)];
            let mut about = Found::default();
            for found in levels.into_iter().flatten().filter_map(|digest| signed.get(&digest)) {
                about.candidates.extend(found.candidates.iter().cloned());
                about.rejected.extend(found.rejected.iter().cloned());
            }
            about.candidates.extend(embedded.signed);
            platforms.push(LocalPlatform {
                platform: child.platform,
                manifest: child.manifest,
                statements: embedded.statements,
                rejected: embedded.rejected,
                candidates: about.candidates,
                unreadable: about.rejected,
                in_index: child.in_index,
            });
        }
        Ok(LocalImage { digest: root.digest, media_type: root.media_type.clone(), platforms })
    }
}

struct InLayout<'a>(&'a Layout);

impl Holder for InLayout<'_> {
    type Error = LayoutError;
    type Signed = Candidate;

    async fn manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, LayoutError> {
        match self.0.document(descriptor) {
            Ok((_, Document::Manifest(manifest))) => Ok(Some(*manifest)),
            Ok(_) | Err(LayoutError::Document { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn blob(&self, descriptor: &Descriptor, cap: u64) -> Result<Bytes, LayoutError> {
        self.0.blob(descriptor, cap)
    }

    async fn open(
        &self,
        _size: usize,
        read: impl FnOnce() -> Piece<Candidate> + Send + 'static,
    ) -> Result<Piece<Candidate>, LayoutError> {
        Ok(read())
    }

    fn reserve(&self, bytes: u64) -> Result<(), LayoutError> {
        // On somebody's own disk, each platform may have as much as an image elsewhere.
        if bytes <= MOST_STATED {
            return Ok(());
        }
        Err(self.0.too_much(MOST_STATED, "bytes of statements about one platform"))
    }

    fn too_much(&self, limit: usize, what: &'static str) -> LayoutError {
        self.0.too_much(limit as u64, what)
    }
}
