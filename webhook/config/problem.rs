//! The ways in which a configuration can be wrong.

use std::{io, path::PathBuf};

use super::units::BadUnit;
use crate::{
    admission::{BadBreakGlass, BadNamespacePattern},
    name::{BadDigest, BadName, BadPattern, BadPinned},
    policy::RuleError,
    serve::TlsError,
    source::{RegistriesError, StoreOptionsError},
    verify::{BadAttests, BadIdentityMap, BadTrustedIdentity, KeyError, TrustError},
};

/// What is wrong with a configuration. Of the shape, one is told; of the contents, all are.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    // Of the shape.
    /// Not YAML, or not of the right types.
    #[error("{0}")]
    Shape(String),
    /// A key that is not known there.
    #[error("unknown key `{key}`; the nearest known one is `{nearest}`")]
    UnknownKey { key: String, nearest: &'static str },
    /// A word that is none of those that a key can have.
    #[error("`{value}` is none of the values that are known here: {known}")]
    UnknownValue { value: String, known: String },
    /// A key that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key twice in one place.
    #[error("`{0}` stands here twice")]
    Twice(String),

    // Of this program.
    /// A panic over the file, or over one that it names.
    #[error("reading it made countersign panic, which is a fault of countersign; report it")]
    Panicked,

    // Files.
    /// The configuration itself.
    #[error("cannot be read; check the path and its permissions")]
    Unread(#[source] io::Error),
    /// A file that the configuration names.
    #[error("{}: cannot be read; check the path and its permissions", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A file with nothing of use in it.
    #[error("{}: {problem}", path.display())]
    Pem { path: PathBuf, problem: &'static str },
    /// A file that leaves its secrets to a program.
    #[error(
        "{}: leaves credentials to docker-credential-{helper}, a program that is not run here; \
         name a file that holds them, such as a pull secret", path.display()
    )]
    Helper { path: PathBuf, helper: String },
    /// The files of `tls`, taken together.
    #[error("the files of `tls` cannot be used")]
    TlsFiles(#[source] TlsError),

    // Names.
    /// A pattern over repositories.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// A digest.
    #[error(transparent)]
    Digest(#[from] BadDigest),
    /// A repository with its digest.
    #[error(transparent)]
    Pinned(#[from] BadPinned),
    /// A project or a note.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A pattern over namespaces.
    #[error(transparent)]
    Namespace(#[from] BadNamespacePattern),
    /// A length of time or a size.
    #[error(transparent)]
    Unit(#[from] BadUnit),
    /// A time.
    #[error("\"{0}\" is no time; write it as 2026-12-31T00:00:00Z")]
    Time(String),
    /// An address to listen on.
    #[error("\"{0}\" is no address to listen on; write it as 0.0.0.0:8443")]
    Address(String),
    /// A URL, with what it must be.
    #[error("\"{url}\" is no URL that can be asked here; {wanted}")]
    Url { url: String, wanted: &'static str },
    /// A registry's host.
    #[error("\"{0}\" is no host; write it as image references do, with its port: registry.example")]
    Host(String),
    /// A mirror.
    #[error("\"{0}\" is no mirror; write it as host or host/prefix, without scheme")]
    Mirror(String),
    /// A platform.
    #[error("\"{0}\" is no platform; write it as linux/amd64 or linux/arm/v7")]
    Platform(String),
    /// A name of a store, an authority or a policy.
    #[error("\"{0}\" is no name; use a to z, 0 to 9, `.`, `_` and `-`, and begin with a letter")]
    BadName(String),
    /// A store that is called as another source is.
    #[error("\"{0}\" is what another source is called; give the store its own name")]
    TakenName(String),
    /// Two entries of one name.
    #[error("{kind} \"{name}\" stands on line {first} too; give each its own name")]
    SameName { kind: &'static str, name: String, first: u64 },

    // What must be said, and what excludes what.
    /// `unmatched`.
    #[error("`unmatched` is missing; say `deny` or `allow` for images that no policy enforces")]
    Unmatched,
    /// `tls`, for `serve`.
    #[error("`tls` is missing; the API server calls webhooks over TLS only")]
    Tls,
    /// A list without entries, or a number that makes no sense.
    #[error("`{key}` {why}")]
    Senseless { key: &'static str, why: &'static str },
    /// Keys that exclude each other, or need each other.
    #[error("{0}")]
    Choice(&'static str),

    // Authorities and their keys.
    /// A kind of payload.
    #[error(transparent)]
    Attests(#[from] BadAttests),
    /// Some of the certificates under a root.
    #[error(transparent)]
    TrustedIdentity(#[from] BadTrustedIdentity),
    /// Names of images elsewhere.
    #[error(transparent)]
    Identities(#[from] BadIdentityMap),
    /// The keys in a file.
    #[error("{}: holds no key that an authority can have", path.display())]
    Key { path: PathBuf, source: KeyError },
    /// The authorities together.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A source that is none.
    #[error("there is no source \"{name}\"; did you mean \"{nearest}\"?")]
    UnknownSource { name: String, nearest: String },

    // Servers, of which clients are made last.
    /// Something about registries that fits nothing.
    #[error(transparent)]
    Registries(#[from] RegistriesError),
    /// Something about a store that fits nothing.
    #[error(transparent)]
    Store(#[from] StoreOptionsError),

    // Rules.
    /// A rule that does not load.
    #[error("a rule of policy \"{policy}\" does not load")]
    Rule { policy: String, source: RuleError },
    /// An authority that is none.
    #[error("there is no authority \"{name}\"{}", hint(nearest.as_deref()))]
    UnknownAuthority { name: String, nearest: Option<String> },
    /// A threshold that proves nothing, or that cannot be reached.
    #[error("`atLeast: {at_least}` of {there} {of_what}; it must be from 1 to {there}")]
    AtLeast { at_least: String, there: usize, of_what: &'static str },
    /// Authorities that one person could speak for.
    #[error(
        "authorities \"{first}\" and \"{second}\" of one rule hold the same key, so that two are \
         no more than one; name only one of them"
    )]
    SharedInRule { first: String, second: String },

    // The ways past a policy.
    /// Break-glass for machines or for everybody.
    #[error(transparent)]
    BreakGlass(#[from] BadBreakGlass),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default()
}
