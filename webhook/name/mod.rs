//! What things are called: digests, image references, Grafeas names, fingerprints, reason codes.
//!
//! Whatever crosses a boundary is parsed here once, into a type that cannot be wrong. Nothing in
//! this module does I/O or looks at a clock.

mod code;
mod digest;
mod fingerprint;
mod grafeas;
mod hashing;
mod pattern;
mod pinned;
mod reference;
mod repository;
mod serial;
mod text;

pub use code::{Code, UnknownCode};
pub use digest::{BadDigest, Digest};
pub use fingerprint::{BadFingerprint, Fingerprint};
pub use grafeas::{BadName, NoteName, NotePattern, OccurrenceName, ProjectName};
pub use hashing::Hashing;
pub use pattern::{BadPattern, Pattern};
pub use pinned::{BadPinned, PinnedImage};
pub use reference::{BadReference, ImageRef};
pub use repository::{BadRepository, Repository};
pub use text::{escape, escape_json, escaped};
