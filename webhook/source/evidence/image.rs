//! What an image is made of: one manifest, or an index of manifests for platforms.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    attest::{
        buildkit::carriers,
        oci::{
            Descriptor, Document, ImageConfig, Platform,
            media_type::{self, DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST},
        },
    },
    name::{Code, Digest},
    source::FetchError,
};

use super::{
    cache::{Lifetimes, Perishable},
    image_config::ConfigDescriptor,
    layers::LayerCheck,
    platform::hosts,
};

/// An image and its platforms that can run.
#[derive(Clone, Debug)]
pub struct Description {
    /// The media type of what the digest names.
    pub media_type: &'static str,
    /// At least one.
    pub platforms: Vec<Runnable>,
    /// The indexes that stand in it, each by its digest and by the other algorithm.
    pub indexes: Vec<(Digest, Digest)>,
}

/// One manifest that a node may come to run.
#[derive(Clone, Debug)]
pub struct Runnable {
    /// For whom, if an index says so.
    pub platform: Option<Platform>,
    /// Whether it stands in an index.
    pub in_index: bool,
    /// The manifest's digest.
    pub manifest: Digest,
    /// The config's digest, which container engines call the image ID.
    pub config: Option<Digest>,
    /// What the image and this manifest hash to, each by its digest and by the other algorithm.
    pub equals: Vec<(Digest, Digest)>,
    /// What the config says, where somebody asked for it.
    pub settings: Option<Arc<ImageConfig>>,
    /// Whether its layers are those that the config names, where somebody asked.
    pub layers: LayerCheck,
}

impl Runnable {
    /// A manifest that an index lists for this platform, before more is known of it.
    pub fn listed(manifest: Digest, platform: Option<Platform>) -> Self {
        Self {
            platform,
            in_index: true,
            manifest,
            config: None,
            equals: Vec::new(),
            settings: None,
            layers: LayerCheck::NotMade,
        }
    }
}

/// Why an image cannot be described.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImageError {
    /// Its registry did not give it.
    #[error(transparent)]
    Fetch(#[from] Arc<FetchError>),
    /// An index without anything for this cluster.
    #[error("it is an index, and nothing in it runs on the platforms of this cluster")]
    NothingRuns,
    /// A config that is no such thing, or two in one.
    #[error(
        "its configuration is not the JSON of one, or has members that runtimes read as others; \
         push it with a client that writes each member once, as OCI spells it"
    )]
    Config,
    /// Indexes within indexes within indexes.
    #[error("its index holds indexes that hold indexes; push it with one level")]
    TooDeep,
    /// A manifest that an index lists as an index: some runtimes go by what it is, and run it.
    #[error(
        "its index calls a manifest an index; push it with a client that lists each entry as what it \
         is"
    )]
    Miscalled,
    /// More entries than are looked at.
    #[error("its index holds more than {0} entries, which is the limit")]
    TooMany(usize),
}

impl ImageError {
    /// The stable reason code.
    pub fn code(&self) -> Code {
        match self {
            Self::Fetch(error) => error.code(),
            Self::NothingRuns | Self::Config | Self::TooDeep | Self::Miscalled => {
                Code::ImageUnsupported
            }
            Self::TooMany(_) => Code::EvidenceTooMuch,
        }
    }
}

/// What is kept of a manifest or index: little, and for long, since a digest never changes its
/// mind.
#[derive(Debug)]
pub struct Described {
    digest: Digest,
    /// The same bytes under the other algorithm, since payloads may name both.
    equal: Digest,
    media_type: &'static str,
    looked_up: Instant,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Manifest {
        config: ConfigDescriptor,
    },
    Index {
        entries: Box<[Entry]>,
        /// Manifests that carry statements, each with the manifest that they are about.
        carriers: Box<[(Digest, Descriptor)]>,
        /// There are more entries than are looked at.
        overlong: bool,
    },
}

#[derive(Debug)]
struct Entry {
    digest: Digest,
    platform: Option<Platform>,
    is_index: bool,
}

