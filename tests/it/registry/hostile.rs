//! Hosts that try to talk us out of a secret, or into wasting memory and time.

use std::time::{Duration, Instant};

use countersign::{
    attest::oci::Descriptor,
    source::{Credential, CredentialSource, HostOptions, Reference, Secret},
};
use countersign_kit::{
    Answer, Auth, Fault, Kind, Listen, On, Peer, Registry, TokenService, Users, image,
};

use super::{by_digest, client, code, digest, given, host, repository, soon};

fn ci(password: &str) -> CredentialSource {
    let password = Secret::new(password.into());
    CredentialSource::Given(Credential::Password { username: "ci".into(), password })
}

/// A host that asks whoever comes for credentials, in the way of `challenge`.
fn beggar(challenge: impl Fn(&str) -> String + Send + Sync + 'static) -> Peer {
    Peer::start(Listen::plain(), move |request| {
        let own = request.header("host").unwrap_or_default();
        Answer::registry_error(401, "UNAUTHORIZED").with("www-authenticate", challenge(own))
    })
}

#[tokio::test]
async fn p9_where_a_redirect_ends_nobody_is_shown_a_credential() {
    let users = Users::one("ci", "hunter2");
    let service = TokenService::start(Listen::plain(), &users);
    let realm = service.realm();
    let shop = image("shop").build();
    for (name, storage) in [
        ("basic", beggar(|_| "Basic realm=\"storage\"".into())),
        ("own realm", beggar(|own| format!("Bearer realm=\"http://{own}/token\""))),
        ("the registry's realm", beggar(move |_| format!("Bearer realm=\"{realm}\""))),
    ] {
        let auth = Auth::BearerAt(users.clone(), service.realm());
        let registry = Registry::options().auth(auth).start();
        registry.put("acme/shop", &shop);
        registry.fault(On::kind(Kind::Blob), Fault::redirect(307, &storage.url()));
        let options = HostOptions {
            credentials: given(ci("hunter2")),
            token_realm: Some(service.realm().parse().unwrap()),
            ..host(&registry)
        };
        // The storage has a credential of its own, for itself, which no registry may call up.
        let its_own = HostOptions { credentials: given(ci("of storage")), ..host(&storage) };
        let client = client([options, its_own]);
        let here = repository(&registry, "acme/shop");
        client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
        let got = client.blob(&here, &Descriptor::of("a/b", b"x"), 9, soon()).await;
        assert_eq!(code(got), "registry.unauthorized", "{name}");
        assert_eq!(storage.total(), 1, "{name}");
        assert_eq!(storage.requests()[0].authorization(), None, "{name}");
    }
    assert_eq!(service.count(Kind::Token), 3, "one for each client's registry");
}

#[tokio::test]
async fn p9_a_redirect_does_not_change_how_the_registry_is_asked() {
    let registry = Registry::options().auth(Auth::Bearer(Users::one("ci", "hunter2"))).start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    let storage = beggar(|_| "Basic realm=\"storage\"".into());
    let client = client([
        HostOptions { credentials: given(ci("hunter2")), ..host(&registry) },
        host(&storage),
    ]);
    let here = repository(&registry, "acme/shop");
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    registry.fault(On::kind(Kind::Manifest).first(1), Fault::redirect(302, &storage.url()));
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap_err();
    registry.forget();
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert_eq!(registry.total(), 1, "the challenge of the registry is still known");
    assert!(!storage.requests().iter().any(|request| request.mentions("hunter2")));
}

