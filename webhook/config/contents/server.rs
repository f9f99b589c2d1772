//! The server itself: where it listens, what is too much, what it keeps.

use std::{net::SocketAddr, time::Duration};

use super::{Reading, SHOWN};
use crate::{
    admission::Permission,
    attest::oci::Platform,
    config::{
        At, Problem, Span, document,
        document::{Cache, Document},
        parts::permission,
    },
    name::escape,
    serve::{DRAIN, Longest, ServeOptions, TlsFiles},
    source::{Lifetimes, open_file},
};

/// `listen`, `tls` and `limits`, which only `serve` reads; the `deadline` is the gate's too.
pub(in crate::config) fn serve(
    reading: &mut Reading<'_>,
    document: &Document,
    deadline: Duration,
) -> Option<ServeOptions> {
    let listen = &document.listen;
    let admission = address(reading, listen.admission.as_ref(), ADMISSION);
    let probes = address(reading, listen.probes.as_ref(), PROBES);
    let tls = tls(reading, document);
    let limits = &document.limits;
    let body = limits.body.as_ref().map_or(8 << 20, |size| size.0);
    if body == 0 {
        let line = limits.body.as_ref().map_or(0, |size| size.line);
        reading.fail(line, Problem::Senseless { key: "limits.body", why: ZERO });
    }
    let connections = positive(reading, "limits.connections", limits.connections.as_ref(), 1000);
    Some(ServeOptions {
        admission: admission?,
        probes: probes?,
        tls: tls?,
        deadline: Longest::new(deadline),
        body: usize::try_from(body).unwrap_or(usize::MAX),
        connections,
        drain: DRAIN,
    })
}

fn address(
    reading: &mut Reading<'_>,
    text: Option<&At<String>>,
    default: SocketAddr,
) -> Option<SocketAddr> {
    let Some(text) = text else { return Some(default) };
    reading.take(text.line, text.parse().map_err(|_| Problem::Address(escape(text, SHOWN))))
}

/// The files of `tls`, if they can be used together.
fn tls(reading: &mut Reading<'_>, document: &Document) -> Option<TlsFiles> {
    let Some(tls) = &document.tls else {
        reading.fail(0, Problem::Tls);
        return None;
    };
    let files = TlsFiles {
        certificate: reading.there(&tls.certificate),
        key: reading.there(&tls.key),
        client_ca: tls.client_ca.as_ref().map(|path| reading.there(path)),
    };
    let readable = [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()];
    if readable.into_iter().flatten().all(|path| open_file(path).is_ok()) {
        reading.take(tls.line, files.load().map_err(Problem::TlsFiles))?;
    }
    Some(files)
}

/// `deadline`.
pub(in crate::config) fn deadline(reading: &mut Reading<'_>, span: Option<&At<Span>>) -> Duration {
    let Some(span) = span else { return DEADLINE };
    if !(Duration::from_millis(100)..=Duration::from_secs(30)).contains(&span.0) {
        let why = "must be from 100ms to 30s, the longest that the API server waits";
        reading.fail(span.line, Problem::Senseless { key: "deadline", why });
    }
    span.0
}

/// `clusterPlatforms`; none stands for all.
pub(in crate::config) fn platforms(
    reading: &mut Reading<'_>,
    platforms: Option<&At<Vec<At<String>>>>,
) -> Vec<Platform> {
    let Some(platforms) = platforms else { return Vec::new() };
    if platforms.is_empty() {
        let why = super::EMPTY;
        reading.fail(platforms.line, Problem::Senseless { key: "clusterPlatforms", why });
    }
    platforms.iter().filter_map(|text| platform(reading, text)).collect()
}

fn platform(reading: &mut Reading<'_>, text: &At<String>) -> Option<Platform> {
    let parts: Vec<&str> = text.split('/').collect();
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let (os, architecture, variant) = match parts.as_slice() {
        parts if !parts.iter().all(plain) => ("", "", None),
        [os, architecture] => (*os, *architecture, None),
        [os, architecture, variant] => (*os, *architecture, Some((*variant).to_owned())),
        _ => ("", "", None),
    };
    if os.is_empty() {
        reading.fail(text.line, Problem::Platform(escape(text, SHOWN)));
        return None;
    }
    Some(Platform {
        architecture: architecture.to_owned(),
        os: os.to_owned(),
        os_version: None,
        os_features: Vec::new(),
        variant,
    })
}

/// `cache`, but for its size.
pub(in crate::config) fn lifetimes(cache: &Cache) -> Lifetimes {
    Lifetimes {
        found: cache.found.map_or(Duration::from_mins(5), |span| span.0),
        none: cache.none.map_or(Duration::from_secs(10), |span| span.0),
    }
}

/// `unmatched`, which has no default.
pub(in crate::config) fn unmatched(
    reading: &mut Reading<'_>,
    said: Option<document::Permission>,
) -> Option<Permission> {
    reading.take(0, said.map(permission).ok_or(Problem::Unmatched))
}

/// A number that must not be 0.
pub(in crate::config) fn positive(
    reading: &mut Reading<'_>,
    key: &'static str,
    number: Option<&At<u32>>,
    default: usize,
) -> usize {
    let Some(number) = number else { return default };
    if number.value == 0 {
        reading.fail(number.line, Problem::Senseless { key, why: ZERO });
    }
    usize::try_from(number.value).unwrap_or(usize::MAX)
}

const ADMISSION: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 8443);
const PROBES: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 8081);
const DEADLINE: Duration = Duration::from_secs(8);
const ZERO: &str = "is 0, so nothing would ever be answered; leave it out for the default";
