//! Credentials: shown to whom they are for, fetched once, read again when they change.

use std::fs;

use countersign::{
    name::Pattern,
    source::{Credential, CredentialOptions, CredentialSource, HostOptions, Registries, Secret},
};
use countersign_kit::{
    Auth, Content, Fault, Kind, Listen, On, Peer, Registry, TokenService, Users, base64, image,
};
use futures_util::future::join_all;

use super::{by_digest, client, code, given, host, repository, soon};

fn ci() -> CredentialSource {
    let password = Secret::new("hunter2".into());
    CredentialSource::Given(Credential::Password { username: "ci".into(), password })
}

/// A registry that asks for credentials, with one image, and that image.
fn guarded(auth: Auth) -> (Registry, Content) {
    let registry = Registry::options().auth(auth).start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    (registry, shop)
}

fn with(peer: &Peer, source: CredentialSource) -> HostOptions {
    HostOptions { credentials: given(source), ..host(peer) }
}

#[tokio::test]
async fn each_kind_of_credential_opens_the_registry() {
    let users = Users::one("ci", "hunter2");
    users.identity_token("refresh-me", "ci");
    let identity =
        CredentialSource::Given(Credential::IdentityToken(Secret::new("refresh-me".into())));
    for (name, auth, source, first, second) in [
        ("basic", Auth::Basic(users.clone()), ci(), 2, 1),
        ("bearer", Auth::Bearer(users.clone()), ci(), 3, 1),
        ("identity token", Auth::Bearer(users.clone()), identity, 3, 1),
    ] {
        let (registry, shop) = guarded(auth);
        let client = client([with(&registry, source)]);
        let here = repository(&registry, "acme/shop");
        client
            .manifest(&here, by_digest(&shop), soon())
            .await
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(registry.total(), first, "{name}: the challenge is met");
        registry.forget();
        client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
        assert_eq!(registry.total(), second, "{name}: and known from then on");
    }
}

#[tokio::test]
async fn another_repository_costs_a_token_and_no_challenge() {
    let (registry, shop) = guarded(Auth::Bearer(Users::one("ci", "hunter2")));
    registry.put("acme/other", &shop);
    let client = client([with(&registry, ci())]);
    client.manifest(&repository(&registry, "acme/shop"), by_digest(&shop), soon()).await.unwrap();
    registry.forget();
    client.manifest(&repository(&registry, "acme/other"), by_digest(&shop), soon()).await.unwrap();
    assert_eq!((registry.count(Kind::Token), registry.count(Kind::Manifest)), (1, 1));
    let scope = registry.requests()[0].parameter("scope");
    assert_eq!(scope.as_deref(), Some("repository:acme/other:pull"));
}

#[tokio::test]
async fn anonymous_tokens_are_had_without_a_credential() {
    let users = Users::default();
    users.allow_anonymous_pull(true);
    let (registry, shop) = guarded(Auth::Bearer(users));
    let here = repository(&registry, "acme/shop");
    client([host(&registry)]).manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert!(registry.requests().iter().all(|request| !request.mentions("Basic")));
}

#[tokio::test]
async fn many_callers_share_a_token_and_two_credentials_never_do() {
    let users = Users::default();
    users.add("alice", "a-secret", "alice/");
    users.add("bob", "b-secret", "bob/");
    let (registry, shop) = guarded(Auth::Bearer(users.clone()));
    registry.put("alice/shop", &shop);
    registry.put("bob/shop", &shop);
    let credential = |name: &str| {
        let password = Secret::new(format!("{}-secret", &name[..1]));
        let credential = Credential::Password { username: name.into(), password };
        let pattern: Pattern = format!("{}/{name}/**", registry.host()).parse().unwrap();
        let source = CredentialSource::Given(credential);
        CredentialOptions { repositories: vec![pattern], source }
    };
    let credentials = vec![credential("alice"), credential("bob")];
    let client = client([HostOptions { credentials, ..host(&registry) }]);
    let (alice, bob) = (repository(&registry, "alice/shop"), repository(&registry, "bob/shop"));
    let calls = (0..50).map(|at| {
        let here = if at % 2 == 0 { &alice } else { &bob };
        client.manifest(here, by_digest(&shop), soon())
    });
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(users.issued(), 2, "one token for each");
    assert_ne!(client.credential_scope(&alice), client.credential_scope(&bob));
    for request in registry.requests() {
        assert!(!(request.path.contains("alice") && request.mentions("b-secret")));
        assert!(!(request.path.contains("bob") && request.mentions("a-secret")));
    }
}

