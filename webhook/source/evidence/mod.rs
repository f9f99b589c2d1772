//! Everything that is known about an image: its platforms, and what each source says of them.
//!
//! One [`Evidence`] belongs to one configuration. It knows which lookups could count at all, asks
//! for them side by side, opens the signatures off the async threads and keeps the answers. What an
//! answer is worth is decided anew for every review: note, scope, identity and validity of keys are
//! never cached.

mod allowance;
mod answer;
mod cache;
mod flight;
mod gathered;
pub(super) mod image;
mod image_config;
pub(super) mod index;
mod kept;
mod layers;
mod lookup;
mod metadata;
mod opener;
mod platform;
mod query;
mod queue;
mod referrers;
mod tags;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    attest::{
        oci::{Descriptor, ImageConfig, Platform},
        sources::INDEX,
    },
    name::{Digest, ImageRef, PinnedImage, Repository},
    source::{FetchError, GrafeasStore, Registries, join_few},
    verify::Trust,
};

pub use answer::{Answer, Answered, Lookup};
pub use cache::Lifetimes;
pub use gathered::Gathered;
pub use image::{Description, ImageError, Runnable};
pub use layers::{KnownLayers, LayerCheck};

use allowance::Allowance;
use flight::Flights;
use image::Described;
use image_config::ConfigDescriptor;
use index::MOST_STATED;
use kept::Kept;
use layers::Comparer;
use lookup::{Key, Place, Sources};

/// What an [`Evidence`] is made of.
pub struct EvidenceOptions {
    /// The registries that may be asked.
    pub registries: Arc<Registries>,
    /// The Grafeas servers, in the order of the configuration.
    pub stores: Vec<Arc<GrafeasStore>>,
    /// Whose signatures are looked for.
    pub trust: Arc<Trust>,
    /// How long answers may be believed.
    pub lifetimes: Lifetimes,
    /// Most bytes that cached answers may hold.
    pub memory: u64,
    /// Longest time for one shared lookup, whoever waits for it.
    pub patience: Duration,
    /// Whether any rule reads the images' configs.
    pub reads_configs: bool,
    /// Whether any rule reads statements that lie in an index, whoever signed it.
    pub reads_statements: bool,
    /// What layers are known to unpack to already.
    pub layers: KnownLayers,
}

/// Looks up, opens and keeps what the sources say about images.
pub struct Evidence {
    shared: Arc<Sources>,
    kept: Kept,
    tags: Flights<Tag, Result<Arc<Described>, Arc<FetchError>>>,
    layers: Arc<Comparer>,
    reads_configs: bool,
}

/// The platforms of an image, each with what every source says of it.
type Platforms = Vec<(Runnable, Vec<Answered>)>;

/// A tag in a repository.
type Tag = (Repository, Box<str>);

impl Evidence {
    /// An empty cache over these sources.
    pub fn new(options: EvidenceOptions) -> Self {
        Self::after(None, options)
    }

    /// Over these sources, with what `earlier` keeps if it asks the very same clients and keeps for
    /// the same times: a change of trust or policy is no reason to fetch everything anew. An answer
    /// that was looked up for less than is looked for now is looked up again.
    pub fn after(earlier: Option<&Self>, options: EvidenceOptions) -> Self {
        let EvidenceOptions { registries, stores, trust, lifetimes, memory, .. } = options;
        let (patience, reads_statements) = (options.patience, options.reads_statements);
        let reads_configs = options.reads_configs;
        let layers = Arc::new(Comparer::new(Arc::clone(&registries), options.layers, lifetimes));
        let shared = Arc::new(Sources::new(registries, stores, trust, patience, reads_statements));
        let earlier = earlier.filter(|last| {
            let alike = last.reads_configs == reads_configs && last.kept.keeps(lifetimes, memory);
            alike && last.shared.ask_the_same(&shared)
        });
        let kept = earlier
            .map_or_else(|| Kept::new(lifetimes, memory, reads_configs), |last| last.kept.clone());
        Self { shared, kept, tags: Flights::new(), layers, reads_configs }
    }

    /// The names of all sources that an answer may come from.
    pub fn sources(&self) -> impl Iterator<Item = Arc<str>> {
        self.shared.names()
    }

    /// The digest that `image` names now: its own, or what its tag points at in its registry,
    /// hashed by us. Tags are never remembered, but who asks while another is being answered
    /// shares the answer.
    ///
    /// # Errors
    /// The registry refused, failed, or sent what is no manifest.
    pub async fn resolve(&self, image: &ImageRef) -> Result<PinnedImage, Arc<FetchError>> {
        if let Some(pinned) = image.pinned() {
            return Ok(pinned);
        }
        let repository = image.repository().clone();
        let wanted: Tag = (repository.clone(), image.tag().unwrap_or("latest").into());
        let shared = Arc::clone(&self.shared);
        let described = self
            .tags
            .join(wanted.clone(), || async move {
                let (repository, tag) = wanted;
                shared.resolve(&repository, &tag).await.map(Arc::new).map_err(Arc::new)
            })
            .await?;
        let pinned = PinnedImage { repository, digest: described.digest() };
        // The manifest came along with the tag; it need not be fetched again by digest.
        self.kept.descriptions.keep(Arc::new(pinned.clone()), described).await;
        Ok(pinned)
    }

