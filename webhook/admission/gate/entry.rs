//! One image on one platform: what counts, what does not, and what could not be looked up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;

use crate::{
    admission::ImageUse,
    attest::{CompactJson, buildkit::EmbeddedStatement},
    name::{Code, Digest, PinnedImage},
    policy::{
        Container, ImageEntry, ImagePart, InputError, Lookup, Platform, Records, StatementEntry,
    },
    source::{self, Answered, FetchError, Gathered, LayerCheck, MissingParent, Runnable},
    verify::{Image, Layers, LayersUnchecked, Level, Rejection, Trust, Verified},
};

use super::{policy::Platforms, subject::Subject};

/// What is known of one image on one platform, as of one moment.
#[derive(Debug)]
pub struct Entry {
    runnable: Runnable,
    /// What counts, whatever a policy's `platforms:` says.
    pub verified: Vec<Verified>,
    /// What would count, if somebody compared the layers; it is among the rejected.
    pub unchecked: Vec<LayersUnchecked>,
    /// What does not count.
    pub rejected: Vec<Rejection>,
    records: Records,
    statements: Vec<Covered>,
    /// How the lookups ended.
    pub lookups: BTreeMap<Arc<str>, Lookup>,
    failed: Vec<(Arc<str>, Arc<FetchError>)>,
    /// What stores do not know of what they were asked about.
    pub missing: Vec<MissingParent>,
    parts: Parts,
    /// What was shown first of any platform, where there is so much to share that it matters.
    first: Option<Arc<Parts>>,
}

/// What rules see of an entry, by the `platforms:` of their policy, once it was asked for.
#[derive(Debug, Default)]
struct Parts {
    index: OnceLock<Shown>,
    every: OnceLock<Shown>,
    index_or_every: OnceLock<Shown>,
}

/// What rules see of an entry where this place names the image.
#[derive(Debug)]
struct Shown {
    place: ImageUse,
    part: ImagePart,
}

/// Judges what was found about an image, for each platform of it that can run.
pub fn entries(
    trust: &Trust,
    pinned: &PinnedImage,
    gathered: &Gathered,
    now: Timestamp,
) -> Arc<[Entry]> {
    let platforms = gathered.description.platforms.iter().zip(&gathered.answers);
    let shares = platforms.len() > 1 && gathered.weight() > LITTLE;
    let first = shares.then(Arc::<Parts>::default);
    platforms
        .map(|(runnable, answers)| {
            let image = Image {
                repository: &pinned.repository,
                digest: pinned.digest,
                platform: runnable.in_index.then_some(runnable.manifest),
                config: runnable.config,
                equals: &runnable.equals,
                layers: match &runnable.layers {
                    LayerCheck::NotMade | LayerCheck::Failed(_) => Layers::NotCompared,
                    LayerCheck::Bound => Layers::Bound,
                    LayerCheck::Unbound(why) => Layers::Unbound(why),
                },
            };
            Entry { first: first.clone(), ..Entry::new(trust, &image, runnable, answers, now) }
        })
        .collect()
}

impl Entry {
    fn new(
        trust: &Trust,
        image: &Image<'_>,
        runnable: &Runnable,
        answers: &[Answered],
        now: Timestamp,
    ) -> Self {
        let mut entry = Self {
            runnable: runnable.clone(),
            verified: Vec::new(),
            unchecked: Vec::new(),
            rejected: Vec::new(),
            records: Records::default(),
            statements: Vec::new(),
            lookups: BTreeMap::new(),
            failed: Vec::new(),
            missing: Vec::new(),
            parts: Parts::default(),
            first: None,
        };
        for answered in answers {
            entry.note(&answered.source, answered.lookup());
            let Ok(answer) = &answered.outcome else { continue };
            for opened in &answer.opened {
                let judged = trust.judge(opened, image, now);
                entry.verified.extend(judged.verified);
                entry.rejected.extend(judged.rejected);
                entry.leave_unchecked(judged.layers_unchecked);
            }
            entry.rejected.extend(answer.unreadable.iter().cloned());
            entry.missing.extend(answer.missing.iter().cloned());
            for (list, record) in &answer.records {
                if let Some(list) = entry.list(list) {
                    list.push(Arc::clone(record));
                }
            }
        }
        // Which signatures over the index count is known once all of them were judged.
        let found = answers.iter().filter_map(|answered| answered.outcome.as_ref().ok());
        let statements = found.flat_map(|answer| &answer.statements).map(|statement| Covered {
            by: trust.cover_embedded(&entry.verified, &statement.predicate_type),
            statement: statement.clone(),
        });
        entry.statements = statements.collect();
        entry
    }

    /// The manifest of this platform.
    pub fn manifest(&self) -> Digest {
        self.runnable.manifest
    }

    /// Whether that stands in an index.
    pub fn is_in_index(&self) -> bool {
        self.runnable.in_index
    }

    /// Takes attestations whose layers nobody could compare. Where that was tried, what they are
    /// worth is not known, and so not all that their source has.
    fn leave_unchecked(&mut self, unchecked: Vec<LayersUnchecked>) {
        for one in unchecked {
            if let LayerCheck::Failed(error) = &self.runnable.layers {
                let error = Arc::clone(error);
                self.note(one.source(), source::Lookup::Failed(error));
            }
            self.rejected.push(one.clone().reject());
            self.unchecked.push(one);
        }
    }

    /// Failed beats found beats none, where a source was asked more than once.
    fn note(&mut self, source: &Arc<str>, lookup: source::Lookup) {
        let new = match lookup {
            source::Lookup::Found => Lookup::Found,
            source::Lookup::None => Lookup::None,
            source::Lookup::Failed(error) => {
                let code = error.code();
                self.failed.push((Arc::clone(source), error));
                Lookup::Failed(code)
            }
        };
        let known = self.lookups.entry(Arc::clone(source)).or_insert(Lookup::None);
        *known = known.joined(new);
    }

