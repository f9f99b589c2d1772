//! Evidence that lies inside an index: the statements that `BuildKit` puts there.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    attest::{
        Candidate, Envelope, Signed,
        buildkit::{BadEmbedded, EmbeddedLayer, EmbeddedStatement, check_subject, layer},
        oci::{Descriptor, Document, Manifest},
        sources::INDEX,
    },
    name::{Code, Digest, Repository},
    source::{FetchError, Peer, Reference, Registries},
    verify::{Attests, Opened, Rejection, Trust},
};

use super::{allowance::Allowance, opener::Opener};

/// What of an index is worth reading: nothing is fetched that nobody could use.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Interest {
    /// Every statement, since a rule reads them.
    all: bool,
    /// Statements of these types, since the signature of an authority over the index covers them.
    types: BTreeSet<String>,
    /// Statements with signatures of their own.
    envelopes: bool,
}

impl Interest {
    /// What the authorities attest, or everything.
    pub fn new(trust: &Trust, all: bool) -> Self {
        let authorities = trust.authorities();
        let types = authorities.iter().flat_map(|authority| &authority.attests).filter_map(|one| {
            if let Attests::Embedded(uri) = one { Some(uri.clone()) } else { None }
        });
        let envelopes = authorities.iter().any(|authority| authority.takes_envelopes(INDEX));
        Self { all, types: types.collect(), envelopes }
    }

    /// Every statement, with a signature of its own or without.
    pub fn everything() -> Self {
        Self { all: true, types: BTreeSet::new(), envelopes: true }
    }

    /// Whether indexes are worth a look at all.
    pub fn exists(&self) -> bool {
        self.all || self.envelopes || !self.types.is_empty()
    }

    fn wants(&self, descriptor: &Descriptor) -> bool {
        match layer(descriptor) {
            Some(EmbeddedLayer::Statement(_)) if self.all => true,
            Some(EmbeddedLayer::Statement(Some(said))) => self.types.contains(said),
            Some(EmbeddedLayer::Statement(None)) => !self.types.is_empty(),
            Some(EmbeddedLayer::Envelope) => self.envelopes,
            None => false,
        }
    }
}

/// What holds the manifests and blobs of an image: its repository, or a layout on disk.
pub trait Holder: Sync {
    /// Why something could not be had.
    type Error: Send;
    /// What becomes of something with signatures.
    type Signed: Send;

    /// The manifest that a descriptor means; `None` if there is something else.
    fn manifest(
        &self,
        descriptor: &Descriptor,
    ) -> impl Future<Output = Result<Option<Manifest>, Self::Error>> + Send;

    /// The bytes that a descriptor means, at most `cap` of them, measured and hashed.
    fn blob(
        &self,
        descriptor: &Descriptor,
        cap: u64,
    ) -> impl Future<Output = Result<Bytes, Self::Error>> + Send;

    /// What `read` makes of something of `size` bytes.
    fn open(
        &self,
        size: usize,
        read: impl FnOnce() -> Piece<Candidate> + Send + 'static,
    ) -> impl Future<Output = Result<Piece<Self::Signed>, Self::Error>> + Send;

    /// Takes room for so many bytes of statements.
    fn reserve(&self, bytes: u64) -> Result<(), Self::Error>;

