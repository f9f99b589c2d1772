//! What a keyring holds, in words for people.

use jiff::Timestamp;
use sequoia_openpgp::Cert;

use super::standing::{lenient, system_time};
use crate::name::escape;

/// The user IDs of a certificate that are not revoked, the primary one first.
pub fn user_ids(cert: &Cert, now: Timestamp) -> Vec<String> {
    let policy = lenient();
    let Ok(valid) = cert.with_policy(&policy, system_time(now)) else {
        return Vec::new();
    };
    valid
        .userids()
        .revoked(false)
        .take(MAX_USERS)
        .map(|user| escape(&String::from_utf8_lossy(user.userid().value()), 256))
        .collect()
}

/// More user IDs than people have.
const MAX_USERS: usize = 16;
