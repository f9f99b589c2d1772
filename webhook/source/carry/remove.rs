//! Taking evidence off an image.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    CarryError, Fit, Graph, PATIENCE,
    graph::{Item, Note, waves},
};
use crate::{
    attest::{
        Signed,
        artifact::{LARGEST_LAYER, SIMPLE_SIGNING_LAYER},
        notation,
        oci::{Descriptor, Document},
        sigstore,
    },
    name::{Digest, Fingerprint, Repository},
    source::{Deadline, FetchError, Registries},
    verify::ClaimedSigner,
};

/// What became of a removal.
#[derive(Debug, Default)]
pub struct Removed {
    /// What is gone.
    pub gone: Vec<Digest>,
    /// What ended it early.
    pub error: Option<FetchError>,
}

/// Deletes evidence, what hangs on other evidence before that, and takes it out of the lists that
/// clients keep. Entries of those lists that name what is not there go too.
pub async fn detach(
    registries: &Registries,
    repository: &Repository,
    graph: &Graph,
    chosen: &[&Item],
) -> Removed {
    let mut removed = Removed::default();
    let mut lists: HashMap<Digest, Vec<Digest>> = HashMap::new();
    for item in waves(chosen.iter().copied()).into_iter().rev().flatten() {
        match registries.delete_manifest(repository, item.digest, soon()).await {
            Ok(()) => removed.gone.push(item.digest),
            Err(error) => {
                removed.error = Some(error);
                break;
            }
        }
        if let Some(subject) = item.document.subject() {
            lists.entry(subject.digest).or_default().push(item.digest);
        }
    }
    for note in &graph.notes {
        if let Note::Dangling { listed, about } = note
            && let Some(list) = lists.get_mut(about)
        {
            list.push(*listed);
        }
    }
    for (subject, entries) in lists {
        let unlisted = registries.unlist_referrers(repository, subject, &entries, soon()).await;
        if let Err(error) = unlisted {
            removed.error.get_or_insert(error);
        }
    }
    removed
}

impl Item {
    /// How far its signatures say that a key made them. They are read for it; a signature that names
    /// no key, as most of cosign's, is nobody's.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn fit_signer(
        &self,
        registries: &Registries,
        repository: &Repository,
        signer: &Fingerprint,
    ) -> Result<Fit, CarryError> {
        let Document::Manifest(manifest) = &self.document else { return Ok(Fit::None) };
        let mut claims = Vec::new();
        for layer in manifest.layers.iter().filter(|layer| is_signed(layer)) {
            let bytes = registries.blob(repository, layer, LARGEST_LAYER, soon()).await?;
            if let Some(signed) = read(layer, bytes) {
                claims.extend(ClaimedSigner::all_of(&signed));
            }
        }
        Ok(Fit::of(claims.iter().filter(|claim| claim.is(signer)).count(), claims.len()))
    }
}

/// Whether a layer is one that signatures are read out of.
fn is_signed(layer: &Descriptor) -> bool {
    let kind = layer.media_type.as_str();
    layer.size <= LARGEST_LAYER
        && ([SIMPLE_SIGNING_LAYER, sigstore::BUNDLE, notation::JWS].contains(&kind)
            || sigstore::LAYERS.contains(&kind))
}

fn read(layer: &Descriptor, bytes: Bytes) -> Option<Signed> {
    match layer.media_type.as_str() {
        SIMPLE_SIGNING_LAYER => Some(Signed::OpenPgpMessage(bytes)),
        sigstore::BUNDLE => sigstore::read_bundle(&bytes).ok(),
        notation::JWS => notation::read(notation::JWS, &bytes).ok(),
        kind => sigstore::read_layer(kind, &layer.annotations, bytes).ok(),
    }
}

fn soon() -> Deadline {
    Deadline::after(PATIENCE)
}
