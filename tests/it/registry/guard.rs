//! The transport: retries, redirects, addresses, the breaker, TLS.

use std::time::{Duration, Instant};

use countersign::{
    attest::oci::Descriptor,
    name::Repository,
    source::{Credential, CredentialSource, Deadline, HostOptions, Reference, Secret},
};
use countersign_kit::{Auth, Ca, Fault, Kind, Listen, On, Registry, Users, image};

use super::{by_digest, client, code, given, host, repository, soon};

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for (name, fault, wait) in [
        ("once busy", Fault::retry_after(429, 1), 1_000),
        ("once down", Fault::status(503), 0),
        ("once broken", Fault::status(500), 0),
        ("once closed", Fault::Close, 0),
        ("once cut off", Fault::Truncate(5), 0),
    ] {
        let registry = Registry::start();
        let shop = image("shop").build();
        registry.put_image("acme/shop", "1.4", &shop);
        registry.fault(On::all().first(1), fault);
        let began = Instant::now();
        client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), by_digest(&shop), soon())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(registry.total(), 2, "{name}");
        assert!(began.elapsed() >= Duration::from_millis(wait), "{name}");
    }
}

#[tokio::test]
async fn what_stays_broken_is_said_so() {
    for (name, fault, want, requests) in [
        ("busy for long", Fault::retry_after(429, 60), "registry.limited", 1),
        ("busy", Fault::status(429), "registry.limited", 3),
        ("down", Fault::status(503), "registry.unreachable", 3),
        ("a page of a gateway", Fault::html(502), "registry.unreachable", 3),
        ("forbidden", Fault::status(403), "registry.unauthorized", 1),
    ] {
        let registry = Registry::start();
        registry.fault(On::all(), fault);
        let at = Reference::Tag("1.4");
        let outcome = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), at, soon())
            .await;
        let error = outcome.unwrap_err();
        assert_eq!(error.code().to_string(), want, "{name}");
        assert_eq!(registry.total(), requests, "{name}");
        assert!(!error.to_string().contains("<h1>"), "bodies are not shown: {error}");
        assert!(error.to_string().contains(&registry.host()), "{error}");
    }
}

#[tokio::test]
async fn a_host_that_just_failed_is_answered_for_at_once() {
    let mut registry = Registry::start();
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    registry.stop();
    let first = client.manifest(&here, Reference::Tag("1"), soon()).await.unwrap_err();
    assert!(first.to_string().contains("could not be reached"), "{first}");
    let began = Instant::now();
    let second = client.manifest(&here, Reference::Tag("1"), soon()).await.unwrap_err();
    assert!(second.to_string().contains("failed a moment ago"), "{second}");
    assert_eq!(second.code().to_string(), "registry.unreachable");
    assert!(began.elapsed() < Duration::from_millis(20));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let third = client.manifest(&here, Reference::Tag("1"), soon()).await.unwrap_err();
    assert!(third.to_string().contains("could not be reached"), "asked again: {third}");
}

/// Who may push to one repository of a host cannot close it for the others.
#[tokio::test]
async fn p8_a_repository_that_fails_does_not_close_its_host() {
    let (evil, shared) = (Registry::start(), Registry::start());
    let shop = image("shop").build();
    shared.put_image("acme/shop", "1.4", &shop);
    shared.fault(On::path("/v2/broken/"), Fault::status(503));
    let location = format!("{}/v2/acme/shop/blobs/x", shared.url());
    evil.fault(On::all(), Fault::redirect(307, &location));
    shared.fault(On::path("/blobs/x"), Fault::status(503));
    let client = client([host(&evil), host(&shared)]);
    let broken = repository(&shared, "broken/shop");
    for (name, place) in [("beside it", &broken), ("led there", &repository(&evil, "x"))] {
        let outcome = client.manifest(place, Reference::Tag("1"), soon()).await;
        assert_eq!(code(outcome), "registry.unreachable", "{name}");
        let here = repository(&shared, "acme/shop");
        client.manifest(&here, by_digest(&shop), soon()).await.expect(name);
    }
    let again = client.manifest(&broken, Reference::Tag("1"), soon()).await.unwrap_err();
    let said = again.to_string();
    assert!(said.contains("answers with HTTP 503") || said.contains("a moment ago"), "{said}");
}

#[tokio::test]
async fn a_caller_in_a_hurry_does_not_close_the_way_for_others() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    registry.latency(Duration::from_millis(200));
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    let hurry = Deadline::after(Duration::from_millis(50));
    client.manifest(&here, by_digest(&shop), hurry).await.unwrap_err();
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
}

#[tokio::test]
async fn p9_a_redirect_to_another_host_takes_no_secret_along() {
    let storage = Registry::start();
    let bytes = b"a blob".as_slice();
    let digest = storage.put_blob("store", bytes);
    let registry = Registry::options().auth(Auth::Basic(Users::one("ci", "hunter2"))).start();
    let location = format!("{}/v2/store/blobs/{digest}", storage.url());
    registry.fault(On::kind(Kind::Blob).after(1), Fault::redirect(307, &location));
    let password = Secret::new("hunter2".into());
    let ci = CredentialSource::Given(Credential::Password { username: "ci".into(), password });
    let options = HostOptions { credentials: given(ci), ..host(&registry) };
    let got = client([options, host(&storage)])
        .blob(&repository(&registry, "acme/shop"), &Descriptor::of("a/b", bytes), 100, soon())
        .await;
    assert_eq!(got.unwrap(), bytes);
    assert_eq!(storage.total(), 1);
    assert!(storage.requests().iter().all(|request| request.authorization().is_none()));
}

