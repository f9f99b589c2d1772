//! The shape of the configuration file: every key, its type and its default.
//!
//! What is a name, an address or a path is text here, and parsed when the contents are checked, so
//! that all of them that are wrong are told at once.

mod authority;
mod exempt;
mod policy;
mod registry;
mod server;
mod store;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{At, Span};

pub use authority::{Authority, KeyFile};
pub use exempt::{BreakGlass, Exception};
pub use policy::{Match, Mode, Platforms, Policy, Rule};
pub use registry::{Credential, Host, Registries};
pub use server::{Cache, Limits, Listen, Tls};
pub use store::{ClientCertificate, Store, Token};

/// The configuration of `countersign serve`, which `verify` and `evidence` read too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Countersign configuration")]
pub struct Document {
    /// Addresses to listen on.
    #[serde(default)]
    pub listen: Listen,
    /// The certificate of the webhook. `serve` needs it; other commands do not read it.
    pub tls: Option<At<Tls>>,
    /// Longest time for one review; the caller's own limit wins where it is shorter.
    pub deadline: Option<At<Span>>,
    /// What becomes of a Pod's image without a digest at `/validate`; `deny` if absent.
    #[serde(default)]
    pub unpinned: Permission,
    /// How complaints about Pod templates are taken; `deny` if absent.
    #[serde(default)]
    pub templates: Templates,
    /// Platforms of an index that can run here, such as `linux/amd64`; all of them if absent.
    pub cluster_platforms: Option<At<Vec<At<String>>>>,
    /// What becomes of an image that no enforcing policy matches. It must be said.
    pub unmatched: Option<Permission>,
    /// How long evidence is kept.
    #[serde(default)]
    pub cache: Cache,
    /// What is too much.
    #[serde(default)]
    pub limits: Limits,
    /// Registries: which may be asked, and what is special about them.
    #[serde(default)]
    pub registries: Registries,
    /// Grafeas servers.
    #[serde(default)]
    pub stores: Vec<At<Store>>,
    /// Who may say what.
    #[serde(default)]
    pub authorities: Vec<At<Authority>>,
    /// What must be so of which images.
    #[serde(default)]
    pub policies: Vec<At<Policy>>,
    /// Digests that are denied at once, in every mode.
    #[serde(default)]
    pub revoked: Vec<At<String>>,
    /// Images that are let in whatever a policy says, until a time.
    #[serde(default)]
    pub exceptions: Vec<At<Exception>>,
    /// Who may let a Pod in by annotating it, until a time.
    pub break_glass: Option<At<BreakGlass>>,
}

/// Whether something is let pass.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// It is not.
    #[default]
    Deny,
    /// It is.
    Allow,
}

/// How complaints about Pod templates are taken: the Pods made from them are judged anyway.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Templates {
    /// As those about Pods.
    #[default]
    Deny,
    /// As warnings.
    Warn,
    /// Not at all: templates are not looked at.
    Ignore,
}
