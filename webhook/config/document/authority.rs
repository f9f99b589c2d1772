//! Who may say what: `authorities`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::At,
    verify::{AfterExpiry, Identity, LayersCheckedBy},
};

/// A set of keys with a scope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authority {
    /// What rules call it.
    pub name: At<String>,
    /// Files of public keys.
    #[serde(default)]
    pub keys: Vec<At<KeyFile>>,
    /// Whose certificates count under the roots of `x509` keys, as Notation's trust policies name
    /// them: `x509.subject: C=US, ST=WA, O=acme.example`; everybody's if absent.
    pub trusted_identities: Option<At<Vec<At<String>>>>,
    /// From stores, only occurrences of this note count; without it, none do.
    pub note: Option<At<String>>,
    /// What it may attest: `simple-signing` (alone, if absent), `image-id`, `notation`,
    /// `metadata/<type>`, `metadata/*`, the URI of a predicate type, `embedded:<URI>`.
    pub attests: Option<At<Vec<At<String>>>>,
    /// Which sources its signatures may come from: names of stores, `referrers`, `tags`,
    /// `lookaside`; all if absent.
    pub sources: Option<At<Vec<At<String>>>>,
    /// What a payload must name; `repository` if absent.
    #[serde(default)]
    pub identity: Identity,
    /// Patterns of where we know images, each with the pattern of where the signer knew them.
    pub identities: Option<At<std::collections::BTreeMap<String, At<String>>>>,
    /// What an expired key's signatures are worth; `reject` if absent.
    #[serde(default)]
    pub after_expiry: AfterExpiry,
    /// For `image-id`: who compares the layers. Without it such signatures are rejected.
    pub layers_checked_by: Option<LayersCheckedBy>,
    /// Whether another authority, which says so too, may hold the same key.
    #[serde(default)]
    pub shared_key: bool,
}

/// A file of public keys.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum KeyFile {
    /// An OpenPGP certificate or a keyring, armored or binary.
    Openpgp(String),
    /// A PEM public key: ECDSA, RSA or Ed25519.
    Pkix(String),
    /// PEM certificates: roots under whose certificates Notation signs, or such as signed
    /// themselves.
    X509(String),
}
