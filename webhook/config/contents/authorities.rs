//! `authorities`: who may say what.

use std::sync::Arc;

use super::{Reading, SHOWN};
use crate::{
    attest::sources::BUILT_IN,
    config::{
        At, Problem,
        document::{Authority, KeyFile, Store},
        nearest,
    },
    name::{Pattern, escape},
    verify,
    verify::{AfterExpiry, Attests, Identity, IdentityMap, Key, Trust, TrustError},
};

/// `authorities`, each with its keys, and taken together.
pub(in crate::config) fn authorities(
    reading: &mut Reading<'_>,
    authorities: &[At<Authority>],
    stores: &[At<Store>],
) -> Option<Trust> {
    let errors = reading.errors.len();
    reading.distinct("authority", authorities.iter().map(|authority| &authority.name));
    let found: Vec<_> =
        authorities.iter().map(|authority| self::authority(reading, authority, stores)).collect();
    if reading.errors.len() > errors {
        return None;
    }
    match Trust::new(found.clone()) {
        Ok(trust) => return Some(trust),
        // Every pair is told, not the first alone.
        Err(TrustError::SharedKey { .. }) => {
            for (at, (second, entry)) in found.iter().zip(authorities).enumerate() {
                for first in found.iter().take(at) {
                    let pair = Trust::new(vec![first.clone(), second.clone()]);
                    reading.take(entry.line, pair);
                }
            }
        }
        Err(error) => reading.fail(0, error),
    }
    None
}

fn authority(
    reading: &mut Reading<'_>,
    entry: &At<Authority>,
    stores: &[At<Store>],
) -> verify::Authority {
    if entry.keys.is_empty() {
        let why = "is empty, so nothing could ever count for this authority; name a file of keys";
        reading.fail(entry.line, Problem::Senseless { key: "keys", why });
    }
    if entry.identity == Identity::Digest && entry.identities.is_some() {
        reading.fail(entry.line, Problem::Choice(NO_NAMES));
    }
    let attests = attests(reading, entry);
    check_roots(reading, entry, &attests);
    verify::Authority {
        name: entry.name.value.as_str().into(),
        keys: entry.keys.iter().flat_map(|file| keys(reading, file)).collect(),
        note: entry.note.as_ref().and_then(|note| reading.parse(note)),
        trusted_identities: reading
            .parse_some("trustedIdentities", entry.trusted_identities.as_ref()),
        attests,
        sources: sources(reading, entry, stores),
        identity: entry.identity,
        identities: identities(reading, entry),
        after_expiry: entry.after_expiry,
        layers_checked_by: entry.layers_checked_by,
        shared_key: entry.shared_key,
    }
}

/// What it attests: where nothing is said, images.
fn attests(reading: &mut Reading<'_>, entry: &At<Authority>) -> Vec<Attests> {
    let Some(texts) = &entry.attests else { return vec![Attests::SimpleSigning] };
    if texts.is_empty() {
        let why = "is empty, so nothing could ever count for this authority; leave it out for \
                   simple-signing, or name some";
        reading.fail(texts.line, Problem::Senseless { key: "attests", why });
    }
    reading.parse_all(texts)
}

/// What stands beside roots of certificates, or is missing there.
fn check_roots(reading: &mut Reading<'_>, entry: &At<Authority>, attests: &[Attests]) {
    let roots = entry.keys.iter().find(|file| matches!(file.value, KeyFile::X509(_)));
    match (roots, &entry.trusted_identities) {
        (Some(file), _) if !attests.contains(&Attests::Notation) => {
            reading.fail(file.line, Problem::Choice(ROOTS_IDLE));
        }
        (Some(file), _) if entry.after_expiry == AfterExpiry::SignedBefore => {
            reading.fail(file.line, Problem::Choice(NO_WITNESS));
        }
        (None, Some(identities)) => reading.fail(identities.line, Problem::Choice(NO_ROOTS)),
        _ => {}
    }
}

/// The keys in one file.
pub(in crate::config) fn keys(reading: &mut Reading<'_>, file: &At<KeyFile>) -> Vec<Key> {
    let (KeyFile::Openpgp(path) | KeyFile::Pkix(path) | KeyFile::X509(path)) = &file.value;
    let Some(bytes) = reading.read(&file.with(path.clone())) else { return Vec::new() };
    let keys = match file.value {
        KeyFile::Openpgp(_) => Key::openpgp(&bytes),
        KeyFile::Pkix(_) => Key::pkix(&bytes).map(|key| vec![key]),
        KeyFile::X509(_) => Key::x509(&bytes),
    };
    let path = reading.path(path);
    reading
        .take(file.line, keys.map_err(|source| Problem::Key { path, source }))
        .unwrap_or_default()
}

fn sources(
    reading: &mut Reading<'_>,
    entry: &At<Authority>,
    stores: &[At<Store>],
) -> Option<Vec<Arc<str>>> {
    let sources = entry.sources.as_ref()?;
    if sources.is_empty() {
        let why = super::EMPTY;
        reading.fail(sources.line, Problem::Senseless { key: "sources", why });
    }
    let named = stores.iter().map(|store| store.name.value.as_str());
    let known: Vec<&str> = named.chain(BUILT_IN).collect();
    for source in sources.iter().filter(|source| !known.contains(&&*source.value)) {
        let nearest = nearest(source, &known).map_or_else(String::new, |name| (*name).to_owned());
        let name = escape(source, SHOWN);
        reading.fail(source.line, Problem::UnknownSource { name, nearest });
    }
    Some(sources.iter().map(|source| source.value.as_str().into()).collect())
}

fn identities(reading: &mut Reading<'_>, entry: &At<Authority>) -> IdentityMap {
    let Some(map) = &entry.identities else { return IdentityMap::default() };
    let errors = reading.errors.len();
    let entries: Vec<(Pattern, Pattern)> = map
        .iter()
        .filter_map(|(ours, theirs)| {
            let ours = reading.parse(&theirs.with(ours.clone()));
            let theirs = reading.parse(theirs);
            ours.zip(theirs)
        })
        .collect();
    if reading.errors.len() > errors {
        return IdentityMap::default();
    }
    reading.take(map.line, IdentityMap::new(entries)).unwrap_or_default()
}

const ROOTS_IDLE: &str = "under `x509` roots nothing is signed but `notation`, which `attests` does not \
                          have; add it, with `identity: digest`";
const NO_WITNESS: &str = "`afterExpiry: signed-before` has nothing to go by under `x509` roots: nobody \
                          but the signer vouches for the time; give them an authority of their own";
const NO_ROOTS: &str = "`trustedIdentities` are those of certificates, and there is no `x509` key; name \
                        the file of their roots, or leave this out";
const NO_NAMES: &str =
    "`identity: digest` asks for no name, so `identities` say nothing; leave one of them out";