    /// What `image` is and what every source says of it and of its platforms that can run.
    ///
    /// Answers looked up before `not_before` are looked up again.
    ///
    /// # Errors
    /// The image itself cannot be described; a source that fails is an [`Answered`] of its own.
    pub async fn gather(
        &self,
        image: &PinnedImage,
        cluster: &[Platform],
        not_before: Option<Instant>,
    ) -> Result<Gathered, ImageError> {
        let image = &Arc::new(image.clone());
        let (found, named) = tokio::join!(
            self.platforms(image, cluster, not_before),
            self.answers(image, not_before),
        );
        let (top, nested, found) = found?;
        let (platforms, answers): (_, Vec<_>) = found
            .into_iter()
            .map(|(platform, own)| (platform, named.iter().cloned().chain(own).collect()))
            .unzip();
        let indexes = nested.iter().map(|index| index.equal()).collect();
        let media_type = top.media_type();
        let description = Description { media_type, platforms, indexes };
        let believed_until = self.kept.until(&answers);
        Ok(Gathered { description, answers, believed_until }.within_bounds(&image.repository))
    }

    /// What every source says of the very digest of `image`, not of what it is made of.
    pub async fn named(&self, image: &PinnedImage) -> Vec<Answered> {
        self.answers(&Arc::new(image.clone()), None).await
    }

    /// Whether the layers of a manifest are those that its configuration names: reads all of them,
    /// unless that is known.
    ///
    /// Dear, so asked only where an attestation hangs on it. It goes on, for minutes if it must, when
    /// the caller gives up.
    pub async fn check_layers(&self, manifest: &PinnedImage) -> LayerCheck {
        match self.described(&Arc::new(manifest.clone())).await {
            Err(error) => LayerCheck::Failed(error),
            Ok(described) => match described.config() {
                None => LayerCheck::NotMade,
                Some(config) => self.layers.check(manifest, config.descriptor()).await,
            },
        }
    }

    /// An image, the indexes in it and its platforms that can run, each with what every source says
    /// of that platform alone.
    async fn platforms(
        &self,
        image: &Arc<PinnedImage>,
        cluster: &[Platform],
        not_before: Option<Instant>,
    ) -> Result<(Arc<Described>, Vec<Arc<Described>>, Platforms), ImageError> {
        let top = self.described(image).await?;
        let nested = self.nested(image, &top).await?;
        let runnable = top.runnable(&nested, cluster)?.into_iter();
        let indexes = || std::iter::once(&top).chain(&nested);
        let carriers = |of| indexes().flat_map(move |index| index.carriers(of)).cloned().collect();
        let stated = Arc::new(Allowance::new(MOST_STATED, "bytes of statements about one image"));
        let looked_up = runnable.map(|child| {
            let carriers = carriers(child.manifest);
            self.platform(image, &top, child, (carriers, &stated), not_before)
        });
        let platforms = join_few(looked_up, PLATFORMS_AT_A_TIME).await;
        let platforms = platforms.into_iter().collect::<Result<_, _>>()?;
        Ok((top, nested, platforms))
    }

    /// Completes what the index says of `child`, unless there is none and it is `top` itself.
    async fn platform(
        &self,
        image: &Arc<PinnedImage>,
        top: &Arc<Described>,
        child: Runnable,
        carriers: (Vec<Descriptor>, &Arc<Allowance>),
        not_before: Option<Instant>,
    ) -> Result<(Runnable, Vec<Answered>), ImageError> {
        let inside = self.inside(image, child.manifest, carriers, not_before);
        let manifest = if child.manifest == image.digest {
            Arc::clone(image)
        } else {
            sibling(image, child.manifest)
        };
        let (described, inside, mut answers) = if Arc::ptr_eq(&manifest, image) {
            (Arc::clone(top), inside.await, Vec::new())
        } else {
            // The index names the digest, so nobody has to wait for the manifest.
            let (described, inside, answers) = tokio::join!(
                self.described(&manifest),
                inside,
                self.answers(&manifest, not_before),
            );
            (described?, inside, answers)
        };
        answers.extend(inside);
        let Some(config) = described.config() else { return Err(ImageError::TooDeep) };
        let id = config.digest;
        let (image_config, layers) = tokio::join!(self.image_config(manifest, config), async {
            if !self.shared.attests_image_ids() {
                return Vec::new();
            }
            self.image_id_answers(&sibling(image, id), not_before).await
        });
        answers.extend(layers);
        let equals = vec![top.equal(), described.equal()];
        Ok((Runnable { config: Some(id), equals, settings: image_config?, ..child }, answers))
    }

