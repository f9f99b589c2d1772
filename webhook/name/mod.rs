//! What things are called: digests, image references, Grafeas names, fingerprints, reason codes.
//!
//! Whatever crosses a boundary is parsed here once, into a type that cannot be wrong. Nothing in
//! this module does I/O or looks at a clock.

mod code;
mod digest;
mod fingerprint;
mod grafeas;
mod pattern;
mod pinned;
mod reference;
mod repository;
mod serial;
mod text;

pub use code::Code;
pub use code::UnknownCode;
pub use digest::BadDigest;
pub use digest::Digest;
pub use fingerprint::BadFingerprint;
pub use fingerprint::Fingerprint;
pub use grafeas::BadName;
pub use grafeas::NoteName;
pub use grafeas::NotePattern;
pub use grafeas::OccurrenceName;
pub use grafeas::ProjectName;
pub use pattern::BadPattern;
pub use pattern::Pattern;
pub use pinned::BadPinned;
pub use pinned::PinnedImage;
pub use reference::BadReference;
pub use reference::ImageRef;
pub use repository::BadRepository;
pub use repository::Repository;
pub use text::escape;
