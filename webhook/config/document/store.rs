//! Grafeas servers: `stores`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{attest::grafeas::Version, config::At};

/// A Grafeas server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// What authorities and rules call it.
    pub name: At<String>,
    /// Its base URL, without `/v1`.
    pub url: At<String>,
    /// The version of the API that it speaks.
    pub api: Version,
    /// The project where occurrences are looked up: `projects/<project>`.
    pub project: At<String>,
    /// Notes whose unsigned occurrences rules may read: `projects/<project>/notes/*`.
    #[serde(default)]
    pub records: Vec<At<String>>,
    /// A file of certificates in PEM to trust beside the system's.
    pub ca: Option<At<String>>,
    /// What to show the server.
    pub client_certificate: Option<ClientCertificate>,
    /// What to send the server. Never over plain HTTP.
    pub token: Option<At<Token>>,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientCertificate {
    /// The chain of certificates, ours first.
    pub certificate: At<String>,
    /// The private key of the first.
    pub key: At<String>,
}

/// Where a bearer token comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Token {
    /// Google's metadata server; for `*.googleapis.com` only.
    Google(bool),
    /// A file, read again when it changes.
    File(String),
}