#[tokio::test]
async fn a_token_that_dies_is_renewed_once() {
    let users = Users::one("ci", "hunter2");
    let (registry, shop) = guarded(Auth::Bearer(users.clone()));
    let client = client([with(&registry, ci())]);
    let here = repository(&registry, "acme/shop");
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    users.revoke_tokens();
    registry.forget();
    let calls = (0..20).map(|_| client.manifest(&here, by_digest(&shop), soon()));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert!(users.issued() <= 3, "renewed together: {}", users.issued());
}

#[tokio::test]
async fn wrong_and_missing_credentials_are_told_apart() {
    let wrong = || {
        let password = Secret::new("wrong".into());
        CredentialSource::Given(Credential::Password { username: "ci".into(), password })
    };
    let users = || Users::one("ci", "hunter2");
    for (name, auth, source, text) in [
        ("basic without", Auth::Basic(users()), None, "without a credential"),
        ("basic wrong", Auth::Basic(users()), Some(wrong()), "the credential that is configured"),
        ("bearer without", Auth::Bearer(users()), None, "without a credential"),
        ("bearer wrong", Auth::Bearer(users()), Some(wrong()), "the credential that is configured"),
    ] {
        let (registry, shop) = guarded(auth);
        let options = HostOptions { credentials: source.map_or(vec![], given), ..host(&registry) };
        let here = repository(&registry, "acme/shop");
        let error = client([options]).manifest(&here, by_digest(&shop), soon()).await.unwrap_err();
        assert_eq!(error.code().to_string(), "registry.unauthorized", "{name}");
        assert!(error.to_string().contains(text), "{name}: {error}");
        assert!(registry.total() <= 4, "{name}: asked {} times", registry.total());
    }
}

#[tokio::test]
async fn p9_no_realm_but_a_known_one_gets_a_secret() {
    let trap = Peer::start(Listen::plain(), |_| countersign_kit::Answer::new(200));
    let realm = format!("{}/token", trap.url());
    let (registry, shop) = guarded(Auth::BearerAt(Users::one("ci", "hunter2"), realm));
    let here = repository(&registry, "acme/shop");
    let client = client([with(&registry, ci()), host(&trap)]);
    let error = client.manifest(&here, by_digest(&shop), soon()).await.unwrap_err();
    assert_eq!(error.code().to_string(), "registry.realm-refused");
    assert!(error.to_string().contains("set `tokenRealm`"), "{error}");
    assert_eq!(trap.total(), 0);
}

#[tokio::test]
async fn p9_a_configured_realm_is_used_and_does_not_send_us_on() {
    let users = Users::one("ci", "hunter2");
    let service = TokenService::start(Listen::plain(), &users);
    let trap = Peer::start(Listen::plain(), |_| countersign_kit::Answer::new(200));
    let (registry, shop) = guarded(Auth::BearerAt(users, service.realm()));
    let token_realm = Some(service.realm().parse().unwrap());
    let options = || HostOptions { token_realm: token_realm.clone(), ..with(&registry, ci()) };
    let here = repository(&registry, "acme/shop");
    client([options()]).manifest(&here, by_digest(&shop), soon()).await.unwrap();
    assert_eq!(service.count(Kind::Token), 1);

    service.fault(On::all(), Fault::redirect(307, &trap.url()));
    let refused = client([options(), host(&trap)]).manifest(&here, by_digest(&shop), soon()).await;
    assert_eq!(code(refused), "registry.redirect-refused");
    assert_eq!(trap.total(), 0);
}

