//! Evidence that hangs on an image in its own registry: OCI 1.1 referrers.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    attest::{
        Candidate, Signed, SignedReferrer,
        artifact::LARGEST_LAYER,
        metadata as held,
        oci::{Descriptor, Document, Manifest},
        sources::REFERRERS,
    },
    name::Code,
    source::{FetchError, Peer, Reference, Registries},
    verify::Rejection,
};

use super::{
    allowance::Allowance,
    lookup::{Findings, Key},
    metadata::{self, Found},
    opener::Opener,
    tags::Layers,
};

/// What can count for any authority, beside our own attestations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Takes {
    /// What cosign signs.
    pub cosign: bool,
    /// What Notation signs.
    pub notation: bool,
    /// Metadata, which is left alone where it cannot.
    pub metadata: bool,
}

impl Takes {
    /// Whether anything in such a referrer can count for an authority.
    fn may_count(self, kind: SignedReferrer) -> bool {
        match kind {
            SignedReferrer::Ours => true,
            SignedReferrer::Bundle | SignedReferrer::Layered => self.cosign,
            SignedReferrer::Notation => self.notation,
        }
    }
}

/// Lists what refers to the digest and reads what may be evidence, side by side.
///
/// What can count is read whole or not at all. Of what cannot, for its signer or because no
/// authority takes what cosign signs, a little is read too, so that its owner learns why. Each of
/// these has bytes of its own, and so have those whose manifest alone tells what they are: what is
/// foreign takes nothing from what can count (P8).
pub async fn ask(
    registries: &Registries,
    key: &Key,
    takes: Takes,
    opener: &Opener,
) -> Result<Findings, FetchError> {
    let listed =
        registries.read_referrers(&key.image.repository, key.image.digest, opener.deadline).await?;
    let (wanted, foreign): (Vec<_>, Vec<_>) =
        listed.descriptors.into_iter().partition(|referrer| may_be_evidence(referrer, takes));
    if wanted.len() > MOST_READ {
        return Err(too_much(key, MOST_READ, "referrers of one image that may be attestations"));
    }
    let (told, foreign): (Vec<_>, Vec<_>) = foreign.into_iter().partition(is_signed);
    let mut findings = Findings { records: foreign_records(&foreign), ..Findings::default() };
    let reading = Reading {
        registries,
        key,
        takes,
        told: AtomicUsize::new(0),
        evidence: Allowance::new(MOST_BYTES, "bytes of what may be attestations of one image"),
        unnamed: Allowance::new(MOST_UNNAMED, "bytes of referrers that are listed without a type"),
        strange: Allowance::new(MOST_STRANGE, "bytes of what counts for no authority"),
        values: metadata::values(),
        opener,
    };
    let mut read = stream::iter(wanted.into_iter().chain(told))
        .map(|referrer| reading.read(referrer))
        .buffered(AT_A_TIME);
    let (mut attestations, mut metadata) = (0, 0);
    while let Some(part) = read.next().await {
        match part? {
            Part::Evidence(part) => {
                attestations += part.opened.len();
                findings.take(part);
            }
            Part::Metadata(part) => {
                metadata += part.opened.len();
                findings.take(part);
            }
            Part::Told(part) => findings.take(part),
            Part::Foreign(record) => findings.records.push(record),
        }
    }
    if attestations > MOST_ATTESTATIONS {
        return Err(too_much(key, MOST_ATTESTATIONS, "attestations that refer to one image"));
    }
    if metadata > MOST_METADATA {
        return Err(too_much(key, MOST_METADATA, "pieces of metadata of one image"));
    }
    Ok(findings)
}

fn too_much(key: &Key, limit: usize, what: &'static str) -> FetchError {
    let peer = Peer::Registry(key.image.repository.host().into());
    FetchError::TooMuch { peer, limit: limit as u64, what }
}

/// A manifest and the bytes that it was read from, whose memory it takes the place of.
struct Whole {
    manifest: Box<Manifest>,
    _bytes: Bytes,
}

