//! The server itself: `listen`, `tls`, `cache`, `limits`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{At, Size, Span};

/// Addresses to listen on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listen {
    /// HTTPS: `/validate` and `/mutate`. `0.0.0.0:8443` if absent.
    pub admission: Option<At<String>>,
    /// HTTP: `/livez`, `/readyz` and `/metrics`. `0.0.0.0:8081` if absent.
    pub probes: Option<At<String>>,
}

/// A certificate and its key in PEM, read again when they change.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// The chain of certificates, the server's own first.
    pub certificate: At<String>,
    /// The private key of the first certificate.
    pub key: At<String>,
    /// Certificates of those who may call; if absent, anybody may.
    pub client_ca: Option<At<String>>,
}

/// How long evidence is kept.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cache {
    /// How long evidence that was found may be believed without looking again; `5m` if absent.
    pub found: Option<Span>,
    /// How long "there is none" may be; `10s` if absent.
    pub none: Option<Span>,
    /// How many bytes it may take; `48MiB` if absent.
    pub memory: Option<At<Size>>,
}

/// What is too much.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a review; `8MiB` if absent.
    pub body: Option<At<Size>>,
    /// Images in one review; 500 if absent.
    pub images: Option<At<u32>>,
    /// Connections at a time; 1000 if absent. When all places are taken, who never asked anything
    /// gives way to a new one, then who has been idle longest, and nobody who waits for an answer.
    pub connections: Option<At<u32>>,
}
