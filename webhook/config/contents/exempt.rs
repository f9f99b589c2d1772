//! The ways past a policy, and what none of them opens.

use std::collections::HashSet;

use super::Reading;
use crate::{
    admission,
    config::{
        At, Problem,
        document::{BreakGlass, Exception},
    },
    name::Digest,
};

/// `revoked`.
pub(in crate::config) fn revoked(
    reading: &mut Reading<'_>,
    texts: &[At<String>],
) -> HashSet<Digest> {
    reading.parse_all(texts).into_iter().collect()
}

/// `exceptions`. One whose time is past is kept, and counts no longer.
pub(in crate::config) fn exceptions(
    reading: &mut Reading<'_>,
    exceptions: &[At<Exception>],
) -> Vec<admission::Exception> {
    exceptions.iter().filter_map(|exception| self::exception(reading, exception)).collect()
}

fn exception(reading: &mut Reading<'_>, exception: &At<Exception>) -> Option<admission::Exception> {
    let senseless = |key, why| Problem::Senseless { key, why };
    if exception.images.is_empty() {
        reading.fail(exception.line, senseless("images", "is empty; name repository@digest"));
    }
    if exception.reason.trim().is_empty() {
        reading.fail(exception.reason.line, senseless("reason", "is empty; it goes to the log"));
    }
    let images = reading.parse_all(&exception.images);
    let namespaces = reading.parse_some("namespaces", exception.namespaces.as_ref());
    let until = reading.time(&exception.until)?;
    Some(admission::Exception { images, namespaces, until, reason: exception.reason.value.clone() })
}

/// `breakGlass`.
pub(in crate::config) fn break_glass(
    reading: &mut Reading<'_>,
    glass: &At<BreakGlass>,
) -> Option<admission::BreakGlass> {
    let until = reading.time(&glass.until);
    // The groups are checked all the same where the time is wrong.
    let made = admission::BreakGlass::new(glass.groups.clone(), until.unwrap_or_default());
    reading.take(glass.line, made).filter(|_| until.is_some())
}
