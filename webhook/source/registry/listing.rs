//! The fallback tag: the list of referrers that clients keep where the registry has no API for it.
//!
//! A tag can only be read and written whole, and registries ignore `If-Match`, so two writers can
//! overwrite each other. Each therefore remembers every entry that it saw, looks again after it
//! wrote, and writes once more what is gone, unless its manifest is gone too. It waits longer than it took itself from reading to
//! writing, so that others who had read before it wrote have written by then.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Reference, Registries, host::Host, manifest::MANIFEST, session::Action};
use crate::{
    attest::oci::{Descriptor, Document, media_type},
    name::{Digest, Repository},
    source::{
        Deadline,
        error::{FetchError, ProtocolError},
        transport::scattered,
    },
};

impl Registries {
    /// Adds entries to the list of a subject's referrers, and sees to it that they stay; the list's
    /// tag.
    ///
    /// # Errors
    /// If what the tag names is no list, or others overwrite it again and again.
    pub async fn list_referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        entries: &[Descriptor],
        deadline: Deadline,
    ) -> Result<String, FetchError> {
        let tag = subject.fallback_tag();
        self.amend(repository, &tag, entries, &[], deadline).await?;
        Ok(tag)
    }

    /// Takes entries out of the list of a subject's referrers, if there is one, and sees to it that
    /// they stay out; whether any was in it.
    ///
    /// # Errors
    /// As for [`Registries::list_referrers`].
    pub async fn unlist_referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        entries: &[Digest],
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        self.amend(repository, &subject.fallback_tag(), &[], entries, deadline).await
    }

    /// Whether there was anything to do.
    async fn amend(
        &self,
        repository: &Repository,
        tag: &str,
        added: &[Descriptor],
        removed: &[Digest],
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let host = self.enter(repository)?;
        let invalid = |what| FetchError::Invalid { peer: host.peer(), what };
        let mut all = List::empty();
        for entry in added {
            let json = serde_json::to_value(entry)
                .map_err(|error| invalid(ProtocolError::Json(std::sync::Arc::new(error))))?;
            all.add(entry.digest, json);
        }
        for round in 0..ROUNDS {
            let began = Instant::now();
            let mut kept = self.kept(&host, repository, tag, deadline).await?;
            for (digest, _) in all.missing_in(&kept) {
                // Others lose entries, and they remove them.
                let is_ours = added.iter().any(|entry| entry.digest == digest);
                if !is_ours && self.is_gone(&host, repository, digest, deadline).await? {
                    all.remove(&[digest]);
                }
            }
            if kept.has(&all) && !removed.iter().any(|digest| kept.digests.contains(digest)) {
                return Ok(round > 0);
            }
            kept.remove(removed);
            let changed = kept.with(&mut all).to_string();
            if changed.len() as u64 > MANIFEST.bytes {
                let (peer, limit, what) = (host.peer(), MANIFEST.bytes, MANIFEST.what);
                return Err(FetchError::TooMuch { peer, limit, what });
            }
            self.put(&host, repository, tag, media_type::OCI_INDEX, changed.into(), deadline)
                .await?;
            let others = (began.elapsed() * 4).max(PAUSE) * (1 + round / 3);
            tokio::time::sleep(scattered(others * 2)).await;
        }
        Err(invalid(ProtocolError::Contended))
    }

    /// Whether a manifest is not there, or no more.
    async fn is_gone(
        &self,
        host: &Host,
        repository: &Repository,
        digest: Digest,
        deadline: Deadline,
    ) -> Result<bool, FetchError> {
        let at = Reference::Digest(digest);
        match self.manifest_at(host, repository, Action::PullAndPush, at, deadline).await {
            Ok(_) => Ok(false),
            Err(error) if error.is_absence() => Ok(true),
            Err(error) => Err(error),
        }
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
                    Err(error) => ProtocolError::Json(std::sync::Arc::new(error)),
                }
            }
            _ => ProtocolError::Other("a fallback tag that is no list of referrers"),
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

    fn remove(&mut self, unwanted: &[Digest]) {
        let mut kept = self.digests.iter().map(|digest| !unwanted.contains(digest));
        if let Some(entries) = self.json.get_mut("manifests").and_then(Value::as_array_mut) {
            entries.retain(|_| kept.next().unwrap_or(true));
        }
        self.digests.retain(|digest| !unwanted.contains(digest));
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

/// How often a change is made again; the deadline may end it sooner.
const ROUNDS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);