    /// The error of a cap that was hit.
    fn too_much(&self, limit: usize, what: &'static str) -> Self::Error;
}

/// What an index says about one of its platforms.
#[derive(Debug)]
pub struct Embedded<S> {
    /// Statements about that platform, without a signature of their own.
    pub statements: Vec<EmbeddedStatement>,
    /// Those with one.
    pub signed: Vec<S>,
    /// What is no statement, or one about something else.
    pub rejected: Vec<Rejection>,
}

/// What one layer turned out to be.
pub enum Piece<S> {
    /// A statement without a signature of its own.
    Statement(EmbeddedStatement),
    /// One with.
    Signed(S),
    /// None about that platform.
    Bad(Rejection),
}

/// Reads what the `carriers`, manifests that the index lists for `platform`, carry.
///
/// # Errors
/// Something could not be had, or is too much.
pub async fn read<H: Holder>(
    holder: &H,
    platform: Digest,
    carriers: &[Descriptor],
    interest: &Interest,
) -> Result<Embedded<H::Signed>, H::Error> {
    if carriers.len() > MOST_CARRIERS {
        return Err(holder.too_much(MOST_CARRIERS, "attestation manifests for one platform"));
    }
    let manifests: Vec<Option<Manifest>> = stream::iter(carriers.to_vec())
        .map(|carrier| async move { holder.manifest(&carrier).await })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let mut embedded =
        Embedded { statements: Vec::new(), signed: Vec::new(), rejected: Vec::new() };
    let mut layers = Vec::new();
    for (carrier, manifest) in carriers.iter().zip(manifests) {
        let checked = match &manifest {
            Some(manifest) => check_subject(manifest, platform),
            None => Err(no_manifest()),
        };
        match (checked, manifest) {
            (Err(bad), _) => embedded.rejected.push(rejection(carrier.digest, "oci", bad)),
            (Ok(()), manifest) => {
                let own = manifest.into_iter().flat_map(|manifest| manifest.layers);
                layers.extend(own.filter(|layer| interest.wants(layer)));
            }
        }
    }
    if layers.len() > MOST_LAYERS {
        return Err(holder.too_much(MOST_LAYERS, "statements about one platform"));
    }
    let total = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    holder.reserve(total)?;
    let mut pieces = stream::iter(layers)
        .map(|layer| async move {
            let bytes = holder.blob(&layer, LARGEST).await?;
            holder.open(bytes.len(), move || piece(&layer, &bytes, platform)).await
        })
        .buffered(AT_A_TIME);
    while let Some(found) = pieces.next().await {
        match found? {
            Piece::Statement(statement) => embedded.statements.push(statement),
            Piece::Signed(signed) => embedded.signed.push(signed),
            Piece::Bad(rejection) => embedded.rejected.push(rejection),
        }
    }
    Ok(embedded)
}

/// Reads a layer about `platform`.
fn piece(descriptor: &Descriptor, bytes: &[u8], platform: Digest) -> Piece<Candidate> {
    let digest = descriptor.digest;
    if layer(descriptor) == Some(EmbeddedLayer::Envelope) {
        return match Envelope::parse(bytes) {
            Ok(envelope) => {
                Piece::Signed(Candidate::new(INDEX, digest.to_string(), Signed::Dsse(envelope)))
            }
            Err(bad) => {
                let (code, detail) = (Code::SignatureMalformed, bad.to_string());
                Piece::Bad(rejection(digest, "dsse", BadEmbedded { code, detail }))
            }
        };
    }
    match EmbeddedStatement::read(digest, bytes, platform) {
        Ok(statement) => Piece::Statement(statement),
        Err(bad) => Piece::Bad(rejection(digest, "in-toto", bad)),
    }
}

fn rejection(digest: Digest, format: &str, bad: BadEmbedded) -> Rejection {
    let BadEmbedded { code, detail } = bad;
    Rejection::new(INDEX, digest.to_string(), format, code, &detail)
}

fn no_manifest() -> BadEmbedded {
    let detail = "the index lists it as a manifest with statements, and it is none".to_owned();
    BadEmbedded { code: Code::PayloadMalformed, detail }
}

/// The repository of an image.
pub struct InRegistry<'a> {
    pub registries: &'a Arc<Registries>,
    pub repository: &'a Repository,
    pub opener: &'a Opener,
    /// What is left for statements about the image, whatever the platform.
    pub stated: &'a Allowance,
    /// The bytes of the manifests, whose memory those take the place of.
    pub manifests: Mutex<Vec<Bytes>>,
}

impl Holder for InRegistry<'_> {
    type Error = FetchError;
    type Signed = Opened;

    async fn manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, FetchError> {
        let reference = Reference::Digest(descriptor.digest);
        let fetched =
            self.registries.manifest(self.repository, reference, self.opener.deadline).await?;
        let (document, bytes) = self.opener.document(fetched).await?;
        let Some(Document::Manifest(manifest)) = document else { return Ok(None) };
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        Ok(Some(*manifest))
    }

    async fn blob(&self, descriptor: &Descriptor, cap: u64) -> Result<Bytes, FetchError> {
        self.registries.blob(self.repository, descriptor, cap, self.opener.deadline).await
    }

    async fn open(
        &self,
        size: usize,
        read: impl FnOnce() -> Piece<Candidate> + Send + 'static,
    ) -> Result<Piece<Opened>, FetchError> {
        self.opener.open_piece(size, read).await
    }

    fn reserve(&self, bytes: u64) -> Result<(), FetchError> {
        self.stated.take(bytes, self.repository)
    }

    fn too_much(&self, limit: usize, what: &'static str) -> FetchError {
        let peer = Peer::Registry(self.repository.host().into());
        FetchError::TooMuch { peer, limit: limit as u64, what }
    }
}

/// `BuildKit` writes one for each platform.
const MOST_CARRIERS: usize = 16;

/// A provenance and a bill of materials or two are usual.
const MOST_LAYERS: usize = 64;

/// Bytes of one statement; bills of materials reach some megabytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Bytes of all statements about one image, on whatever platform.
pub const MOST_STATED: u64 = 32 * 1024 * 1024;

/// How many manifests or statements of one platform are read at a time.
const AT_A_TIME: usize = 8;
