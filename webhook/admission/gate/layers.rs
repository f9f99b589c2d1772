//! Having layers compared, where an attestation over an image ID counts for nothing without it.
//!
//! Only what has been signed by an authority's own key asks for it, and only where a policy can use
//! that authority: nobody else can make the gate read an image.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::timeout_at;

use crate::{
    name::PinnedImage,
    source::{Deadline, FetchError, LayerCheck},
    verify::{LayersUnchecked, Level, Verified},
};

use super::{Gate, Inspection, Policy, Uses, entry::Entry, subject::Subject};

impl Gate {
    /// Compares the layers of each platform of an image that an attestation waits for. Those that
    /// take longer than the review may go on: whoever asks again finds them done.
    pub(super) async fn check_layers(&self, subject: &mut Subject, deadline: Deadline) {
        if !self.options.trust.asks_for_layers() {
            return;
        }
        let checks = self.waiting(subject).into_iter().map(|(at, manifest)| async move {
            let check = self.options.evidence.check_layers(&manifest);
            let late = |_| LayerCheck::Failed(Arc::new(FetchError::Comparing(manifest.clone())));
            (at, timeout_at(deadline.instant().into(), check).await.unwrap_or_else(late))
        });
        let checks = join_all(checks).await;
        let Ok(gathered) = &mut subject.known else { return };
        if checks.is_empty() {
            return;
        }
        let gathered = Arc::make_mut(gathered);
        for (at, check) in checks {
            if let Some(runnable) = gathered.description.platforms.get_mut(at) {
                runnable.layers = check;
            }
        }
    }

    /// The manifests that attestations wait for, with the numbers of their platforms.
    fn waiting(&self, subject: &Subject) -> Vec<(usize, PinnedImage)> {
        let Some(PinnedImage { repository, .. }) = &subject.pinned else { return Vec::new() };
        let entries = self.recent.entries(&self.options.trust, subject, Timestamp::now());
        let waiting = entries.iter().enumerate().filter(|(_, entry)| self.waits(subject, entry));
        waiting
            .map(|(at, entry)| {
                let image =
                    PinnedImage { repository: repository.clone(), digest: entry.manifest() };
                (at, image)
            })
            .collect()
    }

    fn waits(&self, subject: &Subject, entry: &Entry) -> bool {
        let policies = || subject.policies.iter().filter_map(|at| self.options.policies.get(*at));
        entry.unchecked.iter().any(|one| {
            let counts_by = |verified: &Verified| one.is_repeated_by(verified);
            !entry.verified.iter().any(counts_by)
                && policies().any(|policy| policy.can_use(one, entry.is_in_index()))
        })
    }
}

impl Inspection {
    /// Whether layers are still being compared, so that the same question will have another answer.
    pub fn is_unfinished(&self) -> bool {
        let known = self.subjects.iter().filter_map(|subject| subject.known.as_ref().ok());
        known.flat_map(|gathered| &gathered.description.platforms).any(|platform| {
            let LayerCheck::Failed(error) = &platform.layers else { return false };
            matches!(**error, FetchError::Comparing(_))
        })
    }
}

impl Policy {
    /// Whether an attestation over an image ID could matter to it.
    fn can_use(&self, attestation: &LayersUnchecked, in_index: bool) -> bool {
        let counts = !in_index || self.platforms.count(Level::Config);
        let uses = |uses: &Uses| {
            !matches!(uses, Uses::Metadata(_)) && uses.covers(attestation.authority())
        };
        counts && self.rules.iter().any(|rule| uses(&rule.uses))
    }
}
