//! Opening evidence: whose keys made which signatures over what.

use super::Trust;
use crate::attest::Candidate;
use crate::name::Digest;

/// What [`Trust::open`] found in one candidate; worth keeping while the trust stays the same.
#[derive(Clone, Debug)]
pub struct Opened;

impl Trust {
    /// Checks the signatures of a candidate against all keys. Crypto only, and dear: run it off
    /// the async threads.
    pub fn open(&self, _candidate: &Candidate, _image_ids: &[Digest]) -> Opened {
        Opened
    }
}

impl Opened {
    /// How many public-key operations it took.
    pub fn checks(&self) -> usize {
        0
    }

    /// About how many bytes it occupies.
    pub fn weight(&self) -> usize {
        0
    }
}
