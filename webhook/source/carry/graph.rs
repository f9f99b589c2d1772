//! An image, its parts, and what hangs on them.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use bytes::Bytes;

use super::{
    CarryError, Fit, Origin, kind,
    walk::{self, Found},
};
use crate::{
    attest::oci::{Descriptor, Document},
    name::Digest,
};

/// Everything that belongs to one image, each manifest once.
#[derive(Debug)]
pub struct Graph {
    root: Digest,
    items: Vec<Item>,
    known: HashMap<Digest, usize>,
    /// What was left out, and why.
    pub notes: Vec<Note>,
}

/// One manifest or index.
#[derive(Debug)]
pub struct Item {
    /// Of `bytes`.
    pub digest: Digest,
    /// Its own.
    pub media_type: String,
    /// As they were read, to be passed on.
    pub bytes: Bytes,
    /// What they say.
    pub document: Document,
    /// Whether the image would not be whole without it.
    pub image: bool,
    /// What it was found to be about.
    pub about: Option<Digest>,
    /// Tags made of the digest of what it is about.
    pub tags: Vec<String>,
}

/// Something that was left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// Listed as a referrer, and not there.
    Dangling { listed: Digest, about: Digest },
    /// Listed as a referrer of what it is none of.
    Stranger { listed: Digest, about: Digest },
    /// A layer that registries do not keep, since its license forbids it.
    Foreign { layer: Digest },
}

impl Graph {
    /// The image alone, or with all its evidence.
    ///
    /// # Errors
    /// It is not there, cannot be had in whole, or is larger than any honest one.
    pub async fn of(origin: &Origin, with_evidence: bool) -> Result<Self, CarryError> {
        walk::walk(origin, with_evidence).await
    }

    pub(super) fn new(root: Digest) -> Self {
        Self { root, items: Vec::new(), known: HashMap::new(), notes: Vec::new() }
    }

    /// The digest of the image.
    pub fn digest(&self) -> Digest {
        self.root
    }

    /// All manifests, in the order in which they were found.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What hangs on the image, rather than being a part of it.
    pub fn evidence(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_evidence())
    }

    /// The manifest of this digest.
    pub fn get(&self, digest: Digest) -> Option<&Item> {
        self.known.get(&digest).and_then(|at| self.items.get(*at))
    }

    pub(super) fn get_mut(&mut self, digest: Digest) -> Option<&mut Item> {
        self.known.get(&digest).and_then(|at| self.items.get_mut(*at))
    }

    pub(super) fn add(&mut self, found: Found, image: bool) {
        let Found { digest, media_type, bytes, document } = found;
        self.known.insert(digest, self.items.len());
        let (about, tags) = (None, Vec::new());
        self.items.push(Item { digest, media_type, bytes, document, image, about, tags });
    }

    /// These, and what hangs on them, and what hangs on that; parts of the image are never taken.
    pub fn with_what_hangs_on(&self, chosen: &[Digest]) -> Vec<&Item> {
        let mut taken: HashSet<Digest> = chosen.iter().copied().collect();
        loop {
            let more: Vec<Digest> = self
                .evidence()
                .filter(|item| item.about.is_some_and(|about| taken.contains(&about)))
                .map(|item| item.digest)
                .filter(|digest| !taken.contains(digest))
                .collect();
            if more.is_empty() {
                break;
            }
            taken.extend(more);
        }
        self.evidence().filter(|item| taken.contains(&item.digest)).collect()
    }
}

/// The items in waves, so that each comes after what it is made of and what it is about.
pub(super) fn waves<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Vec<&'a Item>> {
    let mut left: Vec<&Item> = items.into_iter().collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let waiting: HashSet<Digest> = left.iter().map(|item| item.digest).collect();
        let is_ready = |item: &&Item| item.needs().all(|needed| !waiting.contains(&needed));
        let (ready, rest): (Vec<&Item>, Vec<&Item>) = left.iter().partition(|item| is_ready(item));
        if ready.is_empty() {
            // No two manifests can name each other by digest; were it so, no order would be wrong.
            waves.push(rest);
            break;
        }
        waves.push(ready);
        left = rest;
    }
    waves
}

impl Item {
    /// Whether it hangs on the image, rather than being a part of it or of other evidence.
    pub fn is_evidence(&self) -> bool {
        !self.image && self.about.is_some()
    }

    /// How far it is evidence of a type, as it and its layers are labeled.
    pub fn fit(&self, wanted: &str) -> Fit {
        kind::fit(&self.document, wanted)
    }

    /// What to call its type in one word.
    pub fn kind(&self) -> Option<&str> {
        kind::shown(&self.document)
    }

    /// What points to it, with what a list of referrers says of it.
    pub(super) fn descriptor(&self) -> Descriptor {
        let artifact_type = match &self.document {
            _ if self.image => None,
            Document::Manifest(manifest) => manifest.artifact_type.clone(),
            Document::Index(index) => index.artifact_type.clone(),
        };
        let digest = self.digest;
        Descriptor { digest, artifact_type, ..Descriptor::of(&self.media_type, &self.bytes) }
    }

    /// The manifests that it is made of.
    pub(super) fn parts(&self) -> &[Descriptor] {
        match &self.document {
            Document::Manifest(_) => &[],
            Document::Index(index) => &index.manifests,
        }
    }

    /// The blobs that it is made of and that can be had.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, layers) = match &self.document {
            Document::Manifest(manifest) => (Some(&manifest.config), manifest.layers.as_slice()),
            Document::Index(_) => (None, [].as_slice()),
        };
        config.into_iter().chain(layers.iter().filter(|layer| !is_foreign(layer)))
    }

    /// Its layers that no registry keeps.
    pub(super) fn foreign(&self) -> impl Iterator<Item = &Descriptor> {
        let layers = match &self.document {
            Document::Manifest(manifest) => manifest.layers.as_slice(),
            Document::Index(_) => &[],
        };
        layers.iter().filter(|layer| is_foreign(layer))
    }

    fn needs(&self) -> impl Iterator<Item = Digest> {
        let subject = self.document.subject().map(|subject| subject.digest);
        self.parts().iter().map(|part| part.digest).chain(subject)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dangling { listed, about } => {
                write!(
                    out,
                    "left out {listed}: it is listed as a referrer of {about} and not there"
                )
            }
            Self::Stranger { listed, about } => {
                write!(out, "left out {listed}: it is listed as a referrer of {about} and is none")
            }
            Self::Foreign { layer } => {
                write!(
                    out,
                    "left out the layer {layer}: it may not be passed on; its URLs say where it is"
                )
            }
        }
    }
}

/// Layers that may not be passed on, as Windows' base images had them.
fn is_foreign(layer: &Descriptor) -> bool {
    layer.media_type.contains(".nondistributable.") || layer.media_type.contains(".foreign.")
}
