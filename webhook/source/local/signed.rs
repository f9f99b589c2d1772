//! What is signed about an image in a layout, where its index or its referrers hold it.
//!
//! Layouts keep the same documents as registries, so that the same codecs read them: our own
//! referrers and cosign's bundles by their subject, cosign's layers under tags made of the digest.

use std::collections::{HashMap, HashSet};

use crate::{
    attest::{
        Candidate, Signed, SignedReferrer,
        artifact::LARGEST_LAYER,
        oci::{Descriptor, Document, Manifest},
        sigstore,
        sources::{REFERRERS, TAGS},
    },
    name::{Code, Digest},
    source::{Layout, LayoutError, LayoutRoot},
    verify::Rejection,
};

/// Signed evidence, and what looks like such and is none.
#[derive(Debug, Default)]
pub struct Found {
    pub candidates: Vec<Candidate>,
    pub rejected: Vec<Rejection>,
}

impl Layout {
    /// What is signed about each of these manifests or indexes. Reads every manifest that the
    /// layout lists, once.
    ///
    /// # Errors
    /// Something of it is not there, damaged, or too much.
    pub(super) fn signed(&self, about: &[Digest]) -> Result<HashMap<Digest, Found>, LayoutError> {
        let mut all: HashMap<Digest, Found> = HashMap::new();
        let mut seen: HashSet<(Digest, Digest)> = HashSet::new();
        let tagged: HashMap<String, Digest> = about
            .iter()
            .flat_map(|digest| {
                let (algorithm, hex) = (digest.algorithm(), digest.hex());
                sigstore::TAGS.map(|end| (format!("{algorithm}-{hex}.{end}"), *digest))
            })
            .collect();
        let lists: HashSet<String> = about.iter().map(Digest::fallback_tag).collect();
        for image in self.images() {
            let LayoutRoot::Descriptor(descriptor) = &image.root else { continue };
            // What cannot be read may have nothing to do with this image.
            let Ok((_, document)) = self.document(descriptor) else { continue };
            let tags = || image.names.iter().map(|name| tag_of(name));
            let referrers: Vec<Descriptor> = match document {
                Document::Index(index) if tags().any(|tag| lists.contains(tag)) => index.manifests,
                Document::Index(_) => continue,
                Document::Manifest(manifest) => {
                    if let Some(digest) = tags().find_map(|tag| tagged.get(tag)) {
                        let found = all.entry(*digest).or_default();
                        self.layers(&manifest, TAGS, &descriptor.digest.to_string(), found)?;
                    }
                    vec![(**descriptor).clone()]
                }
            };
            for referrer in referrers {
                let Ok((_, Document::Manifest(manifest))) = self.document(&referrer) else {
                    continue;
                };
                let Some(subject) = manifest.subject.as_ref().map(|subject| subject.digest) else {
                    continue;
                };
                if about.contains(&subject) && seen.insert((subject, referrer.digest)) {
                    let found = all.entry(subject).or_default();
                    self.referrer(&manifest, &referrer.digest.to_string(), found)?;
                }
            }
        }
        if all.values().any(|found| found.candidates.len() > MOST) {
            return Err(self.too_much(MOST as u64, "signatures about one image"));
        }
        Ok(all)
    }

    fn referrer(
        &self,
        manifest: &Manifest,
        name: &str,
        found: &mut Found,
    ) -> Result<(), LayoutError> {
        let Some(kind) = SignedReferrer::of(manifest.effective_type()) else { return Ok(()) };
        if kind == SignedReferrer::Layered {
            return self.layers(manifest, REFERRERS, name, found);
        }
        match kind.layers(manifest) {
            Ok(layers) => {
                for layer in layers {
                    let signed = kind.read(layer, self.blob(layer, LARGEST_LAYER)?);
                    found.note(REFERRERS, name, signed.map_err(|bad| bad.to_string()));
                }
            }
            Err(bad) => found.reject(REFERRERS, name, &bad.to_string()),
        }
        Ok(())
    }

    fn layers(
        &self,
        manifest: &Manifest,
        source: &str,
        name: &str,
        found: &mut Found,
    ) -> Result<(), LayoutError> {
        if manifest.layers.len() > MOST {
            return Err(self.too_much(MOST as u64, "layers of one manifest that cosign signed"));
        }
        for (number, layer) in manifest.layers.iter().enumerate() {
            let Descriptor { media_type, annotations, .. } = layer;
            let signed = if sigstore::LAYERS.contains(&media_type.as_str()) {
                let bytes = self.blob(layer, LARGEST_LAYER)?;
                sigstore::read_layer(media_type, annotations, bytes)
            } else {
                sigstore::read_layer(media_type, annotations, bytes::Bytes::new())
            };
            let name = format!("{name}/layer-{}", number + 1);
            found.note(source, &name, signed.map_err(|bad| bad.to_string()));
        }
        Ok(())
    }
}

impl Found {
    fn note(&mut self, source: &str, name: &str, signed: Result<Signed, String>) {
        match signed {
            Ok(signed) => self.candidates.push(Candidate::new(source, name, signed)),
            Err(why) => self.reject(source, name, &why),
        }
    }

    fn reject(&mut self, source: &str, name: &str, detail: &str) {
        let code = Code::SignatureMalformed;
        self.rejected.push(Rejection::new(source, name, "oci", code, detail));
    }
}

/// The tag in a name of a layout, which is that alone or stands behind a repository.
fn tag_of(name: &str) -> &str {
    name.rsplit_once([':', '/']).map_or(name, |(_, tag)| tag)
}

/// As many as a registry's referrers may bring to one image.
const MOST: usize = 64;
