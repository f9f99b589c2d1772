//! The registry client against a registry that tells faults and lies on demand.

mod auth;
mod bounds;
mod guard;
mod hostile;
mod lookaside;
mod mirror;
mod pull;
mod push;
mod referrers;

use std::time::Duration;

use countersign::{
    name::{Digest, Repository},
    source::{
        CredentialOptions, CredentialSource, Deadline, FetchError, HostOptions, Reference,
        Registries, RegistriesOptions,
    },
};
use countersign_kit::{Content, Peer};

/// The options of a peer that speaks plain HTTP.
fn host(peer: &Peer) -> HostOptions {
    HostOptions { host: peer.host(), plain_http: true, ..HostOptions::default() }
}

fn client(hosts: impl IntoIterator<Item = HostOptions>) -> Registries {
    let hosts = hosts.into_iter().collect();
    Registries::new(RegistriesOptions { allow: None, hosts }).unwrap()
}

fn repository(peer: &Peer, path: &str) -> Repository {
    format!("{}/{path}", peer.host()).parse().unwrap()
}

fn digest(content: &Content) -> Digest {
    content.digest().parse().unwrap()
}

fn by_digest(content: &Content) -> Reference<'static> {
    Reference::Digest(digest(content))
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

/// A credential for all of a host.
fn given(source: CredentialSource) -> Vec<CredentialOptions> {
    vec![CredentialOptions { repositories: Vec::new(), source }]
}

/// The reason code of what must have failed.
fn code<T: std::fmt::Debug>(outcome: Result<T, FetchError>) -> String {
    outcome.unwrap_err().code().to_string()
}
