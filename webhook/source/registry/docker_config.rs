//! The file that `docker login` and `podman login` write.

use std::{collections::BTreeMap, path::Path};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::credential::Credential;
use crate::{
    name::Repository,
    source::{error::CredentialError, read_file, secret::Secret},
};

/// The credentials of a docker configuration, by what they are for.
///
/// Helpers (`credHelpers`, `credsStore`) are programs, which a webhook does not run.
pub(super) struct DockerConfig {
    credentials: Vec<(Key, Credential)>,
    helpers: Vec<(Key, String)>,
    /// The helper for all other hosts.
    store: Option<String>,
}

/// The first credential helper that the file at `path` names, if it can be read and names any.
pub fn helper_named_in(path: &Path) -> Option<String> {
    let text = Zeroizing::new(String::from_utf8(read_file(path, LARGEST).ok()?).ok()?);
    let DockerConfig { helpers, store, .. } = DockerConfig::parse(path, &text).ok()?;
    helpers.into_iter().map(|(_, helper)| helper).chain(store).next()
}

/// A host, and the start of a path on it.
#[derive(Debug, Eq, PartialEq)]
struct Key {
    host: String,
    path: String,
}

impl DockerConfig {
    /// Reads the text of the file at `path`, which is named in errors.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, CredentialError> {
        let path = || path.display().to_string();
        let file: File = serde_json::from_str(text)
            .map_err(|source| CredentialError::Json { path: path(), source })?;
        let mut found = Vec::new();
        for (key, entry) in file.auths {
            let credential = entry
                .credential()
                .map_err(|()| CredentialError::Auth { path: path(), key: key.clone() })?;
            found.extend(credential.map(|credential| (Key::parse(&key), credential)));
        }
        found.sort_by_key(|(key, _)| std::cmp::Reverse(key.path.len()));
        let helpers = file.cred_helpers.into_iter();
        let helpers = helpers.map(|(key, helper)| (Key::parse(&key), helper)).collect();
        let store = Some(file.creds_store).filter(|helper| !helper.is_empty());
        Ok(Self { credentials: found, helpers, store })
    }

    /// The helper that has the credential for a host, if one has.
    pub(super) fn helper(&self, host: &str) -> Option<&str> {
        let own = self.helpers.iter().find(|(key, _)| key.path.is_empty() && key.host == host);
        own.map(|(_, helper)| helper).or(self.store.as_ref()).map(String::as_str)
    }

    /// The most specific credential for a repository; paths match whole parts.
    pub(super) fn find(&self, repository: &Repository) -> Option<&Credential> {
        self.credentials
            .iter()
            .find(|(key, _)| key.covers(repository))
            .map(|(_, credential)| credential)
    }
}

impl Key {
    /// A key may be a host, a host and the start of a path, or a URL as old clients wrote it, whose
    /// path is only a version.
    fn parse(text: &str) -> Self {
        let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let (host, path) =
            bare.unwrap_or(text).split_once('/').unwrap_or((bare.unwrap_or(text), ""));
        let mut path = path.trim_matches('/');
        if let Some(rest) = path.strip_prefix("v1").or_else(|| path.strip_prefix("v2"))
            && (rest.is_empty() || rest.starts_with('/'))
        {
            path = rest.trim_matches('/');
        }
        let host = host.to_ascii_lowercase();
        let host = if HUB.contains(&host.as_str()) { "docker.io".to_owned() } else { host };
        Self { host, path: path.to_owned() }
    }

    fn covers(&self, repository: &Repository) -> bool {
        self.host.eq_ignore_ascii_case(repository.host())
            && repository.path().strip_prefix(&self.path).is_some_and(|rest| {
                self.path.is_empty() || rest.is_empty() || rest.starts_with('/')
            })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Secret,
    username: Secret,
    password: Secret,
    identitytoken: Secret,
    registrytoken: Secret,
}

impl Entry {
    /// As docker takes them: a registry token before an identity token before a password, and
    /// `auth` before `username` and `password`. An empty entry, which means that a helper has it, is
    /// none.
    fn credential(&self) -> Result<Option<Credential>, ()> {
        let given = |secret: &Secret| !secret.reveal().is_empty();
        if given(&self.registrytoken) {
            return Ok(Some(Credential::RegistryToken(self.registrytoken.clone())));
        }
        if given(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(self.identitytoken.clone())));
        }
        if !given(&self.auth) {
            let whole = given(&self.username) && given(&self.password);
            return Ok(whole.then(|| Credential::Password {
                username: self.username.reveal().to_owned(),
                password: self.password.clone(),
            }));
        }
        let auth = self.auth.reveal().trim();
        let bytes = Zeroizing::new(PADDED_OR_NOT.decode(auth).map_err(drop)?);
        let (username, password) =
            std::str::from_utf8(&bytes).ok().and_then(|pair| pair.split_once(':')).ok_or(())?;
        let password = Secret::new(password.trim_end_matches('\0').to_owned());
        Ok(Some(Credential::Password { username: username.to_owned(), password }))
    }
}

