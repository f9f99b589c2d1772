//! What a signer asks before it writes: what stands under its notes about its images already.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::AtomicU64},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, value::RawValue};

use super::{
    AT_ONCE, GrafeasStore, Route,
    filter::filters,
    listing::{Outcome, Reach},
    readback::holds,
    sieve::Sieve,
};
use crate::{
    attest::{Candidate, grafeas::Occurrence},
    name::{NoteName, PinnedImage},
    source::{Deadline, FetchError},
};

/// What a store holds about images, by image.
pub type Filed = HashMap<PinnedImage, FiledAbout>;

/// What a store holds about one image under the notes that were asked for.
#[derive(Clone, Debug, Default)]
pub struct FiledAbout {
    /// Signed, not verified.
    pub candidates: Vec<Candidate>,
    /// Unsigned, as rules see them.
    records: Vec<Value>,
}

impl GrafeasStore {
    /// What stands under `notes` about `images`. One image is asked for by name, several by reading
    /// the notes' lists once; a note that the store does not know holds nothing.
    ///
    /// # Errors
    /// [`FetchError`] if a list could not be read whole.
    pub async fn filed(
        &self,
        images: &[PinnedImage],
        notes: &[NoteName],
        deadline: Deadline,
    ) -> Result<Filed, FetchError> {
        let sieve = Arc::new(Sieve {
            source: Arc::clone(&self.options.name),
            project: self.options.project.clone(),
            images: images.iter().cloned().collect(),
            notes: notes.iter().cloned().collect(),
            records: notes.iter().filter_map(|note| note.as_str().parse().ok()).collect(),
            held: AtomicU64::new(0),
        });
        let filters = match images {
            [one] => filters(self.options.api, &one.repository, &[one.digest]),
            _ => vec![None],
        };
        let notes: HashSet<&NoteName> = notes.iter().collect();
        let routes = notes.into_iter().flat_map(|note| {
            filters.iter().map(move |filter| Route {
                parent: note.to_string(),
                note: Some(note.clone()),
                filter: filter.clone(),
                reach: Reach::ToTheEnd,
            })
        });
        let lists: Vec<Outcome> = stream::iter(routes)
            .map(|route| {
                let sieve = &sieve;
                async move { self.list(&route, sieve, deadline).await }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let mut filed = Filed::new();
        let mut seen = HashSet::new();
        for outcome in lists {
            let Outcome::Found(found) = outcome else { continue };
            for sifted in found.kept {
                if seen.insert(sifted.name) {
                    let about = filed.entry(sifted.image).or_default();
                    about.candidates.extend(sifted.candidates);
                    about.records.extend(sifted.record.map(|(_, record)| record));
                }
            }
        }
        Ok(filed)
    }
}

impl FiledAbout {
    /// The name of an unsigned occurrence that says all that `occurrence` says, which is given in
    /// v1beta1's shape.
    pub fn record(&self, occurrence: &Value) -> Option<&str> {
        let raw = RawValue::from_string(occurrence.to_string()).ok()?;
        let record = Occurrence::read(&raw).ok()?.evidence(&"".into()).record?;
        let mut wanted = serde_json::to_value(record).ok()?;
        let members = wanted.as_object_mut()?;
        members.retain(|name, _| !SERVERS.contains(&name.as_str()));
        let known = self.records.iter().find(|known| holds(known, &wanted))?;
        known.get("name").and_then(Value::as_str)
    }
}

/// Members of a record that say where it stands, and not what it says.
const SERVERS: [&str; 4] = ["source", "name", "resource", "recordedAt"];