#[tokio::test]
async fn p9_a_mirror_cannot_ask_for_what_is_the_registrys() {
    let registry = Registry::options().auth(Auth::Basic(Users::one("ci", "hunter2"))).start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    for (name, mirror) in [
        ("basic", beggar(|_| "Basic realm=\"mirror\"".into())),
        ("bearer", beggar(|own| format!("Bearer realm=\"http://{own}/token\""))),
    ] {
        let options = HostOptions {
            credentials: given(ci("hunter2")),
            mirrors: vec![format!("{}/cache", mirror.host())],
            ..host(&registry)
        };
        let fetched = client([options, host(&mirror)])
            .manifest(&repository(&registry, "acme/shop"), by_digest(&shop), soon())
            .await;
        assert_eq!(fetched.unwrap().digest, digest(&shop), "{name}");
        assert!(mirror.total() > 0, "{name}");
        assert!(
            mirror.requests().iter().all(|request| request.authorization().is_none()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn p9_a_token_service_is_not_led_on_to_others() {
    let thief = Peer::start(Listen::plain(), |_| {
        Answer::of(200, "application/json", "{\"token\":\"stolen\"}")
    });
    let users = Users::one("ci", "hunter2");
    let registry = Registry::options().auth(Auth::Bearer(users)).start();
    registry.put_image("acme/shop", "1.4", &image("shop").build());
    for status in [301, 302, 303, 307, 308] {
        registry.heal();
        registry.fault(On::kind(Kind::Token), Fault::redirect(status, &thief.url()));
        let options = HostOptions { credentials: given(ci("hunter2")), ..host(&registry) };
        let outcome = client([options, host(&thief)])
            .manifest(&repository(&registry, "acme/shop"), Reference::Tag("1.4"), soon())
            .await;
        assert_eq!(code(outcome), "registry.redirect-refused", "{status}");
    }
    assert_eq!(thief.total(), 0);
}

#[tokio::test]
async fn p13_what_a_registry_says_is_not_repeated() {
    let registry = Registry::start();
    let secret = "internal detail \u{1b}[31m\u{202e}";
    for (name, fault) in [
        ("error body", Fault::Instead(Answer::of(418, "text/plain", secret))),
        ("media type", Fault::Instead(Answer::of(200, "detail/internal", "{}"))),
        ("location", Fault::redirect(302, "http://internal.detail.example/")),
    ] {
        registry.heal();
        registry.fault(On::all(), fault);
        let outcome = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), Reference::Tag("1.4"), soon())
            .await;
        let text = outcome.unwrap_err().to_string();
        assert!(!text.contains("internal") && !text.contains("detail"), "{name}: {text}");
    }
}

#[tokio::test]
async fn p8_nothing_is_unpacked_and_headers_are_bounded() {
    let flood = |count: usize, size: usize| {
        Fault::rewrite(move |_, answer| {
            let value = "x".repeat(size);
            (0..count).fold(answer, |answer, at| answer.with(&format!("x-{at}"), value.clone()))
        })
    };
    for (name, fault, want) in [
        (
            "said to be packed",
            Fault::rewrite(|_, mut answer| {
                answer.body = GZIP_OF_EMPTY_OBJECT.to_vec().into();
                answer.with("content-encoding", "gzip")
            }),
            "image.digest-mismatch",
        ),
        ("a thousand headers", flood(1_000, 10), "registry.unreachable"),
        ("a header of a megabyte", flood(1, 1 << 20), "registry.unreachable"),
    ] {
        let registry = Registry::start();
        let object = countersign_kit::Content::raw("application/json", "{}");
        registry.put("acme/shop", &object);
        registry.fault(On::all(), fault);
        let began = Instant::now();
        let outcome = client([host(&registry)])
            .manifest(&repository(&registry, "acme/shop"), by_digest(&object), soon())
            .await;
        assert_eq!(code(outcome), want, "{name}");
        assert!(began.elapsed() < Duration::from_secs(2), "{name}: {:?}", began.elapsed());
    }
}

/// `printf '{}' | gzip -n`.
const GZIP_OF_EMPTY_OBJECT: [u8; 22] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0xae, 0x05, 0x00, 0x43, 0xbf,
    0xa6, 0xa3, 0x02, 0x00, 0x00, 0x00,
];
