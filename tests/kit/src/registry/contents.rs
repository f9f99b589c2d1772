//! What a registry holds: repositories with manifests, tags and blobs, and podman's signatures.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{image::Content, sha256};

/// All repositories, by path.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Lookaside and extension: by repository and digest.
    pub(super) signatures: HashMap<(String, String), Vec<Bytes>>,
    uploads: usize,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) manifests: BTreeMap<String, Manifest>,
    pub(super) tags: BTreeMap<String, Tag>,
    pub(super) blobs: HashMap<String, Bytes>,
    /// Digests of manifests with a `subject`, in the order they came.
    referrers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// What a tag names now, and on later requests. The last one stays.
#[derive(Debug)]
pub(super) struct Tag(pub(super) Vec<String>);

impl Contents {
    pub(super) fn repository(&mut self, path: &str) -> &mut Repository {
        self.repositories.entry(path.to_owned()).or_default()
    }

    /// A name for the next upload.
    pub(super) fn next_upload(&mut self) -> String {
        self.uploads += 1;
        format!("upload-{}", self.uploads)
    }
}

impl Repository {
    /// Stores a manifest with everything it needs.
    pub(super) fn put(&mut self, content: &Content) -> String {
        for child in &content.children {
            self.put(child);
        }
        for blob in &content.blobs {
            self.blobs.insert(sha256(blob), blob.clone());
        }
        let bytes = content.manifest.clone();
        self.put_manifest(Manifest { media_type: content.media_type.clone(), bytes })
    }

    /// Stores a manifest; what it refers to is noted.
    pub(super) fn put_manifest(&mut self, manifest: Manifest) -> String {
        let digest = sha256(&manifest.bytes);
        if let Some(subject) = manifest.subject() {
            let entry = (subject, digest.clone());
            if !self.referrers.contains(&entry) {
                self.referrers.push(entry);
            }
        }
        self.manifests.insert(digest.clone(), manifest);
        digest
    }

    /// The manifest by tag (which may move by being asked for) or digest.
    pub(super) fn find(&mut self, reference: &str) -> Option<&Manifest> {
        let digest = match self.tags.get_mut(reference) {
            Some(Tag(names)) if names.len() > 1 => names.remove(0),
            Some(Tag(names)) => names.first()?.clone(),
            None => reference.to_owned(),
        };
        self.manifests.get(&digest)
    }

    /// Deletes a tag or a manifest (with its tags); whether there was one.
    pub(super) fn delete(&mut self, reference: &str) -> bool {
        if self.tags.remove(reference).is_some() {
            return true;
        }
        self.tags.retain(|_, Tag(names)| !names.iter().any(|name| name == reference));
        self.referrers.retain(|(_, digest)| digest != reference);
        self.manifests.remove(reference).is_some()
    }

    /// Descriptors of what refers to `subject`.
    pub(super) fn referrers(&self, subject: &str) -> Vec<Value> {
        let mine = self.referrers.iter().filter(|(of, _)| of == subject);
        let manifests = mine.filter_map(|(_, digest)| self.manifests.get(digest));
        manifests.map(Manifest::descriptor).collect()
    }
}

impl Manifest {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub(super) fn subject(&self) -> Option<String> {
        self.json()["subject"]["digest"].as_str().map(str::to_owned)
    }

    /// As image-spec has the referrers list describe it: with the effective artifact type and all
    /// annotations.
    pub(super) fn descriptor(&self) -> Value {
        let body = self.json();
        let mut descriptor = json!({
            "mediaType": self.media_type,
            "digest": sha256(&self.bytes),
            "size": self.bytes.len(),
        });
        let artifact_type = body["artifactType"].as_str().or(body["config"]["mediaType"].as_str());
        if let Some(artifact_type) = artifact_type {
            descriptor["artifactType"] = artifact_type.into();
        }
        if body["annotations"].is_object() {
            descriptor["annotations"] = body["annotations"].clone();
        }
        descriptor
    }
}
