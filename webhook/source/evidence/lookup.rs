//! Asking one source about one digest, and checking the signatures of what it has.

use std::{
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{
    attest::{
        Candidate, Signed,
        buildkit::EmbeddedStatement,
        oci::{Descriptor, ImageConfig},
        sources::{INDEX, LOOKASIDE, REFERRERS, TAGS},
    },
    name::{Digest, PinnedImage, Repository},
    source::{
        Deadline, FetchError, GrafeasStore, MissingParent, Peer, Reference, Registries, SMALL,
        landed,
    },
    verify::{Attests, Opened, Rejection, Trust},
};

use super::{
    allowance::Allowance,
    answer::Answer,
    image::Described,
    image_config::{ConfigDescriptor, FetchedConfig},
    index::{self, InRegistry},
    opener::Opener,
    query::Query,
    queue::Queue,
    referrers, tags,
};

/// What a lookup is about.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Key {
    pub place: Place,
    /// Shared by all that is kept of the image.
    pub image: Arc<PinnedImage>,
}

/// Where to look.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// A Grafeas server, by its number in the configuration.
    Store(usize),
    /// What refers to the digest in its own registry.
    Referrers,
    /// The tags beside it under which cosign keeps signatures and attestations.
    Tags,
    /// Where podman keeps signatures.
    Lookaside,
    /// The index that is asked about, for what it says of this one of its manifests.
    Index(Arc<Digest>),
}

/// Everything that can be asked, and what is looked for.
pub struct Sources {
    registries: Arc<Registries>,
    stores: Vec<Arc<GrafeasStore>>,
    query: Arc<Query>,
    attests_image_ids: bool,
    places: Vec<(Place, Arc<str>)>,
    patience: Duration,
    queue: Queue,
}

/// What a source has.
#[derive(Debug, Default)]
pub struct Findings {
    /// With its signatures checked.
    pub opened: Vec<Opened>,
    /// Whose signatures are still to be checked.
    pub candidates: Vec<Candidate>,
    pub unreadable: Vec<Rejection>,
    pub records: Vec<(&'static str, Value)>,
    pub statements: Vec<EmbeddedStatement>,
    pub missing: Vec<MissingParent>,
}

impl Findings {
    /// Adds what another part of the same source has.
    pub fn take(&mut self, part: Self) {
        self.opened.extend(part.opened);
        self.candidates.extend(part.candidates);
        self.unreadable.extend(part.unreadable);
        self.records.extend(part.records);
        self.statements.extend(part.statements);
        self.missing.extend(part.missing);
    }
}

impl Sources {
    /// Works out from the trust which places and notes can matter at all.
    pub fn new(
        registries: Arc<Registries>,
        stores: Vec<Arc<GrafeasStore>>,
        trust: Arc<Trust>,
        patience: Duration,
        reads_statements: bool,
    ) -> Self {
        let mut places: Vec<(Place, Arc<str>)> = stores
            .iter()
            .enumerate()
            .map(|(number, store)| (Place::Store(number), store.name().into()))
            .collect();
        let authorities = trust.authorities();
        places.push((Place::Referrers, REFERRERS.into()));
        if authorities.iter().any(|authority| authority.takes_from(TAGS)) {
            places.push((Place::Tags, TAGS.into()));
        }
        places.push((Place::Lookaside, LOOKASIDE.into()));
        let attests_image_ids =
            authorities.iter().any(|authority| authority.attests.contains(&Attests::ImageId));
        let query = Arc::new(Query::new(trust, reads_statements));
        let queue = Queue::new(opener_threads());
        Self { registries, stores, query, attests_image_ids, places, patience, queue }
    }

    /// What is looked for.
    pub fn query(&self) -> &Arc<Query> {
        &self.query
    }