#[tokio::test]
async fn p9_redirects_do_not_lead_inside_or_in_circles() {
    let inside = Registry::start();
    for (name, location, want) in [
        ("loopback", inside.url(), "registry.redirect-refused"),
        ("loopback with TLS", format!("https://{}/x", inside.host()), "registry.address-refused"),
        ("a name that is loopback", "https://localhost:9/x".into(), "registry.address-refused"),
        ("metadata", "https://169.254.169.254/latest".into(), "registry.address-refused"),
        ("mapped", "https://[::ffff:10.0.0.1]/".into(), "registry.address-refused"),
        ("plain HTTP", "http://93.184.215.14/".into(), "registry.redirect-refused"),
        ("a file", "file:///etc/passwd".into(), "registry.redirect-refused"),
        ("itself", "?again".into(), "registry.redirect-refused"),
    ] {
        let registry = Registry::start();
        registry.fault(On::all(), Fault::redirect(302, &location));
        let here = repository(&registry, "acme/shop");
        let outcome = client([host(&registry)]).manifest(&here, Reference::Tag("1"), soon()).await;
        assert_eq!(code(outcome), want, "{name}");
        assert!(registry.total() <= 6, "{name}: {} hops", registry.total());
    }
    assert_eq!(inside.total(), 0);
}

#[tokio::test]
async fn p9_images_do_not_name_inner_hosts() {
    let inside = Registry::start();
    let client = client([]);
    for name in [
        format!("{}/acme/shop", inside.host()),
        format!("localhost:{}/acme/shop", inside.port()),
        "169.254.169.254/latest".into(),
        "10.0.0.1:8443/x".into(),
        "[::1]:5000/x".into(),
    ] {
        let here: Repository = name.parse().unwrap();
        let outcome = client.manifest(&here, Reference::Tag("1"), soon()).await;
        assert_eq!(code(outcome), "registry.address-refused", "{name}");
    }
    assert_eq!(inside.total(), 0);
}

#[tokio::test]
async fn p9_naming_a_host_opens_no_other_port_of_it() {
    let (named, other) = (Registry::start(), Registry::start());
    let here = repository(&other, "acme/shop");
    let outcome = client([host(&named)]).manifest(&here, Reference::Tag("1"), soon()).await;
    assert_eq!(code(outcome), "registry.address-refused");
    assert_eq!(other.total(), 0);
}

#[tokio::test]
async fn tls_is_spoken_unless_told_otherwise_and_trusts_whom_it_is_told() {
    let ca = Ca::new();
    let registry = Registry::options().listen(Listen::tls(&ca)).start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    let here = repository(&registry, "acme/shop");
    let named = || HostOptions { host: registry.host(), ..HostOptions::default() };
    let trusting = HostOptions { ca: Some(ca.pem().into()), ..named() };
    client([trusting]).manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert!(registry.requests().iter().all(|request| request.secure));

    let other = HostOptions { ca: Some(Ca::new().pem().into()), ..named() };
    let outcome = client([other]).manifest(&here, by_digest(&shop), soon()).await;
    assert_eq!(code(outcome), "registry.unreachable");
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_said_with_what_to_do() {
    let (ca, here) = (Ca::new(), ["127.0.0.1"]);
    let tls = Listen::tls_as;
    for (name, listen, trusts, want) in [
        (
            "expired",
            tls(ca.server_between(&here, [2020, 2021])),
            &ca,
            "has expired; have it renewed",
        ),
        (
            "not yet",
            tls(ca.server_between(&here, [2125, 2126])),
            &ca,
            "not valid yet; set the clock",
        ),
        ("other name", tls(ca.server(&["registry.example"])), &ca, "another name; ask for it by"),
        (
            "other CA",
            tls(ca.server(&here)),
            &Ca::new(),
            "not trusted here; configure that authority",
        ),
        ("self-made use", tls(ca.client("127.0.0.1")), &ca, "cannot be relied on; have another"),
        ("client", Listen::mutual_tls(&ca, &ca.pem()), &ca, "a client certificate, or for another"),
        ("no TLS", Listen::plain(), &ca, "does not speak TLS; set `plainHttp`"),
    ] {
        let registry = Registry::options().listen(listen).start();
        let host = HostOptions {
            host: registry.host(),
            ca: Some(trusts.pem().into()),
            ..HostOptions::default()
        };
        let here = repository(&registry, "acme/shop");
        let outcome = client([host]).manifest(&here, Reference::Tag("1"), soon()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.code().to_string(), "registry.unreachable", "{name}: {error}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("the registry {} ", registry.host())), "{name}: {text}");
        assert!(text.contains(want), "{name}: {text}");
    }
}
