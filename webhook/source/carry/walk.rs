//! Finding all that belongs to an image, level by level and within bounds.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::{
    AT_A_TIME, CarryError, Origin,
    graph::{Graph, Note},
};
use crate::{
    attest::oci::{Descriptor, Document},
    name::Digest,
};

/// A manifest as it was read, hashed.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
    pub(super) document: Document,
}

/// What came of reading manifests.
#[derive(Debug, Default)]
struct Read {
    found: Vec<Found>,
    missing: Vec<(Digest, CarryError)>,
}

/// Where something may be that belongs to the image.
#[derive(Debug)]
pub(super) enum Lead {
    /// A part of an index.
    Part { part: Descriptor, image: bool },
    /// In a list of referrers.
    Referrer { listed: Descriptor, about: Digest },
    /// Under a tag made of a digest.
    Tagged { found: Found, tag: String, about: Digest },
}

pub(super) async fn walk(origin: &Origin, with_evidence: bool) -> Result<Graph, CarryError> {
    let root = origin.root().await?;
    let mut walk = Walk { origin, graph: Graph::new(root.digest), manifests: 0, bytes: 0 };
    let mut fresh = vec![root.digest];
    let mut leads = Vec::new();
    walk.weigh(&root)?;
    walk.add(root, true, &mut leads);
    for _ in 0..MOST_LEVELS {
        if with_evidence {
            let mut asked = stream::iter(std::mem::take(&mut fresh))
                .map(|digest| origin.evidence(digest))
                .buffered(AT_A_TIME);
            while let Some(found) = asked.next().await {
                walk.extend(&mut leads, found?)?;
            }
        }
        if leads.is_empty() {
            return Ok(walk.graph);
        }
        fresh = walk.follow(&mut leads).await?;
    }
    Err(walk.too_much(MOST_LEVELS as u64, "levels of evidence on evidence"))
}