    /// What the index of `image` says of its manifest `platform` in these of its entries, as far as
    /// that is allowed.
    async fn inside(
        &self,
        image: &Arc<PinnedImage>,
        platform: Digest,
        (carriers, stated): (Vec<Descriptor>, &Arc<Allowance>),
        not_before: Option<Instant>,
    ) -> Option<Answered> {
        if !self.shared.reads_indexes() {
            return None;
        }
        let source = INDEX.into();
        if carriers.is_empty() {
            let nothing = Answer::nothing(Arc::clone(self.shared.query()));
            return Some(Answered { source, outcome: Ok(Arc::new(nothing)) });
        }
        // Another index may say something else of the same manifest.
        let key = Key { place: Place::Index(Arc::new(platform)), image: Arc::clone(image) };
        let look = || {
            let (shared, wanted) = (Arc::clone(&self.shared), key.clone());
            let (carriers, stated) = (carriers.clone(), Arc::clone(stated));
            async move { shared.look_inside(&wanted, platform, &carriers, &stated).await }
        };
        Some(Answered { source, outcome: self.kept_or(key.clone(), not_before, look).await })
    }

    /// What the config of a manifest says, if anybody wants to know.
    async fn image_config(
        &self,
        manifest: Arc<PinnedImage>,
        config: &ConfigDescriptor,
    ) -> Result<Option<Arc<ImageConfig>>, ImageError> {
        if !self.reads_configs {
            return Ok(None);
        }
        let look = || {
            let (shared, config) = (Arc::clone(&self.shared), config.clone());
            let repository = manifest.repository.clone();
            async move { shared.image_config(&repository, &config).await }
        };
        let fetched = self.kept.configs.get(manifest.clone(), None, |_| true, look).await?;
        fetched.config.clone().map(Some).ok_or(ImageError::Config)
    }

    /// The indexes that stand in an index, for one level.
    async fn nested(
        &self,
        image: &Arc<PinnedImage>,
        top: &Described,
    ) -> Result<Vec<Arc<Described>>, ImageError> {
        let inner = top
            .nested_indexes()?
            .map(|digest| async move { self.described(&sibling(image, digest)).await });
        Ok(join_few(inner, PLATFORMS_AT_A_TIME).await.into_iter().collect::<Result<_, _>>()?)
    }

    async fn described(&self, image: &Arc<PinnedImage>) -> Result<Arc<Described>, Arc<FetchError>> {
        let look = || {
            let (shared, wanted) = (Arc::clone(&self.shared), Arc::clone(image));
            async move { shared.describe(&wanted).await }
        };
        self.kept.descriptions.get(Arc::clone(image), None, |_| true, look).await
    }

    async fn answers(
        &self,
        image: &Arc<PinnedImage>,
        not_before: Option<Instant>,
    ) -> Vec<Answered> {
        let places = self.shared.places_for(&image.repository);
        join_few(places.map(|place| self.answer(place, image, not_before)), PLACES_AT_A_TIME).await
    }

    /// Signatures over an image ID lie in Grafeas stores under the config's digest.
    async fn image_id_answers(
        &self,
        config: &Arc<PinnedImage>,
        not_before: Option<Instant>,
    ) -> Vec<Answered> {
        let stores =
            self.shared.places().iter().filter(|(place, _)| matches!(place, Place::Store(_)));
        join_few(stores.map(|place| self.answer(place, config, not_before)), PLACES_AT_A_TIME).await
    }

    async fn answer(
        &self,
        (place, source): &(Place, Arc<str>),
        image: &Arc<PinnedImage>,
        not_before: Option<Instant>,
    ) -> Answered {
        let key = Key { place: place.clone(), image: Arc::clone(image) };
        let look = || {
            let (shared, wanted) = (Arc::clone(&self.shared), key.clone());
            async move { shared.look_up(&wanted).await }
        };
        let outcome = self.kept_or(key.clone(), not_before, look).await;
        Answered { source: Arc::clone(source), outcome }
    }

    /// The answer that is kept under `key`, if it is for what is looked for; else what `look` finds.
    async fn kept_or<F>(
        &self,
        key: Key,
        not_before: Option<Instant>,
        look: impl Fn() -> F,
    ) -> Result<Arc<Answer>, Arc<FetchError>>
    where
        F: Future<Output = Result<Answer, FetchError>> + Send + 'static,
    {
        let (query, place) = (self.shared.query(), key.place.clone());
        self.kept.answers.get(key, not_before, |answer| query.fits(&place, answer), look).await
    }
}

/// Something else of the same repository.
fn sibling(image: &PinnedImage, digest: Digest) -> Arc<PinnedImage> {
    Arc::new(PinnedImage { repository: image.repository.clone(), digest })
}

/// How many platforms of one image are looked up at a time. Images are built for one to ten.
const PLATFORMS_AT_A_TIME: usize = 16;

/// How many sources are asked about one digest at a time.
const PLACES_AT_A_TIME: usize = 16;