    /// The list of `records` of this name, if rules know one.
    fn list(&mut self, name: &str) -> Option<&mut Vec<Arc<CompactJson>>> {
        match name {
            "builds" => Some(&mut self.records.builds),
            "derived" => Some(&mut self.records.derived),
            "vulnerabilities" => Some(&mut self.records.vulnerabilities),
            "discoveries" => Some(&mut self.records.discoveries),
            "referrers" => Some(&mut self.records.referrers),
            _ => None,
        }
    }

    /// The lookups of `sources` that failed.
    pub fn failures<'a>(
        &'a self,
        sources: &'a BTreeSet<Arc<str>>,
    ) -> impl Iterator<Item = &'a Arc<FetchError>> {
        self.failed.iter().filter(|(source, _)| sources.contains(source)).map(|(_, error)| error)
    }

    /// What counts wherever policies have these `platforms`, and what does not with the reasons.
    pub fn counted(
        &self,
        platforms: impl Iterator<Item = Platforms> + Clone,
    ) -> (Vec<Verified>, Vec<Rejection>) {
        let (mut counted, mut rejected) = (Vec::new(), self.rejected.clone());
        for verified in &self.verified {
            let level = verified.subject().level;
            match platforms.clone().find(|one| self.runnable.in_index && !one.count(level)) {
                Some(platforms) => rejected.push(out_of_platforms(verified, platforms)),
                None => counted.push(verified.clone()),
            }
        }
        (counted, rejected)
    }

    /// This entry as rules of a policy with these `platforms` see it; nothing where the image is
    /// not known well enough to be shown.
    ///
    /// # Errors
    /// It holds what no document can.
    pub fn part(
        &self,
        subject: &Subject,
        platforms: Platforms,
    ) -> Result<Option<ImagePart>, InputError> {
        let (Some(given), Some(pinned), Ok(gathered)) =
            (&subject.reference, &subject.pinned, &subject.known)
        else {
            return Ok(None);
        };
        let image = &subject.image;
        let (path, name) = (&image.path, &image.container.name);
        let container = Container { name, kind: image.container.kind.as_str() };
        let made = self.parts.of(platforms);
        match made.get() {
            Some(Shown { place, part }) if place == image => return Ok(Some(part.clone())),
            Some(Shown { part, .. }) => return part.at(path, container, given).map(Some),
            None => {}
        }
        let counts = |verified: &&Verified| {
            !self.runnable.in_index || platforms.count(verified.subject().level)
        };
        let (attestations, elsewhere): (Vec<_>, Vec<_>) = self.verified.iter().partition(counts);
        let mut rejected = self.rejected.clone();
        rejected
            .extend(elsewhere.into_iter().map(|verified| out_of_platforms(verified, platforms)));
        let statements: Vec<StatementEntry<'_>> =
            self.statements.iter().flat_map(|covered| covered.entries(platforms)).collect();
        let attestations: Vec<Verified> = attestations.into_iter().cloned().collect();
        let platform = self.platform();
        let mut part = ImagePart::new(&ImageEntry {
            path,
            container,
            given,
            digest: pinned.digest,
            media_type: gathered.description.media_type,
            platform: platform.as_ref(),
            config: self.runnable.settings.as_deref(),
            attestations: &attestations,
            records: &self.records,
            statements: &statements,
            rejected: &rejected,
            lookups: &self.lookups,
        })?;
        if let Some(first) = &self.first {
            let first = first.of(platforms);
            part.share(
                &first.get_or_init(|| Shown { place: image.clone(), part: part.clone() }).part,
            );
        }
        // Where others were faster, theirs is the same but for the place.
        let _ = made.set(Shown { place: image.clone(), part: part.clone() });
        Ok(Some(part))
    }

    fn platform(&self) -> Option<Platform> {
        let runnable = &self.runnable;
        let platform = runnable.platform.as_ref().filter(|_| runnable.in_index)?;
        Some(Platform {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone().unwrap_or_default(),
            os_version: platform.os_version.clone().unwrap_or_default(),
            digest: runnable.manifest,
            config: runnable.config,
        })
    }
}

impl Parts {
    fn of(&self, platforms: Platforms) -> &OnceLock<Shown> {
        match platforms {
            Platforms::Index => &self.index,
            Platforms::Every => &self.every,
            Platforms::IndexOrEvery => &self.index_or_every,
        }
    }
}

/// A statement in the index, and the authorities whose signatures over the index cover it.
#[derive(Debug)]
struct Covered {
    statement: EmbeddedStatement,
    by: Vec<Arc<str>>,
}

impl Covered {
    /// One entry for each authority; one without, where there is none whose signature a policy with
    /// these `platforms` counts.
    fn entries(&self, platforms: Platforms) -> Vec<StatementEntry<'_>> {
        let by = if platforms.count(Level::Index) { self.by.as_slice() } else { &[] };
        let entry = |authority| StatementEntry::new(&self.statement, authority);
        match by {
            [] => vec![entry(None)],
            by => by.iter().map(|authority| entry(Some(&**authority))).collect(),
        }
    }
}

/// Bytes of evidence that many platforms may hold each for itself.
const LITTLE: usize = 64 * 1024;

fn out_of_platforms(verified: &Verified, platforms: Platforms) -> Rejection {
    let detail =
        format!("it is of a digest that `platforms: {}` does not count", platforms.as_str());
    let (source, name, format) = (verified.source(), verified.name(), verified.format());
    Rejection::new(source, name, format, Code::ScopePlatform, &detail)
}
