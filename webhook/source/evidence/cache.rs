//! What was found, kept for a while: single flight, bounded in bytes, by digest and never by tag.
//!
//! A lookup that failed is never kept, so an outage cannot pass for absence. A shared lookup runs
//! in a task of its own with a deadline of its own: the caller who happened to come first may give
//! up without taking the others with it.

use std::{
    future::Future,
    hash::Hash,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache};

use crate::source::landed;

/// How long an entry may be believed, in its own words.
pub trait Perishable: Send + Sync + 'static {
    /// When it was looked up.
    fn looked_up(&self) -> Instant;

    /// How long it may be believed without looking again.
    fn believed_for(&self, times: &Lifetimes) -> Duration;

    /// Bytes that it holds, roughly.
    fn weight(&self) -> usize;
}

/// How long what was found, and that nothing was found, may be believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetimes {
    /// For what was found.
    pub found: Duration,
    /// For "there is none".
    pub none: Duration,
}

/// A cache of lookups with one flight for each key. Clones share it.
pub struct Lookups<K, V, E>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    entries: Cache<K, Arc<V>>,
    failure: PhantomData<fn() -> E>,
}

impl<K, V, E> Clone for Lookups<K, V, E>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), failure: PhantomData }
    }
}

impl<K, V, E> Lookups<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Perishable,
    E: Send + Sync + 'static,
{
    /// A cache of at most `bytes` bytes.
    pub fn new(bytes: u64, lifetimes: Lifetimes) -> Self {
        let entries = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &K, value: &Arc<V>| {
                u32::try_from(value.weight() + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(ByLifetime(lifetimes))
            .build();
        Self { entries, failure: PhantomData }
    }

    /// The entry of `key`, if it was looked up no longer ago than `not_before` and `fits`; else what
    /// `lookup` finds, asked once however many wait for it.
    ///
    /// # Errors
    /// What `lookup` failed with, shared by all who waited, and kept for nobody else.
    ///
    /// # Panics
    /// If `lookup` did: the caller answers for it.
    pub async fn get<F>(
        &self,
        key: K,
        not_before: Option<Instant>,
        fits: impl Fn(&V) -> bool,
        lookup: impl Fn() -> F,
    ) -> Result<Arc<V>, Arc<E>>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        if let Some(entry) = self.entries.get(&key).await {
            if not_before.is_none_or(|earliest| entry.looked_up() >= earliest) && fits(&entry) {
                return Ok(entry);
            }
            self.entries.invalidate(&key).await;
        }
        for _ in 0..SHARED_FLIGHTS {
            let (entries, wanted, lookup) = (self.entries.clone(), key.clone(), lookup());
            let flight = tokio::spawn(async move {
                entries.try_get_with(wanted, async move { lookup.await.map(Arc::new) }).await
            });
            let entry = landed(flight).await?;
            if fits(&entry) {
                return Ok(entry);
            }
            // It came of a flight that began before a reload, for what was looked for then.
            self.entries.invalidate(&key).await;
        }
        // Reviews from before a reload and from after it must not go on taking turns.
        let own = Arc::new(landed(tokio::spawn(lookup())).await?);
        self.entries.insert(key, Arc::clone(&own)).await;
        Ok(own)
    }

    /// Takes an entry that was looked up in another way, unless there is one.
    pub async fn keep(&self, key: K, value: Arc<V>) {
        self.entries.entry(key).or_insert(value).await;
    }
}

/// Bytes that an entry takes beside its value: its key, its part of the image's name, and what the
/// cache itself keeps of it. As measured; see the test.
const ENTRY_OVERHEAD: usize = 400;

struct ByLifetime(Lifetimes);

impl<K, V: Perishable> Expiry<K, Arc<V>> for ByLifetime {
    fn expire_after_create(&self, _: &K, value: &Arc<V>, _: Instant) -> Option<Duration> {
        Some(value.believed_for(&self.0))
    }
}

/// How often a lookup is shared with others before a caller makes one for itself.
const SHARED_FLIGHTS: usize = 2;

#[cfg(test)]
mod tests {
    use countersign_kit as kit;
    use jiff::Timestamp;
    use regorus_mimalloc::current_thread_live_bytes;

    use super::{
        super::{
            answer::Answer,
            image::Described,
            lookup::{Findings, Key, Place},
            query::Query,
        },
        *,
    };
    use crate::{
        attest::{
            Candidate, Signed,
            oci::{Document, media_type::OCI_MANIFEST},
            sources::REFERRERS,
        },
        name::{Digest, PinnedImage},
        source::FetchError,
        verify::{AfterExpiry, Authority, Identity, IdentityMap, Image, Trust},
    };

    /// An authority whose key is `builder`'s.
    fn trusting(builder: &kit::Key) -> Trust {
        let authority = Authority {
            name: "builder".into(),
            keys: crate::verify::Key::openpgp(&builder.certificate()).unwrap(),
            trusted_identities: None,
            note: None,
            attests: vec!["simple-signing".parse().unwrap()],
            sources: None,
            identity: Identity::Repository,
            identities: IdentityMap::default(),
            after_expiry: AfterExpiry::Reject,
            layers_checked_by: None,
            shared_key: false,
        };
        Trust::new(vec![authority]).unwrap()
    }

    /// A caller for whom nothing fits looks for itself in the end, and takes what it finds.
    #[tokio::test]
    async fn callers_of_two_minds_do_not_take_turns_for_ever() {
        let lifetimes = Lifetimes { found: Duration::from_hours(1), none: Duration::from_hours(1) };
        let lookups: Lookups<u8, Answer, FetchError> = Lookups::new(u64::MAX, lifetimes);
        let query = Arc::new(Query::new(Arc::new(Trust::new(Vec::new()).unwrap()), false));
        let asked = std::cell::Cell::new(0);
        let lookup = || {
            asked.set(asked.get() + 1);
            let query = Arc::clone(&query);
            async move { Ok(Answer::nothing(query)) }
        };
        let found = lookups.get(1, None, |_| false, lookup).await;
        assert!(found.is_ok());
        assert_eq!(asked.get(), SHARED_FLIGHTS + 1);
    }

    /// The whole of what is kept of an image with one attestation: what it is, what refers to it,
    /// that a store has nothing, and who signed. The allocator tells what it takes.
    #[tokio::test]
    async fn p8_an_image_weighs_what_it_takes_and_little() {
        let builder = kit::Key::generate("Builder <builder@acme.example>");
        let trust = trusting(&builder);
        let query = Arc::new(Query::new(Arc::new(trust.clone()), false));
        let content = kit::image("shop").build();
        let payload = kit::simple_signing("registry.example/acme/shop", &content.digest());
        let message = builder.sign_message(&payload);
        let lifetimes = Lifetimes { found: Duration::from_hours(1), none: Duration::from_hours(1) };
        let answers: Lookups<Key, Answer, FetchError> = Lookups::new(u64::MAX, lifetimes);
        let descriptions: Lookups<Arc<PinnedImage>, Described, FetchError> =
            Lookups::new(u64::MAX, lifetimes);
        let mut before = 0;
        for number in 0..=IMAGES {
            // The first one brings with it what is made once.
            if number == 1 {
                before = current_thread_live_bytes();
            }
            let digest = Digest::sha256(&number.to_be_bytes());
            let repository = "registry.example/acme/shop".parse().unwrap();
            let image = Arc::new(PinnedImage { repository, digest });
            let signed = Signed::OpenPgpMessage(message.clone().into());
            let candidate = Candidate::new(REFERRERS, image.to_string(), signed);
            let opened = trust.open(&candidate, &[]);
            let about = Image {
                repository: &image.repository,
                digest,
                platform: None,
                config: None,
                equals: &[],
                layers: crate::verify::Layers::NotCompared,
            };
            // Whose it is, is remembered.
            trust.judge(&opened, &about, Timestamp::now());
            let found =
                Answer::new(Instant::now(), vec![opened], Findings::default(), Arc::clone(&query));
            let bytes = &content.manifest;
            let document = Document::parse(bytes, OCI_MANIFEST).unwrap();
            let described = Described::new(digest, OCI_MANIFEST, bytes, document);
            let nothing = Answer::nothing(Arc::clone(&query));
            for (place, answer) in [(Place::Referrers, found), (Place::Store(0), nothing)] {
                answers.keep(Key { place, image: Arc::clone(&image) }, Arc::new(answer)).await;
            }
            descriptions.keep(image, Arc::new(described)).await;
        }
        answers.entries.run_pending_tasks().await;
        descriptions.entries.run_pending_tasks().await;
        let taken = usize::try_from(current_thread_live_bytes() - before).unwrap() / IMAGES;
        let weighed = answers.entries.weighted_size() + descriptions.entries.weighted_size();
        let weighed = usize::try_from(weighed).unwrap() / (IMAGES + 1);
        assert!(taken <= MOST, "{taken} bytes an image, weighed as {weighed}");
        let (least, most) = (taken * 4 / 5, taken * 13 / 10);
        assert!((least..=most).contains(&weighed), "{weighed} weighed, {taken} taken");
    }

    /// An answer that takes as much as it says.
    struct Weighing(usize);

    impl Perishable for Weighing {
        fn looked_up(&self) -> Instant {
            Instant::now()
        }

        fn believed_for(&self, times: &Lifetimes) -> Duration {
            times.found
        }

        fn weight(&self) -> usize {
            self.0
        }
    }

    #[tokio::test]
    async fn p8_what_is_kept_stays_within_its_bytes() {
        const MOST_BYTES: u64 = 100 << 10;
        let hour = Duration::from_hours(1);
        let lookups =
            Lookups::<u32, Weighing, ()>::new(MOST_BYTES, Lifetimes { found: hour, none: hour });
        for key in 0..1000 {
            lookups.keep(key, Arc::new(Weighing(1 << 10))).await;
        }
        lookups.entries.run_pending_tasks().await;
        let (kept, weighed) = (lookups.entries.entry_count(), lookups.entries.weighted_size());
        assert!(weighed <= MOST_BYTES, "{weighed} bytes in {kept} entries");
        assert!(kept > 50, "{kept} entries");
    }

    const IMAGES: usize = 1000;

    /// Ten thousand of them leave half of 64 MiB to everything else.
    const MOST: usize = 3 * 1024;
}