/// Bytes of a file that are read.
pub(super) const LARGEST: u64 = 1 << 20;

const HUB: [&str; 3] = ["index.docker.io", "registry-1.docker.io", "docker.io"];

const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_each_repository_gets_its_own_credential() {
        // `dTpw` is `u:p`.
        for (name, auths, repository, want) in [
            ("host", r#"{"r.example":{"auth":"dTpw"}}"#, "r.example/a/b", "u:p"),
            ("other host", r#"{"r.example":{"auth":"dTpw"}}"#, "r.example.evil.example/a", "none"),
            ("other port", r#"{"r.example":{"auth":"dTpw"}}"#, "r.example:5000/a", "none"),
            ("old key", r#"{"https://r.example/v1/":{"auth":"dTpw"}}"#, "r.example/a/b", "u:p"),
            (
                "hub",
                r#"{"https://index.docker.io/v1/":{"auth":"dTpw"}}"#,
                "docker.io/library/nginx",
                "u:p",
            ),
            (
                "most specific",
                r#"{"r.example":{"auth":"dTpw"},"r.example/a":{"auth":"dTpx"}}"#,
                "r.example/a/b",
                "u:q",
            ),
            ("path at a boundary", r#"{"r.example/a":{"auth":"dTpw"}}"#, "r.example/ab/c", "none"),
            ("whole path", r#"{"r.example/a/b":{"auth":"dTpw"}}"#, "r.example/a/b", "u:p"),
            ("a path named v1x", r#"{"r.example/v1x":{"auth":"dTpw"}}"#, "r.example/v1x/a", "u:p"),
            ("unpadded", r#"{"r.example":{"auth":"dTpwcA"}}"#, "r.example/a", "u:pp"),
            (
                "colon in the password",
                r#"{"r.example":{"auth":"dTpwOnE="}}"#,
                "r.example/a",
                "u:p:q",
            ),
            ("apart", r#"{"r.example":{"username":"u","password":"p"}}"#, "r.example/a", "u:p"),
            (
                "auth wins",
                r#"{"r.example":{"auth":"dTpw","username":"x","password":"y"}}"#,
                "r.example/a",
                "u:p",
            ),
            (
                "identity",
                r#"{"r.example":{"auth":"dTo=","identitytoken":"t"}}"#,
                "r.example/a",
                "identity t",
            ),
            (
                "registry token",
                r#"{"r.example":{"registrytoken":"t","identitytoken":"x"}}"#,
                "r.example/a",
                "registry t",
            ),
            ("kept by a helper", r#"{"r.example":{}}"#, "r.example/a", "none"),
            (
                "no base64",
                r#"{"r.example":{"auth":"!"}}"#,
                "r.example/a",
                "c.json has an `auth` for r.example",
            ),
            (
                "no colon",
                r#"{"r.example":{"auth":"dQ=="}}"#,
                "r.example/a",
                "c.json has an `auth` for r.example",
            ),
            ("no JSON", "[", "r.example/a", "c.json is not the JSON"),
        ] {
            let text = format!(r#"{{"auths":{auths},"credsStore":""}}"#);
            let got = match DockerConfig::parse(Path::new("c.json"), &text) {
                Err(error) => error.to_string(),
                Ok(config) => match config.find(&repository.parse().unwrap()) {
                    None => "none".to_owned(),
                    Some(Credential::Password { username, password }) => {
                        format!("{username}:{}", password.reveal())
                    }
                    Some(Credential::IdentityToken(token)) => {
                        format!("identity {}", token.reveal())
                    }
                    Some(Credential::RegistryToken(token)) => {
                        format!("registry {}", token.reveal())
                    }
                },
            };
            assert!(got.starts_with(want), "{name}: {got}");
        }
    }

    #[test]
    fn each_host_has_its_own_helper_or_that_of_all() {
        let text = r#"{"credHelpers":{"r.example":"one","https://index.docker.io/v1/":"hub","":""},
            "credsStore":"all"}"#;
        let config = DockerConfig::parse(Path::new("c.json"), text).unwrap();
        let alone = DockerConfig::parse(Path::new("c.json"), r#"{"credsStore":""}"#).unwrap();
        for (host, want) in
            [("r.example", "one"), ("docker.io", "hub"), ("r.example:5000", "all"), ("x", "all")]
        {
            assert_eq!(config.helper(host), Some(want), "{host}");
            assert_eq!(alone.helper(host), None, "{host}");
        }
    }
}
