//! Where a person's own credentials are: what `docker login` and `podman login` wrote.

use std::{env::var_os, path::PathBuf, sync::Arc};

use super::{
    credential::{Credential, CredentialRule},
    options::{CredentialOptions, CredentialSource},
};
use crate::{name::Repository, source::error::CredentialError};

impl CredentialSource {
    /// The files of logins that exist, in the order in which podman looks for them; the webhook
    /// itself goes by its configuration alone. The
    /// helpers that they name do not get to see the variables `hidden`.
    pub fn logins(hidden: &[String]) -> Vec<Self> {
        candidates(|name| var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
            .into_iter()
            .filter(|path| path.is_file())
            .map(|file| Self::Login { file, hidden: hidden.to_vec() })
            .collect()
    }

    /// What it has for a repository.
    ///
    /// # Errors
    /// Its file cannot be read, or the helper that the file names fails.
    pub async fn find(
        self,
        repository: &Repository,
    ) -> Result<Option<Credential>, Arc<CredentialError>> {
        let options = CredentialOptions { repositories: Vec::new(), source: self };
        CredentialRule::new(options).read(repository).await
    }
}

fn candidates(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(only) = variable("REGISTRY_AUTH_FILE") {
        return vec![only];
    }
    let home = variable("HOME");
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
    [
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        home.as_ref().map(|home| home.join(".config/containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_looked_for_where_they_are_written() {
        let (runtime, user) = ("/run/1/containers/auth.json", "/h/.config/containers/auth.json");
        for (name, variables, want) in [
            ("none", vec![], vec![]),
            ("home", vec![("HOME", "/h")], vec![user, "/h/.docker/config.json"]),
            (
                "all",
                vec![("HOME", "/h"), ("DOCKER_CONFIG", "/d"), ("XDG_RUNTIME_DIR", "/run/1")],
                vec![runtime, user, "/d/config.json"],
            ),
            ("one alone", vec![("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a")], vec!["/a"]),
        ] {
            let variable = |wanted: &str| {
                let mut set = variables.iter();
                set.find(|(name, _)| *name == wanted).map(|(_, value)| PathBuf::from(value))
            };
            assert_eq!(
                candidates(variable),
                want.iter().map(PathBuf::from).collect::<Vec<_>>(),
                "{name}"
            );
        }
    }
}
