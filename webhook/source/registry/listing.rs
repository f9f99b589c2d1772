//! The fallback tag: the list of referrers that clients keep where the registry has no API for it.
//!
//! A tag can only be read and written whole, and registries ignore `If-Match`, so two writers can
//! overwrite each other. Each therefore remembers every entry that it saw, looks again after it
//! wrote, and writes once more what is gone. It waits longer than it took itself from reading to
//! writing, so that others who had read before it wrote have written by then.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Reference, Registries, host::Host, manifest::MANIFEST, session::Action};
use crate::{
    attest::oci::{Descriptor, Document, media_type},
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, Nonsense},
        transport::scattered,
    },
};

impl Registries {
    /// Adds an entry to the list under a tag, and sees to it that it stays.
    ///
    /// # Errors
    /// If what the tag names is no list, or others overwrite it again and again.
    pub(super) async fn list(
        &self,
        host: &Host,
        repository: &Repository,
        tag: &str,
        entry: &Descriptor,
        deadline: Deadline,
    ) -> Result<(), FetchError> {
        let invalid = |what| FetchError::Invalid { peer: host.peer(), what };
        let entry_json = serde_json::to_value(entry)
            .map_err(|error| invalid(Nonsense::Json(std::sync::Arc::new(error))))?;
        let mut all = List::empty();
        all.add(entry.digest, entry_json);
        for round in 0..ROUNDS {
            let began = Instant::now();
            let kept = self.kept(host, repository, tag, deadline).await?;
            if kept.has(&all) {
                return Ok(());
            }
            let grown = kept.with(&mut all).to_string();
            if grown.len() as u64 > MANIFEST.bytes {
                let (peer, limit, what) = (host.peer(), MANIFEST.bytes, MANIFEST.what);
                return Err(FetchError::TooMuch { peer, limit, what });
            }
            self.put(host, repository, tag, media_type::OCI_INDEX, grown.into(), deadline).await?;
            let others = (began.elapsed() * 4).max(PAUSE) * (1 + round / 3);
            tokio::time::sleep(scattered(others * 2)).await;
        }
        Err(invalid(Nonsense::Contended))
    }

    /// Takes an entry out of the list under a tag, if it is in it, and says whether it was.
    ///
    /// # Errors
    /// If what the tag names is no list, or it cannot be written.
    pub(super) async fn unlist(
        &self,
        host: &Host,
        repository: &Repository,
        tag: &str,
        entry: Digest,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let kept = self.kept(host, repository, tag, deadline).await?;
        if !kept.digests.contains(&entry) {
            return Ok(false);
        }
        let less = kept.without(entry).to_string();
        self.put(host, repository, tag, media_type::OCI_INDEX, less.into(), deadline).await?;
        Ok(true)
    }

    /// The list as it is now; an empty one if there is none.
    async fn kept(
        &self,
        host: &Host,
        repository: &Repository,
        tag: &str,
        deadline: Deadline,
    ) -> Result<List, FetchError> {
        let at = Reference::Tag(tag);
        let read = self.manifest_at(host, repository, Action::PullAndPush, at, deadline).await;
        let fetched = match read {
            Ok(fetched) => fetched,
            Err(error) if error.is_absence() => return Ok(List::empty()),
            Err(error) => return Err(error),
        };
        let what = match fetched.document()? {
            Document::Index(index) if fetched.media_type == media_type::OCI_INDEX => {
                match serde_json::from_slice(&fetched.bytes) {
                    Ok(json) => {
                        let digests = index.manifests.iter().map(|entry| entry.digest).collect();
                        return Ok(List { digests, json });
                    }
                    Err(error) => Nonsense::Json(std::sync::Arc::new(error)),
                }
            }
            _ => Nonsense::Other("a fallback tag that is no list of referrers"),
        };
        Err(FetchError::Invalid { peer: host.peer(), what })
    }
}

/// A list of referrers, with whatever other clients wrote into it.
struct List {
    digests: Vec<Digest>,
    json: Value,
}

impl List {
    fn empty() -> Self {
        let json = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": [],
        });
        Self { digests: Vec::new(), json }
    }

    /// Whether everything that is in `other` is here too.
    fn has(&self, other: &Self) -> bool {
        other.digests.iter().all(|digest| self.digests.contains(digest))
    }

    fn without(self, entry: Digest) -> Value {
        let mut json = self.json;
        let is_entry = |one: &Value| one["digest"].as_str() == Some(entry.to_string().as_str());
        if let Some(entries) = json.get_mut("manifests").and_then(Value::as_array_mut) {
            entries.retain(|one| !is_entry(one));
        }
        json
    }

    fn add(&mut self, digest: Digest, entry: Value) {
        self.digests.push(digest);
        match self.json.get_mut("manifests").and_then(Value::as_array_mut) {
            Some(entries) => entries.push(entry),
            None => {
                if let Some(members) = self.json.as_object_mut() {
                    members.insert("manifests".into(), json!([entry]));
                }
            }
        }
    }

    /// This list with what is only in `all`, which learns what is only here.
    fn with(mut self, all: &mut Self) -> Value {
        for (digest, entry) in all.missing_in(&self) {
            self.add(digest, entry);
        }
        for (digest, entry) in self.missing_in(all) {
            all.add(digest, entry);
        }
        self.json
    }

    /// What is here and not in `other`.
    fn missing_in(&self, other: &Self) -> Vec<(Digest, Value)> {
        let entries = self.json.get("manifests").and_then(Value::as_array);
        let entries = entries.into_iter().flatten().cloned();
        let all = self.digests.iter().copied().zip(entries);
        all.filter(|(digest, _)| !other.digests.contains(digest)).collect()
    }
}

/// How often entries are added again; the deadline may end it sooner.
const ROUNDS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);
