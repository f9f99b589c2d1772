//! The two ways past a policy, and who may go them (P12).
//!
//! Nothing in an object relaxes a check by itself: an exception stands in the configuration and
//! names a digest, and the break-glass annotation counts for those who are in a configured group,
//! in the one request that brings it. Both end. Neither opens `revoked`, which is the gate's to see
//! to.

use jiff::Timestamp;

use super::{
    namespaces::NamespacePattern,
    review::{Operation, Review},
};
use crate::name::PinnedImage;

/// Images that are let in whatever a policy says.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Exactly these.
    pub images: Vec<PinnedImage>,
    /// Where; everywhere if absent.
    pub namespaces: Option<Vec<NamespacePattern>>,
    /// From then on the exception does not count.
    pub until: Timestamp,
    /// Why, for the log.
    pub reason: String,
}

impl Exception {
    /// The first of `exceptions` that lets `image` into `namespace` at `now`.
    pub fn find<'e>(
        exceptions: &'e [Self],
        image: &PinnedImage,
        namespace: &str,
        now: Timestamp,
    ) -> Option<&'e Self> {
        exceptions.iter().find(|exception| exception.covers(image, namespace, now))
    }

    fn covers(&self, image: &PinnedImage, namespace: &str, now: Timestamp) -> bool {
        let here = self
            .namespaces
            .as_ref()
            .is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(namespace)));
        here && now < self.until && self.images.contains(image)
    }
}

/// Who may let a Pod in by annotating it, and until when.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    groups: Vec<String>,
    until: Timestamp,
}

impl BreakGlass {
    /// Break-glass for members of `groups`, until `until`.
    ///
    /// # Errors
    /// No group, or one that machines or everybody are in.
    pub fn new(groups: Vec<String>, until: Timestamp) -> Result<Self, BadBreakGlass> {
        if groups.is_empty() {
            return Err(BadBreakGlass::NoGroups);
        }
        for group in &groups {
            let name = group.trim();
            if name.is_empty() {
                return Err(BadBreakGlass::NoGroups);
            }
            if MACHINES.contains(&name) || name.starts_with("system:serviceaccounts:") {
                return Err(BadBreakGlass::Machines(group.clone()));
            }
            if EVERYBODY.contains(&name) {
                return Err(BadBreakGlass::Everybody(group.clone()));
            }
        }
        Ok(Self { groups, until })
    }

    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The reason that this review gives for breaking the glass, if it may at `now`.
    ///
    /// It may when a person of a configured group creates or changes a Pod, and this very request
    /// brings the annotation: one that is stored already was for an earlier request.
    pub fn reason(&self, review: &Review<'_>, now: Timestamp) -> Option<String> {
        let mut groups = review.user.groups.iter().map(|group| group.0.as_ref());
        let person = !MACHINE_USERS.iter().any(|user| review.user.username.starts_with(user))
            && !groups.clone().any(|group| MACHINES.contains(&group));
        let member = groups.any(|group| self.groups.iter().any(|known| known == group));
        let pod = review.resource.group.is_empty() && review.resource.resource == "pods";
        if !(person && member && pod && now < self.until) {
            return None;
        }
        let old = match review.operation {
            Operation::Create => None,
            Operation::Update => review.old_object.as_ref()?.break_glass()?,
            Operation::Delete | Operation::Connect => return None,
        };
        let new = review.object.as_ref()?.break_glass()??;
        (!new.trim().is_empty() && old.as_ref() != Some(&new)).then_some(new)
    }
}

/// Why break-glass cannot be for these.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadBreakGlass {
    /// For nobody.
    #[error("break-glass names no group; name those who are on call, or leave it out")]
    NoGroups,
    /// For programs, which cannot answer for it.
    #[error("group \"{0}\" is of service accounts or nodes; break-glass is for people")]
    Machines(String),
    /// For all.
    #[error("everybody is in group \"{0}\"; name those who are on call")]
    Everybody(String),
}

/// Groups of programs.
const MACHINES: [&str; 2] = ["system:serviceaccounts", "system:nodes"];

/// Groups that everybody is in, or everybody who is nobody.
const EVERYBODY: [&str; 2] = ["system:authenticated", "system:unauthenticated"];

/// How the names of programs begin, whatever their groups.
const MACHINE_USERS: [&str; 2] = ["system:serviceaccount:", "system:node:"];
