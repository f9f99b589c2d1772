//! The fallback tag: the list of referrers that clients keep where the registry has no API for it.
//!
//! A tag can only be read and written whole, and registries ignore `If-Match`, so two writers can
//! overwrite each other. Each therefore looks again after a while and adds its entry again if it is
//! gone.

use std::time::Duration;

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
        for round in 0..ROUNDS {
            let kept = self.kept(host, repository, tag, deadline).await?;
            if kept.names(entry.digest) {
                return Ok(());
            }
            let grown = kept.with(entry_json.clone()).to_string();
            if grown.len() as u64 > MANIFEST.bytes {
                let (peer, limit, what) = (host.peer(), MANIFEST.bytes, MANIFEST.what);
                return Err(FetchError::TooMuch { peer, limit, what });
            }
            self.put(host, repository, tag, media_type::OCI_INDEX, grown.into(), deadline).await?;
            tokio::time::sleep(scattered(PAUSE * (round + 1))).await;
        }
        if self.kept(host, repository, tag, deadline).await?.names(entry.digest) {
            return Ok(());
        }
        Err(invalid(Nonsense::Kept))
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

    fn names(&self, digest: Digest) -> bool {
        self.digests.contains(&digest)
    }

    fn with(self, entry: Value) -> Value {
        let mut json = self.json;
        match json.get_mut("manifests").and_then(Value::as_array_mut) {
            Some(entries) => entries.push(entry),
            None => {
                if let Some(members) = json.as_object_mut() {
                    members.insert("manifests".into(), json!([entry]));
                }
            }
        }
        json
    }
}

/// How often an entry is added again.
const ROUNDS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);
