//! Simple signatures: podman's lookaside and the registry's own extension.

use std::time::Duration;

use countersign::source::{Deadline, HostOptions};
use countersign_kit::{
    Auth, Content, Fault, Kind, On, Peer, Registry, RegistryOptions, Users, image, round_trips,
};

use super::{client, code, digest, host, repository, soon};

fn signed(options: RegistryOptions, count: usize) -> (Registry, Content) {
    let registry = options.start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    for at in 0..count {
        registry.put_signature("acme/shop", &shop.digest(), at.to_string());
    }
    (registry, shop)
}

fn with_lookaside(peer: &Peer, lookaside: &str) -> HostOptions {
    HostOptions { lookaside: Some(lookaside.parse().unwrap()), ..host(peer) }
}

#[tokio::test]
async fn signatures_are_read_until_there_is_none() {
    let (registry, shop) = signed(Registry::options(), 3);
    let client = client([with_lookaside(&registry, &registry.lookaside())]);
    let here = repository(&registry, "acme/shop");
    let found = client.signatures(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!(found, ["0", "1", "2"]);
    assert_eq!((registry.count(Kind::Ping), registry.count(Kind::Signature)), (1, 4));
    registry.forget();
    client.signatures(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!((registry.count(Kind::Ping), registry.count(Kind::Signature)), (0, 4));
}

#[tokio::test]
async fn a_registry_that_keeps_signatures_is_asked_instead() {
    let (registry, shop) = signed(Registry::options().signatures_extension(), 2);
    let elsewhere = Registry::start();
    let here = repository(&registry, "acme/shop");
    let client = client([with_lookaside(&registry, &elsewhere.lookaside())]);
    for asked in [1, 1] {
        let found = client.signatures(&here, digest(&shop), soon()).await.unwrap();
        assert_eq!(found, ["0", "1"]);
        assert_eq!(elsewhere.total(), asked, "beside the question whether it need be");
    }
}

#[tokio::test]
async fn a_registry_without_the_extension_costs_no_trip() {
    let (registry, shop) = signed(Registry::options(), 0);
    let client = client([with_lookaside(&registry, &registry.lookaside())]);
    registry.latency(Duration::from_millis(40));
    client.signatures(&repository(&registry, "acme/shop"), digest(&shop), soon()).await.unwrap();
    assert_eq!(round_trips(&registry.requests()), 1);
}

#[tokio::test]
async fn without_either_there_are_none() {
    let (registry, shop) = signed(Registry::options(), 1);
    let here = repository(&registry, "acme/shop");
    let found = client([host(&registry)]).signatures(&here, digest(&shop), soon()).await.unwrap();
    assert!(found.is_empty());
    assert_eq!(registry.total(), 1, "asked whether it keeps signatures");
}

#[tokio::test]
async fn p9_a_lookaside_gets_no_credential() {
    let (lookaside, _) = signed(Registry::options(), 0);
    let users = Users::one("ci", "hunter2");
    let (registry, shop) = signed(Registry::options().auth(Auth::Basic(users)), 0);
    let here = repository(&registry, "acme/shop");
    let password = countersign::source::Secret::new("hunter2".into());
    let credential = countersign::source::Credential::Password { username: "ci".into(), password };
    let credentials = super::given(countersign::source::CredentialSource::Given(credential));
    let options = HostOptions { credentials, ..with_lookaside(&registry, &lookaside.lookaside()) };
    client([options]).signatures(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!(lookaside.total(), 1);
    assert!(lookaside.requests()[0].authorization().is_none());
}

#[tokio::test]
async fn p5_a_lookaside_that_fails_is_no_absence() {
    for (name, fault, want) in [
        ("down", Fault::status(503), "registry.unreachable"),
        ("forbidden", Fault::status(403), "registry.unauthorized"),
        ("hangs", Fault::Hang, "registry.unreachable"),
        ("endless", Fault::Endless, "evidence.too-much"),
    ] {
        let (registry, shop) = signed(Registry::options(), 2);
        registry.fault(On::kind(Kind::Signature).after(1), fault);
        let here = repository(&registry, "acme/shop");
        let found = client([with_lookaside(&registry, &registry.lookaside())])
            .signatures(&here, digest(&shop), Deadline::after(Duration::from_millis(900)))
            .await;
        assert_eq!(code(found), want, "{name}");
    }
}

#[tokio::test]
async fn p8_signatures_are_counted() {
    for (name, options) in [
        ("lookaside", Registry::options()),
        ("extension", Registry::options().signatures_extension()),
    ] {
        let (registry, shop) = signed(options, 129);
        let here = repository(&registry, "acme/shop");
        let found = client([with_lookaside(&registry, &registry.lookaside())])
            .signatures(&here, digest(&shop), soon())
            .await;
        assert_eq!(code(found), "evidence.too-much", "{name}");
    }
}
