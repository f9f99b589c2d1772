//! How a command talks to the registries of the images that it is given.

use std::{path::PathBuf, sync::Arc};

use crate::{
    name::Repository,
    source::{CredentialOptions, CredentialSource, HostOptions, Registries, RegistriesOptions},
};

use super::{
    super::{Failure, secret},
    login::LoginArguments,
    pem,
};

/// How to talk to the registries of the images.
#[derive(Debug, clap::Args)]
pub struct RegistryArguments {
    /// Talk to the registries without TLS (loopback ones need no flag)
    #[arg(long)]
    plain_http: bool,
    /// The registries' authority, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The token service, where it is on another host than the registry
    #[arg(long, value_name = "URL")]
    token_realm: Option<url::Url>,
    #[command(flatten)]
    login: LoginArguments,
}

impl RegistryArguments {
    /// Whether a user name was given, which goes to whatever registry is asked.
    pub fn is_login_given(&self) -> bool {
        self.login.is_given()
    }

    /// Clients for the registries of these repositories.
    pub fn connect<'a>(
        &self,
        repositories: impl IntoIterator<Item = &'a Repository>,
    ) -> Result<Arc<Registries>, Failure> {
        let ca = pem(self.ca.as_ref())?;
        let mut names: Vec<&str> = repositories.into_iter().map(Repository::host).collect();
        names.sort_unstable();
        names.dedup();
        let given = self.login.given(&names)?;
        let hosts = names.into_iter().map(|name| HostOptions {
            token_realm: self.token_realm.clone(),
            credentials: given
                .iter()
                .cloned()
                .map(CredentialSource::Given)
                .map(credential)
                .chain(logins())
                .collect(),
            ..HostOptions::typed(name, self.plain_http, ca.clone())
        });
        let options = RegistriesOptions { allow: None, hosts: hosts.collect() };
        Ok(Arc::new(Registries::new(options).map_err(Failure::of)?))
    }

    /// A client for a repository that an image names and the command line does not, if `docker
    /// login` knows its host: with that credential, and over TLS, but for loopback.
    pub async fn connect_by_login(
        &self,
        repository: &Repository,
    ) -> Result<Option<Registries>, Failure> {
        let mut known = Vec::new();
        for login in CredentialSource::logins(&secret::variables()) {
            let found = login.find(repository).await.map_err(|error| {
                Failure::failed(format!("no credential for {}", repository.host()), error)
            })?;
            known.extend(found.map(CredentialSource::Given).map(credential));
        }
        if known.is_empty() {
            return Ok(None);
        }
        let typed = HostOptions::typed(repository.host(), false, pem(self.ca.as_ref())?);
        let hosts = vec![HostOptions { credentials: known, ..typed }];
        Registries::new(RegistriesOptions { allow: None, hosts }).map(Some).map_err(Failure::of)
    }
}

fn credential(source: CredentialSource) -> CredentialOptions {
    CredentialOptions { repositories: Vec::new(), source }
}

/// What `docker login` and `podman login` know.
fn logins() -> impl Iterator<Item = CredentialOptions> {
    CredentialSource::logins(&secret::variables()).into_iter().map(credential)
}
