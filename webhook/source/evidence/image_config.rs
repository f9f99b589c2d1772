//! The config of a manifest: where it is, and what it says.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    attest::oci::{Descriptor, ImageConfig},
    name::Digest,
};

use super::cache::{Lifetimes, Perishable};

/// The config of a manifest: as much of its descriptor as finds it.
#[derive(Clone, Debug)]
pub struct ConfigDescriptor {
    pub digest: Digest,
    size: u64,
    media_type: Box<str>,
    data: Option<Box<str>>,
}

impl ConfigDescriptor {
    pub fn new(descriptor: Descriptor) -> Self {
        let Descriptor { digest, size, media_type, data, .. } = descriptor;
        Self { digest, size, media_type: media_type.into(), data: data.map(Into::into) }
    }

    /// The descriptor, without what only weighs.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.to_string(),
            digest: self.digest,
            size: self.size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
            data: self.data.as_deref().map(str::to_owned),
        }
    }

    /// Bytes that it points to.
    pub fn weight(&self) -> usize {
        self.media_type.len() + self.data.as_ref().map_or(0, |data| data.len())
    }
}

/// A config that was fetched.
#[derive(Debug)]
pub struct FetchedConfig {
    /// What it says; `None` if it is none.
    pub config: Option<Arc<ImageConfig>>,
    pub looked_up: Instant,
    pub weight: usize,
}

impl Perishable for FetchedConfig {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Lifetimes) -> Duration {
        times.found
    }

    fn weight(&self) -> usize {
        self.weight
    }
}
