//! Of which type evidence is, by the many names that its carriers give it.

use std::collections::BTreeMap;

use crate::attest::oci::{Descriptor, Document, media_type};

/// How far something is what somebody asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// Not at all.
    None,
    /// Some of its layers or signatures.
    Partly,
    /// As a whole, or every one of its layers or signatures.
    Wholly,
}

impl Fit {
    /// Of so many parts, so many fit.
    pub fn of(fitting: usize, all: usize) -> Self {
        match fitting {
            0 => Self::None,
            _ if fitting < all => Self::Partly,
            _ => Self::Wholly,
        }
    }
}

/// How far a document is evidence of a type: its `artifactType`, the media type of its config or
/// layers, or a predicate type that it or its layers are annotated with. All of these are claims of
/// whoever pushed it.
pub(super) fn fit(document: &Document, wanted: &str) -> Fit {
    let whole = whole(document);
    if whole.contains(&wanted) {
        return Fit::Wholly;
    }
    let Document::Manifest(manifest) = document else { return Fit::None };
    let fitting = manifest.layers.iter().filter(|layer| layer_types(layer).contains(&wanted));
    Fit::of(fitting.count(), manifest.layers.len())
}

/// What to call a document's type in one word.
pub(super) fn shown(document: &Document) -> Option<&str> {
    let first_layer = match document {
        Document::Manifest(manifest) => manifest.layers.first().map(layer_types),
        Document::Index(_) => None,
    };
    // What it says is told best by its predicate type, and else by what holds it.
    let mut types = whole(document);
    types.extend(first_layer.unwrap_or_default());
    types.iter().find(|kind| kind.contains("://")).or_else(|| types.first()).copied()
}

fn whole(document: &Document) -> Vec<&str> {
    let (own, annotations) = match document {
        Document::Manifest(manifest) => {
            let config = Some(manifest.config.media_type.as_str());
            let config = config.filter(|kind| !GENERAL.contains(kind));
            let own = manifest.artifact_type.as_deref().into_iter().chain(config);
            (own.collect(), &manifest.annotations)
        }
        Document::Index(index) => {
            (index.artifact_type.as_deref().into_iter().collect::<Vec<_>>(), &index.annotations)
        }
    };
    own.into_iter().chain(predicates(annotations)).collect()
}

fn layer_types(layer: &Descriptor) -> Vec<&str> {
    let predicates = predicates(&layer.annotations);
    std::iter::once(layer.media_type.as_str()).chain(predicates).collect()
}

fn predicates(annotations: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    PREDICATES.iter().filter_map(|key| annotations.get(*key)).map(String::as_str)
}

/// Where countersign, BuildKit, cosign and sigstore's bundles write it.
const PREDICATES: [&str; 4] = [
    "countersign.dev/predicate-type",
    "in-toto.io/predicate-type",
    "predicateType",
    "dev.sigstore.bundle.predicateType",
];

/// Types of configs that say nothing: the empty one, and the image's that cosign writes for a
/// signature.
const GENERAL: [&str; 3] = [
    media_type::EMPTY,
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];