/// What one referrer turned out to be.
enum Part {
    /// What may count.
    Evidence(Findings),
    /// Metadata, which may count too.
    Metadata(Findings),
    /// What cannot count, with its record, and why.
    Told(Findings),
    /// Something else.
    Foreign((&'static str, Value)),
}

/// Artifact types in lists are hints, and fallback tags have wrong ones or none: what is not
/// plainly something else is read to see.
fn may_be_evidence(referrer: &Descriptor, takes: Takes) -> bool {
    match referrer.artifact_type.as_deref() {
        None => true,
        Some(vague) if VAGUE.contains(&vague) => true,
        Some(held::ARTIFACT_TYPE) => takes.metadata,
        Some(other) => SignedReferrer::of(other).is_some_and(|kind| takes.may_count(kind)),
    }
}

fn is_signed(referrer: &Descriptor) -> bool {
    referrer.artifact_type.as_deref().is_some_and(|kind| SignedReferrer::of(kind).is_some())
}

/// What the referrers of one digest are read with.
struct Reading<'a> {
    registries: &'a Registries,
    key: &'a Key,
    takes: Takes,
    /// How many were read that cannot count.
    told: AtomicUsize,
    /// What is left of bytes: of what can count,
    evidence: Allowance,
    /// of manifests that are read to see what they are,
    unnamed: Allowance,
    /// of what cannot count,
    strange: Allowance,
    /// and of the values of metadata.
    values: Allowance,
    opener: &'a Opener,
}

impl Reading<'_> {
    async fn read(&self, referrer: Descriptor) -> Result<Part, FetchError> {
        let listed = referrer.artifact_type.as_deref();
        let named = listed.and_then(SignedReferrer::of).filter(|kind| !self.takes.may_count(*kind));
        if named.is_some() {
            let manifest = self.manifest(&referrer, &self.strange).await.ok().flatten();
            return Ok(self.told(&referrer, manifest).await);
        }
        let vague = listed.is_none_or(|kind| VAGUE.contains(&kind));
        let allowance = if vague { &self.unnamed } else { &self.evidence };
        let Some(whole) = self.manifest(&referrer, allowance).await? else {
            return Ok(Part::Foreign(record(&referrer, listed)));
        };
        let manifest = &whole.manifest;
        let kind = manifest.effective_type();
        match SignedReferrer::of(kind) {
            Some(kind) if self.takes.may_count(kind) => {
                Ok(Part::Evidence(self.signed(kind, &referrer, manifest, &self.evidence).await?))
            }
            Some(_) => Ok(self.told(&referrer, Some(whole)).await),
            None if kind == held::ARTIFACT_TYPE && self.takes.metadata => {
                self.metadata(&referrer, manifest).await
            }
            None => Ok(Part::Foreign(record(&referrer, Some(kind)))),
        }
    }

