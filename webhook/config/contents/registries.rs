//! `registries`: which may be asked, and how.

use super::{Reading, SHOWN};
use crate::{
    config::{
        At, Problem,
        document::{Credential, Host, Registries},
    },
    name::{Pattern, Repository, escape},
    source::{
        CredentialOptions, CredentialSource, HostOptions, RegistriesOptions, helper_named_in,
        registry_of,
    },
};

/// `registries`.
pub(in crate::config) fn registries(
    reading: &mut Reading<'_>,
    registries: &Registries,
) -> RegistriesOptions {
    let none = |line| (line, Problem::Senseless { key: "registries.allow", why: NOTHING_ALLOWED });
    let allow = match &registries.allow {
        Some(allow) if allow.is_empty() => {
            let (line, problem) = none(allow.line);
            reading.fail(line, problem);
            Vec::new()
        }
        Some(allow) => reading.parse_all(allow),
        None => {
            let (line, problem) = none(0);
            reading.fail(line, problem);
            Vec::new()
        }
    };
    let mut hosts: Vec<HostOptions> = Vec::new();
    let mut lines = Vec::new();
    for entry in &registries.hosts {
        let Some(host) = host(reading, entry) else { continue };
        if let Some(at) = hosts.iter().position(|known| known.host == host.host) {
            let first = lines.get(at).copied().unwrap_or_default();
            let name = host.host.clone();
            reading.fail(entry.line, Problem::SameName { kind: "host", name, first });
        }
        lines.push(entry.line);
        hosts.push(host);
    }
    RegistriesOptions { allow: Some(allow), hosts }
}

fn host(reading: &mut Reading<'_>, entry: &At<Host>) -> Option<HostOptions> {
    let name = host_name(&entry.host);
    if name.is_none() {
        reading.fail(entry.host.line, Problem::Host(escape(&entry.host, SHOWN)));
    }
    let ca = entry.ca.as_ref().and_then(|path| reading.certificates(path));
    if entry.plain_http && entry.ca.is_some() {
        reading.fail(entry.line, Problem::Choice("`ca` and `plainHttp` exclude each other"));
    }
    let credentials = entry.credentials.iter();
    let credentials = credentials
        .filter_map(|rule| credential(reading, name.as_deref().unwrap_or("host.invalid"), rule))
        .collect();
    let token_realm = entry.token_realm.as_ref().and_then(|realm| {
        let (schemes, wanted): (&[&str], _) = if entry.plain_http {
            (&["https", "http"], WANTED)
        } else {
            (&["https"], "it must be https, without user, query or fragment")
        };
        reading.url(realm, schemes, wanted)
    });
    let mirrors = entry.mirrors.iter().filter_map(|text| mirror(reading, text)).collect();
    let lookaside = entry.lookaside.as_ref();
    let lookaside = lookaside.and_then(|url| reading.url(url, &["https", "http"], WANTED));
    let (host, plain_http) = (name?, entry.plain_http);
    Some(HostOptions { host, plain_http, ca, credentials, token_realm, mirrors, lookaside })
}

/// A host in the spelling of image references; `None` if none would be read so.
fn host_name(text: &str) -> Option<String> {
    let probe: Repository = format!("{text}/a/b").parse().ok()?;
    let port = text.rsplit_once(':').map(|(_, port)| port);
    let port = port.filter(|port| !port.contains(']'));
    let in_range = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    (probe.path() == "a/b" && in_range).then(|| registry_of(probe.host()).to_owned())
}

/// A mirror, `host` or `host/prefix`.
fn mirror(reading: &mut Reading<'_>, text: &At<String>) -> Option<String> {
    let (host, prefix) = text.split_once('/').unwrap_or((text, ""));
    let whole = prefix.is_empty() || format!("{}/a", text.value).parse::<Repository>().is_ok();
    if host_name(host).is_some() && whole && !text.ends_with('/') {
        return Some(text.value.clone());
    }
    reading.fail(text.line, Problem::Mirror(escape(text, SHOWN)));
    None
}

fn credential(
    reading: &mut Reading<'_>,
    host: &str,
    rule: &At<Credential>,
) -> Option<CredentialOptions> {
    // Patterns here are over paths: the host is that of the entry.
    let whole = rule.repositories.as_ref().map(|paths| {
        let patterns = paths.iter().map(|path| path.with(format!("{host}/{}", path.value)));
        paths.with(patterns.collect::<Vec<_>>())
    });
    let repositories: Option<Vec<Pattern>> = reading.parse_some("repositories", whole.as_ref());
    let source = match (&rule.docker_config, &rule.username, &rule.password_file) {
        (Some(path), None, None) => {
            let file = reading.there(path);
            if let Some(helper) = helper_named_in(&file) {
                let helper = escape(&helper, SHOWN);
                reading.fail(path.line, Problem::Helper { path: file.clone(), helper });
            }
            CredentialSource::DockerConfig(file)
        }
        (None, Some(username), Some(path)) => CredentialSource::PasswordFile {
            username: username.value.clone(),
            file: reading.there(path),
        },
        _ => {
            reading.fail(rule.line, Problem::Choice(ONE_CREDENTIAL));
            return None;
        }
    };
    Some(CredentialOptions { repositories: repositories.unwrap_or_default(), source })
}

const NOTHING_ALLOWED: &str =
    "names no repository, so no image could ever be looked at; name those that may be asked";

const WANTED: &str = "it must be https or http, without user, query or fragment";

const ONE_CREDENTIAL: &str = "a credential is `dockerConfig`, or `username` and `passwordFile`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_as_repositories_write_them() {
        for (text, want) in [
            ("docker.io", Some("docker.io")),
            ("index.docker.io", Some("docker.io")),
            ("registry-1.docker.io", Some("docker.io")),
            ("Registry-1.Docker.IO", Some("docker.io")),
            ("registry-2.docker.io", Some("registry-2.docker.io")),
            ("Registry.Example:5000", Some("registry.example:5000")),
            ("127.0.0.1:5000", Some("127.0.0.1:5000")),
            ("localhost", Some("localhost")),
            ("nginx", None),
            ("docker.io/library", None),
        ] {
            assert_eq!(host_name(text).as_deref(), want, "{text}");
        }
    }
}
