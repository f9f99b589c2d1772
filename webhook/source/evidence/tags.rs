//! What cosign keeps beside an image: the layers of manifests under tags made from its digest.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::try_join_all, stream};

use crate::{
    attest::{
        Candidate,
        artifact::LARGEST_LAYER,
        oci::{Descriptor, Document},
        sigstore,
        sources::TAGS,
    },
    name::{Code, Digest, Repository},
    source::{FetchError, Peer, Reference, Registries},
    verify::{Opened, Rejection},
};

use super::{
    lookup::{Findings, Key},
    opener::Opener,
};

/// Reads the signatures and attestations under the tags of the digest, side by side.
pub async fn ask(
    registries: &Registries,
    key: &Key,
    opener: &Opener,
) -> Result<Findings, FetchError> {
    // Cosign makes no tag of a longer digest, since a tag ends after 128 characters.
    let Digest::Sha256(_) = key.image.digest else { return Ok(Findings::default()) };
    let searches = sigstore::TAGS.map(|end| {
        let tag = format!("sha256-{}.{end}", key.image.digest.hex());
        under(registries, &key.image.repository, tag, opener)
    });
    let mut all = Findings::default();
    for findings in try_join_all(searches).await? {
        all.take(findings);
    }
    Ok(all)
}

async fn under(
    registries: &Registries,
    repository: &Repository,
    tag: String,
    opener: &Opener,
) -> Result<Findings, FetchError> {
    let fetched = match registries.manifest(repository, Reference::Tag(&tag), opener.deadline).await
    {
        Ok(fetched) => fetched,
        Err(error) if error.is_absence() => return Ok(Findings::default()),
        Err(error) => return Err(error),
    };
    let signed = Layers {
        registries,
        repository,
        source: TAGS.into(),
        name: format!("{repository}:{tag}"),
        opener,
    };
    let (Some(Document::Manifest(manifest)), _bytes) = opener.document(fetched).await? else {
        let bad = rejection(signed.source, &signed.name, "the tag is not that of a manifest");
        return Ok(Findings { unreadable: vec![bad], ..Findings::default() });
    };
    signed.read(manifest.layers).await
}

/// Layers that cosign signed, each for itself.
pub struct Layers<'a> {
    pub registries: &'a Registries,
    pub repository: &'a Repository,
    /// The source that they are found in.
    pub source: Arc<str>,
    /// What their manifest is called there.
    pub name: String,
    pub opener: &'a Opener,
}

impl Layers<'_> {
    /// Fetches and reads all of them, or fails.
    pub async fn read(&self, layers: Vec<Descriptor>) -> Result<Findings, FetchError> {
        let too_much = |limit, what| {
            let peer = Peer::Registry(self.repository.host().into());
            Err(FetchError::TooMuch { peer, limit, what })
        };
        if layers.len() > MOST_LAYERS {
            return too_much(MOST_LAYERS as u64, "layers of one manifest that cosign signed");
        }
        let size = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
        if size > MOST_BYTES {
            return too_much(MOST_BYTES, "bytes of one manifest that cosign signed");
        }
        let mut findings = Findings::default();
        let mut read = stream::iter(layers.into_iter().enumerate())
            .map(|(number, layer)| self.layer(number + 1, layer))
            .buffered(AT_A_TIME);
        while let Some(one) = read.next().await {
            match one? {
                Ok(opened) => findings.opened.push(opened),
                Err(rejection) => findings.unreadable.push(rejection),
            }
        }
        Ok(findings)
    }

    async fn layer(
        &self,
        number: usize,
        layer: Descriptor,
    ) -> Result<Result<Opened, Rejection>, FetchError> {
        let name = format!("{}/layer-{number}", self.name);
        let bytes = if sigstore::LAYERS.contains(&layer.media_type.as_str()) {
            self.registries
                .blob(self.repository, &layer, LARGEST_LAYER, self.opener.deadline)
                .await?
        } else {
            bytes::Bytes::new()
        };
        let size = bytes.len();
        let source = Arc::clone(&self.source);
        let read = move || match sigstore::read_layer(&layer.media_type, &layer.annotations, bytes)
        {
            Err(error) => Err(rejection(source, &name, &error.to_string())),
            Ok(signed) => Ok(Candidate::new(source, name, signed)),
        };
        self.opener.open(size, read).await
    }
}

fn rejection(source: Arc<str>, name: &str, detail: &str) -> Rejection {
    Rejection::new(source, name, "cosign", Code::SignatureMalformed, detail)
}

/// Cosign itself stops reading at 100.
const MOST_LAYERS: usize = 64;

/// Bills of materials have megabytes; nobody signs dozens of them for one image.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// How many layers of one manifest are read at a time.
const AT_A_TIME: usize = 8;