    /// The manifest, if there is one and it is no index.
    async fn manifest(
        &self,
        referrer: &Descriptor,
        allowance: &Allowance,
    ) -> Result<Option<Whole>, FetchError> {
        let reference = Reference::Digest(referrer.digest);
        let repository = &self.key.image.repository;
        allowance.take(referrer.size, repository)?;
        match self.registries.manifest(repository, reference, self.opener.deadline).await {
            Ok(fetched) => {
                // Lists are written by anybody, sizes in them too.
                let more = (fetched.bytes.len() as u64).saturating_sub(referrer.size);
                allowance.take(more, repository)?;
                let (document, bytes) = self.opener.document(fetched).await?;
                let Some(Document::Manifest(manifest)) = document else { return Ok(None) };
                Ok(Some(Whole { manifest, _bytes: bytes }))
            }
            // Cleanup jobs leave entries of fallback tags behind that point at nothing.
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What cannot count: of a few it is said why, and that they are there of all.
    async fn told(&self, referrer: &Descriptor, whole: Option<Whole>) -> Part {
        let manifest = whole.as_ref().map(|whole| &whole.manifest);
        let kind = manifest.as_ref().map(|manifest| manifest.effective_type().to_owned());
        let kind = kind.as_deref().or(referrer.artifact_type.as_deref());
        let mut findings = Findings::default();
        if let (Some(manifest), Some(signed)) = (manifest, kind.and_then(SignedReferrer::of))
            && self.told.fetch_add(1, Ordering::Relaxed) < MOST_TOLD
        {
            let read = self.signed(signed, referrer, manifest, &self.strange).await;
            findings = read.unwrap_or_default();
        }
        findings.records.push(record(referrer, kind));
        Part::Told(findings)
    }

    /// Reads what a referrer with signatures holds. Everything in it is reported, as evidence or as
    /// a rejection.
    async fn signed(
        &self,
        kind: SignedReferrer,
        referrer: &Descriptor,
        manifest: &Manifest,
        allowance: &Allowance,
    ) -> Result<Findings, FetchError> {
        if let Some(other_subject) = self.other_subject(referrer, manifest) {
            return Ok(other_subject);
        }
        let layers = match kind.layers(manifest) {
            Ok(layers) => layers,
            Err(bad) => return Ok(self.bad(referrer, &bad.to_string())),
        };
        let Self { registries, opener, .. } = *self;
        let repository = &self.key.image.repository;
        let size = layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        allowance.take(size, repository)?;
        if kind == SignedReferrer::Layered {
            let (source, name) = (REFERRERS.into(), self.name(referrer));
            let reader = Layers { registries, repository, source, name, opener };
            return reader.read(layers.to_vec()).await;
        }
        let mut findings = Findings::default();
        for layer in layers {
            let bytes = registries.blob(repository, layer, LARGEST_LAYER, opener.deadline).await?;
            let (size, name, layer) = (bytes.len(), self.name(referrer), layer.clone());
            let read = move || match kind.read(&layer, bytes) {
                Ok(signed) => Ok(candidate(name, signed)),
                Err(bad) => Err(rejection(name, &bad.to_string())),
            };
            match opener.open(size, read).await? {
                Ok(opened) => findings.opened.push(opened),
                Err(rejection) => findings.unreadable.push(rejection),
            }
        }
        Ok(findings)
    }

    async fn metadata(
        &self,
        referrer: &Descriptor,
        manifest: &Manifest,
    ) -> Result<Part, FetchError> {
        if let Some(other_subject) = self.other_subject(referrer, manifest) {
            return Ok(Part::Evidence(other_subject));
        }
        let Self { registries, key, evidence, values, opener, .. } = self;
        let left = [evidence, values];
        let read =
            metadata::read(registries, &key.image.repository, manifest, left, opener.deadline);
        Ok(match read.await? {
            Found::Signed(signed) => {
                let candidate = candidate(self.name(referrer), signed);
                let opened = opener.open_all(vec![candidate]).await?;
                Part::Metadata(Findings { opened, ..Findings::default() })
            }
            Found::Unsigned => Part::Foreign(record(referrer, Some(held::ARTIFACT_TYPE))),
            Found::Unreadable(why) => Part::Evidence(self.bad(referrer, &why.to_string())),
        })
    }

    /// The rejection of a referrer that is one of another image.
    fn other_subject(&self, referrer: &Descriptor, manifest: &Manifest) -> Option<Findings> {
        let subject = manifest.subject.as_ref();
        if subject.is_some_and(|subject| subject.digest == self.key.image.digest) {
            return None;
        }
        let why = "it is listed as a referrer of this image and names another as its subject";
        Some(self.bad(referrer, why))
    }

    fn bad(&self, referrer: &Descriptor, detail: &str) -> Findings {
        Findings { unreadable: vec![rejection(self.name(referrer), detail)], ..Findings::default() }
    }

    fn name(&self, referrer: &Descriptor) -> String {
        format!("{}@{}", self.key.image.repository, referrer.digest)
    }
}

fn rejection(name: String, detail: &str) -> Rejection {
    Rejection::new(REFERRERS, name, "oci", Code::SignatureMalformed, detail)
}

fn candidate(name: String, signed: Signed) -> Candidate {
    Candidate::new(REFERRERS, name, signed)
}

fn foreign_records(foreign: &[Descriptor]) -> Vec<(&'static str, Value)> {
    let records =
        foreign.iter().map(|referrer| record(referrer, referrer.artifact_type.as_deref()));
    records.collect()
}

fn record(referrer: &Descriptor, artifact_type: Option<&str>) -> (&'static str, Value) {
    let annotations: serde_json::Map<String, Value> = referrer
        .annotations
        .iter()
        .map(|(name, value)| (cut(name).to_owned(), cut(value).into()))
        .collect();
    let value = json!({
        "type": artifact_type,
        "digest": referrer.digest.to_string(),
        "size": referrer.size,
        "annotations": annotations,
    });
    ("referrers", value)
}

/// The beginning of a text that anybody may have written.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MOST_OF_A_TEXT)).unwrap_or_default()
}

/// More attestations of one image than any pipeline makes.
const MOST_ATTESTATIONS: usize = 64;

/// More metadata of one image than its signers have reason for; what is superseded counts too.
const MOST_METADATA: usize = 64;

/// Bills of materials have megabytes; no policy reads dozens of them.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// More of the manifests that somebody lists without their type.
const MOST_UNNAMED: u64 = 64 * 1024 * 1024;

/// Enough to tell a person why.
const MOST_STRANGE: u64 = 4 * 1024 * 1024;

/// Types that say nothing.
const VAGUE: [&str; 2] = ["", "application/vnd.oci.empty.v1+json"];

/// More referrers whose type only their manifest tells, as in fallback tags.
const MOST_READ: usize = 256;

/// Enough of what cannot count to tell a person why.
const MOST_TOLD: usize = 8;

/// Bytes of the name or the value of an annotation that rules see.
const MOST_OF_A_TEXT: usize = 4096;

/// How many referrers of one image are read at a time.
const AT_A_TIME: usize = 8;
