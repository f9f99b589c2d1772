//! Mirrors: by digest only, with their own credentials only, and never the last word.

use std::time::{Duration, Instant};

use countersign::{
    attest::oci::Descriptor,
    source::{Credential, CredentialSource, HostOptions, Reference, Secret},
};
use countersign_kit::{Auth, Fault, Kind, On, Registry, Users, image};

use super::{by_digest, client, digest, given, host, repository, soon};

fn mirrored(registry: &Registry, mirror: &Registry) -> HostOptions {
    HostOptions { mirrors: vec![format!("{}/cache", mirror.host())], ..host(registry) }
}

#[tokio::test]
async fn p1_tags_and_referrers_are_asked_of_the_registry_alone() {
    let (registry, mirror) = (Registry::start(), Registry::start());
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    mirror.put_image("cache/acme/shop", "1.4", &image("stale").build());
    mirror.put("cache/acme/shop", &shop);
    let client = client([mirrored(&registry, &mirror), host(&mirror)]);
    let here = repository(&registry, "acme/shop");
    let by_tag = client.manifest(&here, Reference::Tag("1.4"), soon()).await.unwrap();
    assert_eq!(by_tag.digest, digest(&shop));
    client.referrers(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!((registry.total(), mirror.total()), (2, 0));
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert_eq!((registry.total(), mirror.total()), (2, 1));
}

#[tokio::test]
async fn a_mirror_that_fails_or_lies_costs_time_only() {
    for (name, fault) in [
        ("empty", Fault::status(404)),
        ("lies", Fault::bytes("{}")),
        ("down", Fault::status(503)),
        ("wants a credential", Fault::status(401)),
        ("hangs", Fault::Hang),
    ] {
        let (registry, mirror) = (Registry::start(), Registry::start());
        let shop = image("shop").build();
        registry.put("acme/shop", &shop);
        registry.put_blob("acme/shop", "blob");
        mirror.fault(On::all(), fault);
        let client = client([mirrored(&registry, &mirror), host(&mirror)]);
        let here = repository(&registry, "acme/shop");
        let began = Instant::now();
        let fetched = client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
        assert_eq!(fetched.digest, digest(&shop), "{name}");
        let blob = Descriptor::of("a/b", b"blob");
        assert_eq!(client.blob(&here, &blob, 9, soon()).await.unwrap(), "blob", "{name}");
        assert!(began.elapsed() < Duration::from_millis(3500), "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn p9_the_registrys_credential_is_not_the_mirrors() {
    let users = || Users::one("ci", "hunter2");
    let registry = Registry::options().auth(Auth::Basic(users())).start();
    let mirror = Registry::options().auth(Auth::Basic(users())).start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    mirror.put("cache/acme/shop", &shop);
    let password = Secret::new("hunter2".into());
    let ci = CredentialSource::Given(Credential::Password { username: "ci".into(), password });
    let options = HostOptions { credentials: given(ci), ..mirrored(&registry, &mirror) };
    let here = repository(&registry, "acme/shop");
    client([options, host(&mirror)]).manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert!(mirror.count(Kind::Manifest) > 0);
    assert!(mirror.requests().iter().all(|request| request.authorization().is_none()));
}