#[tokio::test]
async fn token_services_that_talk_nonsense_are_refused() {
    for (name, fault, want) in [
        ("no token", Fault::bytes(r#"{"token":""}"#), "registry.invalid"),
        ("no JSON", Fault::html(200), "registry.invalid"),
        ("a token with a line break", Fault::bytes(r#"{"token":"a\nb"}"#), "registry.invalid"),
        ("endless", Fault::Endless, "evidence.too-much"),
        ("busy", Fault::retry_after(429, 60), "registry.limited"),
        ("down", Fault::status(503), "registry.unreachable"),
        ("forbidden", Fault::status(403), "registry.unauthorized"),
    ] {
        let (registry, shop) = guarded(Auth::Bearer(Users::one("ci", "hunter2")));
        registry.fault(On::kind(Kind::Token), fault);
        let client = client([with(&registry, ci())]);
        let here = repository(&registry, "acme/shop");
        let outcome = client.manifest(&here, by_digest(&shop), soon()).await;
        assert_eq!(code(outcome), want, "{name}");
    }
}

#[tokio::test]
async fn files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let users = Users::one("ci", "hunter2");
    let (registry, shop) = guarded(Auth::Basic(users.clone()));
    let here = repository(&registry, "acme/shop");
    let (config, password) = (folder.path().join("config.json"), folder.path().join("password"));
    let auths = |secret: &str| {
        let auth = base64(format!("ci:{secret}").as_bytes());
        format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.host())
    };
    fs::write(&config, auths("hunter")).unwrap();
    fs::write(&password, "hunter\n").unwrap();
    let by_config = client([with(&registry, CredentialSource::DockerConfig(config.clone()))]);
    let username = "ci".to_owned();
    let file = password.clone();
    let by_file = client([with(&registry, CredentialSource::PasswordFile { username, file })]);
    let open = async |client: &Registries| client.manifest(&here, by_digest(&shop), soon()).await;
    assert_eq!(code(open(&by_config).await), "registry.unauthorized");
    assert_eq!(code(open(&by_file).await), "registry.unauthorized");

    fs::write(&config, auths("hunter2")).unwrap();
    fs::write(&password, "hunter2\n").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    open(&by_config).await.unwrap();
    open(&by_file).await.unwrap();
}

#[tokio::test]
async fn p9_a_token_dies_with_the_credential_it_was_had_by() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "hunter2").unwrap();
    let (registry, shop) = guarded(Auth::Bearer(Users::one("ci", "hunter2")));
    let here = repository(&registry, "acme/shop");
    let username = "ci".to_owned();
    let source = CredentialSource::PasswordFile { username, file: file.clone() };
    let client = client([with(&registry, source)]);
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    fs::write(&file, "taken away").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let refused = client.manifest(&here, by_digest(&shop), soon()).await;
    assert_eq!(code(refused), "registry.unauthorized");
}

#[tokio::test]
async fn a_registry_whose_token_service_moved_is_asked_anew() {
    let users = Users::one("ci", "hunter2");
    let (registry, shop) = guarded(Auth::Bearer(users.clone()));
    registry.put("acme/other", &shop);
    let service = TokenService::start(Listen::plain(), &users);
    let token_realm = Some(service.realm().parse().unwrap());
    let client = client([HostOptions { token_realm, ..with(&registry, ci()) }]);
    let (here, there) = (repository(&registry, "acme/shop"), repository(&registry, "acme/other"));
    client.manifest(&here, by_digest(&shop), soon()).await.unwrap();
    registry.set_auth(Auth::BearerAt(users, service.realm()));
    client.manifest(&there, by_digest(&shop), soon()).await.unwrap_err();
    client.manifest(&there, by_digest(&shop), soon()).await.unwrap();
    assert_eq!(service.count(Kind::Token), 1);
}

#[tokio::test]
async fn a_missing_file_is_said_and_nobody_asked() {
    let (registry, shop) = guarded(Auth::Anonymous);
    let gone = CredentialSource::DockerConfig("/nonexistent/config.json".into());
    let here = repository(&registry, "acme/shop");
    let error = client([with(&registry, gone)])
        .manifest(&here, by_digest(&shop), soon())
        .await
        .unwrap_err();
    assert_eq!(error.code().to_string(), "registry.unauthorized");
    assert!(!error.to_string().contains("/nonexistent"), "paths are for the log: {error}");
    assert_eq!(registry.total(), 0);
}

#[test]
fn secrets_are_not_printed() {
    let credential = Credential::IdentityToken(Secret::new("hunter2".into()));
    assert_eq!(format!("{credential:?}"), "IdentityToken([secret])");
}