struct Walk<'a> {
    origin: &'a Origin,
    graph: Graph,
    manifests: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn extend(&mut self, leads: &mut Vec<Lead>, more: Vec<Lead>) -> Result<(), CarryError> {
        for lead in &more {
            if let Lead::Tagged { found, .. } = lead {
                self.weigh(found)?;
            }
        }
        leads.extend(more);
        if leads.len() > MOST_MANIFESTS {
            return Err(self.too_much(MOST_MANIFESTS as u64, "manifests and evidence"));
        }
        Ok(())
    }

    /// Follows the leads, and leaves those that come of it; the digests of what is new.
    async fn follow(&mut self, leads: &mut Vec<Lead>) -> Result<Vec<Digest>, CarryError> {
        let mut read = self.read(self.wanted(leads)).await?;
        let mut fresh = Vec::new();
        for lead in std::mem::take(leads) {
            fresh.extend(self.settle(lead, &mut read, leads)?);
        }
        Ok(fresh)
    }

    /// What leads point at and nobody has read yet, each once.
    fn wanted(&self, leads: &[Lead]) -> Vec<Descriptor> {
        let mut wanted: Vec<Descriptor> = Vec::new();
        for lead in leads {
            let (Lead::Part { part: at, .. } | Lead::Referrer { listed: at, .. }) = lead else {
                continue;
            };
            if self.graph.get(at.digest).is_none()
                && wanted.iter().all(|known| known.digest != at.digest)
            {
                wanted.push(at.clone());
            }
        }
        wanted
    }

    /// Reads manifests side by side, and keeps apart those that are not there.
    async fn read(&mut self, wanted: Vec<Descriptor>) -> Result<Read, CarryError> {
        let (origin, mut read) = (self.origin, Read::default());
        let mut fetched = stream::iter(wanted)
            .map(async |at| (at.digest, origin.manifest(&at).await))
            .buffered(AT_A_TIME);
        while let Some((digest, outcome)) = fetched.next().await {
            match outcome {
                Ok(one) => {
                    self.weigh(&one)?;
                    read.found.push(one);
                }
                Err(error) if error.is_absence() => read.missing.push((digest, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// Takes in what a lead points at; its digest, if that is new.
    fn settle(
        &mut self,
        lead: Lead,
        read: &mut Read,
        leads: &mut Vec<Lead>,
    ) -> Result<Option<Digest>, CarryError> {
        let (digest, about) = match &lead {
            Lead::Part { part, .. } => (part.digest, None),
            Lead::Referrer { listed, about } => (listed.digest, Some(*about)),
            Lead::Tagged { found, about, .. } => (found.digest, Some(*about)),
        };
        let image = matches!(&lead, Lead::Part { image: true, .. });
        let is_new = self.graph.get(digest).is_none();
        if is_new {
            let found = match &lead {
                Lead::Tagged { found, .. } => Some(found.clone()),
                _ => read.found.iter().find(|one| one.digest == digest).cloned(),
            };
            let Some(found) = found else {
                self.missing(&lead, &mut read.missing)?;
                return Ok(None);
            };
            if let Lead::Referrer { about, .. } = &lead
                && found.document.subject().map(|subject| subject.digest) != Some(*about)
            {
                self.graph.notes.push(Note::Stranger { listed: digest, about: *about });
                return Ok(None);
            }
            self.add(found, image, leads);
        }
        if let Some(item) = self.graph.get_mut(digest) {
            let refers = item.document.subject().map(|subject| subject.digest) == about;
            item.image |= image;
            match lead {
                Lead::Part { .. } => {}
                Lead::Referrer { .. } if refers => item.about = about,
                Lead::Referrer { about, .. } => {
                    self.graph.notes.push(Note::Stranger { listed: digest, about });
                }
                Lead::Tagged { tag, .. } => {
                    item.about = item.about.or(about);
                    item.tags.push(tag);
                }
            }
        }
        Ok(is_new.then_some(digest))
    }

    /// A part must be there; a list may name what is gone.
    fn missing(
        &mut self,
        lead: &Lead,
        missing: &mut Vec<(Digest, CarryError)>,
    ) -> Result<(), CarryError> {
        match lead {
            Lead::Referrer { listed, about } => {
                let (listed, about) = (listed.digest, *about);
                self.graph.notes.push(Note::Dangling { listed, about });
                Ok(())
            }
            Lead::Part { part, .. } => {
                match missing.iter().position(|(digest, _)| *digest == part.digest) {
                    Some(at) => Err(missing.swap_remove(at).1),
                    None => Ok(()),
                }
            }
            Lead::Tagged { .. } => Ok(()),
        }
    }

    /// Takes a manifest in; its parts are leads.
    fn add(&mut self, found: Found, image: bool, leads: &mut Vec<Lead>) {
        let digest = found.digest;
        self.graph.add(found, image);
        let Some(item) = self.graph.get(digest) else { return };
        leads.extend(item.parts().iter().map(|part| Lead::Part { part: part.clone(), image }));
        let foreign: Vec<Note> =
            item.foreign().map(|layer| Note::Foreign { layer: layer.digest }).collect();
        self.graph.notes.extend(foreign);
    }

    /// Counts what is kept in memory.
    fn weigh(&mut self, found: &Found) -> Result<(), CarryError> {
        self.manifests += 1;
        self.bytes += found.bytes.len() as u64;
        if self.manifests > MOST_MANIFESTS {
            return Err(self.too_much(MOST_MANIFESTS as u64, "manifests and evidence"));
        }
        if self.bytes > MOST_BYTES {
            return Err(self.too_much(MOST_BYTES, "bytes of manifests"));
        }
        Ok(())
    }

    fn too_much(&self, limit: u64, what: &'static str) -> CarryError {
        CarryError::TooMuch { image: self.graph.digest().to_string(), limit, what }
    }
}

/// Indexes in indexes and evidence on evidence, as deep as people nest them and some more.
const MOST_LEVELS: usize = 12;

/// Manifests of one image with its evidence.
const MOST_MANIFESTS: usize = 2048;

/// Bytes of all of them, which stay in memory.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
