//! `stores`: the Grafeas servers.

use bytes::Bytes;

use super::Reading;
use crate::{
    attest::sources::BUILT_IN,
    config::{
        At, Problem,
        document::{ClientCertificate, Store, Token},
    },
    source::{StoreOptions, StoreToken},
};

/// `stores`.
pub(in crate::config) fn stores(
    reading: &mut Reading<'_>,
    stores: &[At<Store>],
) -> Vec<StoreOptions> {
    reading.distinct("store", stores.iter().map(|store| &store.name));
    for store in stores.iter().filter(|store| BUILT_IN.contains(&&*store.name.value)) {
        let name = store.name.value.clone();
        reading.fail(store.name.line, Problem::TakenName(name));
    }
    stores.iter().filter_map(|store| self::store(reading, store)).collect()
}

fn store(reading: &mut Reading<'_>, store: &At<Store>) -> Option<StoreOptions> {
    let url = reading.url(&store.url, &["https", "http"], WANTED);
    let project = reading.parse(&store.project);
    let records = reading.parse_all(&store.records);
    let ca = store.ca.as_ref().and_then(|path| reading.certificates(path));
    let identity =
        store.client_certificate.as_ref().and_then(|files| client_certificate(reading, files));
    let plain = url.as_ref().is_some_and(|url| url.scheme() == "http");
    if plain && (store.ca.is_some() || store.client_certificate.is_some()) {
        reading.fail(store.url.line, Problem::Choice(PLAIN_CERTIFICATE));
    }
    let token = store.token.as_ref().and_then(|token| {
        if plain {
            reading.fail(token.line, Problem::Choice(PLAIN_TOKEN));
        }
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        match &token.value {
            Token::File(path) => Some(StoreToken::File(reading.there(&token.with(path.clone())))),
            Token::Google(false) => None,
            Token::Google(true) if url.is_none() || is_google(host) => Some(StoreToken::Google),
            Token::Google(true) => {
                reading.fail(token.line, Problem::Choice(GOOGLE_ELSEWHERE));
                None
            }
        }
    });
    let (name, url, project) = (store.name.value.as_str().into(), url?, project?);
    Some(StoreOptions { name, url, api: store.api, project, records, ca, identity, token })
}

/// The certificates and the key, one after another.
fn client_certificate(reading: &mut Reading<'_>, files: &ClientCertificate) -> Option<Bytes> {
    let certificate = reading.certificates(&files.certificate);
    let key = reading.private_key(&files.key);
    let (certificate, key) = (certificate?, key?);
    Some([&certificate, &b"\n"[..], &key].concat().into())
}

fn is_google(host: &str) -> bool {
    host == "googleapis.com" || host.ends_with(".googleapis.com")
}

const WANTED: &str = "it must be https or http, without user, query or fragment";

const PLAIN_CERTIFICATE: &str =
    "a store over plain HTTP checks and shows no certificates; use https, or leave them out";

const PLAIN_TOKEN: &str = "the token would go over plain HTTP; use https, or no token";

const GOOGLE_ELSEWHERE: &str = "`google: true` is for *.googleapis.com only; give other stores \
                                a token of their own by `file`";
