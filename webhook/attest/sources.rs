//! The names of the sources that are no stores, as policies and configurations spell them.

/// What refers to an image, in its registry.
pub const REFERRERS: &str = "referrers";

/// The tags that cosign keeps beside an image.
pub const TAGS: &str = "tags";

/// The signatures that a server keeps for the images of a registry.
pub const LOOKASIDE: &str = "lookaside";

/// What an index holds about its own manifests.
pub const INDEX: &str = "index";

/// All of them.
pub const BUILT_IN: [&str; 4] = [REFERRERS, TAGS, LOOKASIDE, INDEX];
