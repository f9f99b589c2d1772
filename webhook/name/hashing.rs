//! Hashing what comes in pieces.

use sha2::{Digest as _, Sha256, Sha512};

use super::Digest;

/// A digest in the making.
///
/// ```
/// use countersign::name::{Digest, Hashing};
///
/// let mut hashing = Hashing::like(&Digest::sha256(b""));
/// hashing.update(b"a");
/// hashing.update(b"b");
/// assert_eq!(hashing.finish(), Digest::sha256(b"ab"));
/// ```
#[derive(Clone, Debug)]
pub struct Hashing(Algorithm);

#[derive(Clone, Debug)]
enum Algorithm {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hashing {
    /// Under the algorithm of `digest`.
    pub fn like(digest: &Digest) -> Self {
        Self(match digest {
            Digest::Sha256(_) => Algorithm::Sha256(Sha256::new()),
            Digest::Sha512(_) => Algorithm::Sha512(Sha512::new()),
        })
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Algorithm::Sha256(hash) => hash.update(bytes),
            Algorithm::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of all that came; it begins anew.
    pub fn finish(&mut self) -> Digest {
        match &mut self.0 {
            Algorithm::Sha256(hash) => Digest::Sha256(hash.finalize_reset().into()),
            Algorithm::Sha512(hash) => Digest::Sha512(hash.finalize_reset().into()),
        }
    }
}