impl Described {
    /// Keeps what is needed of `document`, whose `bytes` hash to `digest`.
    pub fn new(digest: Digest, media_type: &str, bytes: &[u8], document: Document) -> Self {
        let equal = match digest {
            Digest::Sha256(_) => Digest::sha512(bytes),
            Digest::Sha512(_) => Digest::sha256(bytes),
        };
        let content = match document {
            Document::Manifest(manifest) => {
                Content::Manifest { config: ConfigDescriptor::new(manifest.config) }
            }
            Document::Index(index) => Content::Index {
                overlong: index.manifests.len() > MOST_LISTED,
                carriers: carriers(&index)
                    .take(MOST_LISTED)
                    .map(|(about, entry)| (about, bare(entry)))
                    .collect(),
                entries: index
                    .manifests
                    .into_iter()
                    .take(MOST_LISTED)
                    .filter(|entry| !cannot_run(entry.platform.as_ref()))
                    .map(|entry| Entry {
                        digest: entry.digest,
                        is_index: [OCI_INDEX, DOCKER_INDEX].contains(&entry.media_type.as_str()),
                        platform: entry.platform,
                    })
                    .collect(),
            },
        };
        let media_type = media_type::of_document(media_type).unwrap_or(match content {
            Content::Manifest { .. } => OCI_MANIFEST,
            Content::Index { .. } => OCI_INDEX,
        });
        Self { digest, equal, media_type, looked_up: Instant::now(), content }
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// That digest, and what it is under the other algorithm.
    pub fn equal(&self) -> (Digest, Digest) {
        (self.digest, self.equal)
    }

    /// Its media type.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The config of a manifest.
    pub fn config(&self) -> Option<&ConfigDescriptor> {
        match &self.content {
            Content::Manifest { config } => Some(config),
            Content::Index { .. } => None,
        }
    }

    /// The indexes in this index.
    ///
    /// # Errors
    /// There are more entries than are looked at.
    pub fn nested_indexes(&self) -> Result<impl Iterator<Item = Digest>, ImageError> {
        let entries = self.entries()?;
        if entries.len() > MOST_ENTRIES {
            return Err(ImageError::TooMany(MOST_ENTRIES));
        }
        Ok(entries.iter().filter(|entry| entry.is_index).map(|entry| entry.digest))
    }

    /// The manifests in this index that carry statements about `manifest`.
    pub fn carriers(&self, manifest: Digest) -> impl Iterator<Item = &Descriptor> {
        let carriers: &[(Digest, Descriptor)] = match &self.content {
            Content::Manifest { .. } => &[],
            Content::Index { carriers, .. } => carriers,
        };
        let about = carriers.iter().filter(move |(about, _)| *about == manifest);
        about.map(|(_, carrier)| carrier)
    }

    /// What of this may run on one of the `cluster`'s platforms, on any where none is named; each
    /// once, however often it is listed.
    ///
    /// # Errors
    /// Nothing may, there is more than is looked at, indexes are nested too deep, or one of the
    /// `nested` is none.
    pub fn runnable(
        &self,
        nested: &[Arc<Self>],
        cluster: &[Platform],
    ) -> Result<Vec<Runnable>, ImageError> {
        if let Content::Manifest { config } = &self.content {
            let alone = Runnable::listed(self.digest, None);
            return Ok(vec![Runnable { in_index: false, config: Some(config.digest), ..alone }]);
        }
        if nested.iter().any(|index| index.config().is_some()) {
            return Err(ImageError::Miscalled);
        }
        let mut runnable: Vec<Runnable> = Vec::new();
        for index in std::iter::once(self).chain(nested.iter().map(AsRef::as_ref)) {
            for entry in index.entries()? {
                if entry.is_index {
                    if index.digest == self.digest {
                        continue;
                    }
                    return Err(ImageError::TooDeep);
                }
                let runs =
                    |platform| cluster.is_empty() || cluster.iter().any(|p| hosts(p, platform));
                let known =
                    |one: &Runnable| one.manifest == entry.digest && one.platform == entry.platform;
                if entry.platform.as_ref().is_none_or(runs) && !runnable.iter().any(known) {
                    if runnable.len() == MOST_ENTRIES {
                        return Err(ImageError::TooMany(MOST_ENTRIES));
                    }
                    runnable.push(Runnable::listed(entry.digest, entry.platform.clone()));
                }
            }
        }
        if runnable.is_empty() { Err(ImageError::NothingRuns) } else { Ok(runnable) }
    }

    /// What the index lists; nothing, where this is none.
    fn entries(&self) -> Result<&[Entry], ImageError> {
        match &self.content {
            Content::Manifest { .. } => Ok(&[]),
            Content::Index { overlong: true, .. } => Err(ImageError::TooMany(MOST_LISTED)),
            Content::Index { entries, .. } => Ok(entries),
        }
    }
}

impl Perishable for Described {
    fn looked_up(&self) -> Instant {
        self.looked_up
    }

    fn believed_for(&self, times: &Lifetimes) -> Duration {
        times.found
    }

    fn weight(&self) -> usize {
        let platform = |platform: &Platform| {
            let Platform { architecture, os, os_version, os_features, variant } = platform;
            let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            let features = os_features.iter().map(|one| size_of::<String>() + one.len());
            architecture.len() + os.len() + of(os_version) + of(variant) + features.sum::<usize>()
        };
        let entry =
            |entry: &Entry| size_of::<Entry>() + entry.platform.as_ref().map_or(0, platform);
        let carrier = |(_, carrier): &(Digest, Descriptor)| {
            size_of::<(Digest, Descriptor)>() + carrier.media_type.len()
        };
        let listed = match &self.content {
            Content::Manifest { config } => config.weight(),
            Content::Index { entries, carriers, .. } => {
                entries.iter().map(entry).sum::<usize>()
                    + carriers.iter().map(carrier).sum::<usize>()
            }
        };
        size_of::<Self>() + listed
    }
}

/// An entry that says of itself that it is for no platform: `BuildKit`'s attestation manifests.
fn cannot_run(platform: Option<&Platform>) -> bool {
    platform.is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown")
}

/// A descriptor without what only weighs.
fn bare(entry: &Descriptor) -> Descriptor {
    Descriptor {
        media_type: entry.media_type.clone(),
        digest: entry.digest,
        size: entry.size,
        artifact_type: None,
        annotations: BTreeMap::new(),
        platform: None,
        data: None,
    }
}

/// An index has an entry or two for each platform that there is.
const MOST_ENTRIES: usize = 64;

/// And some for what is said about each of them. None is passed over: an index with more is
/// refused, or what can run could hide behind what cannot.
pub const MOST_LISTED: usize = 512;
