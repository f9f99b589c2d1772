//! What is looked for, by the authorities and rules of one configuration.

use std::sync::Arc;

use crate::{
    attest::sources::REFERRERS,
    name::NoteName,
    verify::{Attests, Key as SigningKey, Trust},
};

use super::{answer::Answer, index::Interest, lookup::Place, referrers::Takes};

/// What decides, beside the sources themselves, what an answer holds.
#[derive(Debug)]
pub struct Query {
    /// Whose signatures are checked.
    pub trust: Arc<Trust>,
    /// The notes of all authorities.
    pub notes: Vec<NoteName>,
    /// What is read of referrers.
    pub takes: Takes,
    /// What is read of indexes.
    pub interest: Interest,
}

impl Query {
    /// What can count for these authorities, or is read by a rule.
    pub fn new(trust: Arc<Trust>, reads_statements: bool) -> Self {
        let authorities = trust.authorities();
        let mut notes: Vec<NoteName> =
            authorities.iter().filter_map(|authority| authority.note.clone()).collect();
        notes.sort();
        notes.dedup();
        let cosign = authorities.iter().any(|authority| {
            let has_pkix = authority.keys.iter().any(|key| matches!(key, SigningKey::Pkix(_)));
            has_pkix && authority.takes_from(REFERRERS)
        });
        let notation = authorities
            .iter()
            .any(|authority| authority.has_roots() && authority.takes_from(REFERRERS));
        let is_metadata =
            |attests: &Attests| matches!(attests, Attests::Metadata(_) | Attests::AnyMetadata);
        let metadata =
            authorities.iter().any(|authority| authority.attests.iter().any(is_metadata));
        let interest = Interest::new(&trust, reads_statements);
        Self { notes, takes: Takes { cosign, notation, metadata }, interest, trust }
    }

    /// Whether looking for this at `place` would find what `answer` holds, which may have been
    /// looked up for an earlier configuration. That is found out once after a reload, and kept.
    pub fn fits(self: &Arc<Self>, place: &Place, answer: &Answer) -> bool {
        let earlier = answer.query.load();
        if Arc::ptr_eq(self, &earlier) {
            return true;
        }
        let reads_the_same = match place {
            Place::Store(_) => self.notes == earlier.notes,
            Place::Referrers => self.takes == earlier.takes,
            Place::Index(_) => self.interest == earlier.interest,
            Place::Tags | Place::Lookaside => true,
        };
        let mut opened = answer.opened.iter();
        let fits =
            reads_the_same && opened.all(|opened| self.trust.opens_alike(opened, &earlier.trust));
        if fits {
            answer.query.store(Arc::clone(self));
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_outlived_a_reload_is_known_to() {
        let query = || Arc::new(Query::new(Arc::new(Trust::new(Vec::new()).unwrap()), false));
        let (before, after) = (query(), query());
        let answer = Answer::nothing(Arc::clone(&before));
        assert!(after.fits(&Place::Tags, &answer));
        assert!(Arc::ptr_eq(&after, &answer.query.load()), "not compared again");
        assert_eq!(Arc::strong_count(&before), 1, "what was in force before is let go");
    }
}
