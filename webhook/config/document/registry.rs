//! Registries: `registries`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::At;

/// Registries: which may be asked, and what is special about them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registries {
    /// Patterns of repositories that may be asked at all: `*` is one part of a path, `**` any.
    pub allow: Option<At<Vec<At<String>>>>,
    /// Registries that are special in some way.
    #[serde(default)]
    pub hosts: Vec<At<Host>>,
}

/// One registry. A host that is named here may be loopback or private; others may not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    /// As image references write it, with its port.
    pub host: At<String>,
    /// Without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// A file of certificates in PEM to trust beside the system's.
    pub ca: Option<At<String>>,
    /// The first that is for a repository is used for it, at this host and its token realm only.
    #[serde(default)]
    pub credentials: Vec<At<Credential>>,
    /// The token service, where it is on another host.
    pub token_realm: Option<At<String>>,
    /// `host/prefix` of mirrors, asked for manifests and blobs by digest only.
    #[serde(default)]
    pub mirrors: Vec<At<String>>,
    /// Where podman and skopeo keep simple signatures.
    pub lookaside: Option<At<String>>,
}

/// A credential and what it is for: `dockerConfig`, or `username` and `passwordFile`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// Patterns of paths on the host; all of them if absent.
    pub repositories: Option<At<Vec<At<String>>>>,
    /// The file that `docker login` writes, read again when it changes.
    pub docker_config: Option<At<String>>,
    /// Who to be.
    pub username: Option<At<String>>,
    /// A file with the password, read again when it changes.
    pub password_file: Option<At<String>>,
}