    /// Whether both ask the same servers by the same clients.
    pub fn ask_the_same(&self, other: &Self) -> bool {
        let mut stores = self.stores.iter().zip(&other.stores);
        Arc::ptr_eq(&self.registries, &other.registries)
            && self.stores.len() == other.stores.len()
            && stores.all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// All places, with the names that policies know them by.
    pub fn places(&self) -> &[(Place, Arc<str>)] {
        &self.places
    }

    /// The places that may have something about images of `repository`.
    pub fn places_for(&self, repository: &Repository) -> impl Iterator<Item = &(Place, Arc<str>)> {
        let lookaside = self.registries.has_lookaside(repository);
        self.places.iter().filter(move |(place, _)| *place != Place::Lookaside || lookaside)
    }

    /// The names of all sources.
    pub fn names(&self) -> impl Iterator<Item = Arc<str>> {
        let index = self.reads_indexes().then(|| INDEX.into());
        self.places.iter().map(|(_, name)| Arc::clone(name)).chain(index)
    }

    /// Whether anything inside an index can count or be read by a rule.
    pub fn reads_indexes(&self) -> bool {
        self.query.interest.exists()
    }

    /// Whether a signature over an image ID can count.
    pub fn attests_image_ids(&self) -> bool {
        self.attests_image_ids
    }

    /// What a tag points at now.
    pub async fn resolve(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Described, FetchError> {
        self.fetch(repository, Reference::Tag(tag)).await
    }

    /// What the digest of `image` is.
    pub async fn describe(&self, image: &PinnedImage) -> Result<Described, FetchError> {
        self.fetch(&image.repository, Reference::Digest(image.digest)).await
    }

    /// The config of a manifest; `None` where the blob is no config.
    pub async fn image_config(
        &self,
        repository: &Repository,
        config: &ConfigDescriptor,
    ) -> Result<FetchedConfig, FetchError> {
        let deadline = Deadline::after(self.patience);
        let looked_up = Instant::now();
        let config = config.descriptor();
        let blob = self.registries.blob(repository, &config, LARGEST_CONFIG, deadline).await?;
        let weight = blob.len() * 2;
        let config = ImageConfig::parse(&blob).ok().map(Arc::new);
        Ok(FetchedConfig { config, looked_up, weight })
    }

    /// What one place has about one digest.
    pub async fn look_up(&self, key: &Key) -> Result<Answer, FetchError> {
        let (looked_up, deadline) = (Instant::now(), Deadline::after(self.patience));
        let opener = self.opener(key, deadline);
        let findings = match &key.place {
            Place::Store(number) => self.ask_store(*number, key, deadline).await?,
            Place::Referrers => {
                referrers::ask(&self.registries, key, self.query.takes, &opener).await?
            }
            Place::Tags => tags::ask(&self.registries, key, &opener).await?,
            Place::Lookaside => self.ask_lookaside(key, deadline).await?,
            Place::Index(_) => Findings::default(),
        };
        self.answer(findings, &opener, looked_up).await
    }

    /// What an index says of its manifest `platform`, in those of its entries that carry it.
    pub async fn look_inside(
        &self,
        key: &Key,
        platform: Digest,
        carriers: &[Descriptor],
        stated: &Allowance,
    ) -> Result<Answer, FetchError> {
        let looked_up = Instant::now();
        let opener = self.opener(key, Deadline::after(self.patience));
        let holder = InRegistry {
            registries: &self.registries,
            repository: &key.image.repository,
            opener: &opener,
            stated,
            manifests: Mutex::default(),
        };
        let found = index::read(&holder, platform, carriers, &self.query.interest).await?;
        let findings = Findings {
            opened: found.signed,
            unreadable: found.rejected,
            statements: found.statements,
            ..Findings::default()
        };
        self.answer(findings, &opener, looked_up).await
    }

    async fn answer(
        &self,
        mut findings: Findings,
        opener: &Opener,
        looked_up: Instant,
    ) -> Result<Answer, FetchError> {
        let mut opened = std::mem::take(&mut findings.opened);
        opened.extend(opener.open_all(std::mem::take(&mut findings.candidates)).await?);
        Ok(Answer::new(looked_up, opened, findings, Arc::clone(&self.query)))
    }

    fn opener(&self, key: &Key, deadline: Deadline) -> Opener {
        Opener {
            trust: Arc::clone(&self.query.trust),
            queue: self.queue.clone(),
            image: Arc::clone(&key.image),
            peer: self.peer(key),
            deadline,
            checks: AtomicUsize::new(0),
        }
    }

    async fn fetch(
        &self,
        repository: &Repository,
        reference: Reference<'_>,
    ) -> Result<Described, FetchError> {
        let deadline = Deadline::after(self.patience);
        let fetched = self.registries.manifest(repository, reference, deadline).await?;
        let size = fetched.bytes.len();
        let read = move || {
            let document = fetched.document()?;
            Ok(Described::new(fetched.digest, &fetched.media_type, &fetched.bytes, document))
        };
        if size <= SMALL {
            return read();
        }
        let Some(turn) = self.queue.turn(repository, size, deadline).await else {
            return Err(FetchError::Crowded(Peer::Registry(repository.host().into())));
        };
        let reading = spawn_blocking(move || {
            let _turn = turn;
            read()
        });
        landed(reading).await
    }

    async fn ask_store(
        &self,
        number: usize,
        key: &Key,
        deadline: Deadline,
    ) -> Result<Findings, FetchError> {
        let Some(store) = self.stores.get(number) else { return Ok(Findings::default()) };
        let notes = &self.query.notes;
        let found =
            store.occurrences(&key.image.repository, &[key.image.digest], notes, deadline).await?;
        Ok(Findings {
            candidates: found.candidates,
            unreadable: found.unreadable,
            records: found.records,
            missing: found.missing,
            ..Findings::default()
        })
    }

    async fn ask_lookaside(&self, key: &Key, deadline: Deadline) -> Result<Findings, FetchError> {
        let signatures =
            self.registries.signatures(&key.image.repository, key.image.digest, deadline).await?;
        let source: Arc<str> = LOOKASIDE.into();
        let candidates = signatures
            .into_iter()
            .enumerate()
            .map(|(number, signature)| {
                let name = format!(
                    "{}@{}/signature-{}",
                    key.image.repository,
                    key.image.digest,
                    number + 1
                );
                Candidate::new(Arc::clone(&source), name, Signed::OpenPgpMessage(signature))
            })
            .collect();
        Ok(Findings { candidates, ..Findings::default() })
    }

    fn peer(&self, key: &Key) -> Peer {
        match &key.place {
            Place::Store(number) => {
                Peer::Store(self.stores.get(*number).map_or("", |store| store.name()).into())
            }
            Place::Referrers | Place::Tags | Place::Lookaside | Place::Index(_) => {
                Peer::Registry(key.image.repository.host().into())
            }
        }
    }
}

/// Configs are some kilobytes; the history in them grows with the layers.
pub const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;

/// As many signature checks at a time as there are processors.
fn opener_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
