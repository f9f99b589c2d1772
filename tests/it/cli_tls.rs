//! `countersign sign` over TLS: what proves the servers to us, and us to them.

use countersign_kit::{Auth, Ca, Grafeas, Listen, Registry, TokenService, Users};

use crate::cli::{Desk, stderr, stdout};

#[test]
fn p9_each_flag_is_needed_where_the_server_asks_for_it() {
    let (mut desk, ca, callers) = (Desk::new(), Ca::new(), Ca::new());
    let users = Users::one("ci", "hunter2");
    let service = TokenService::start(Listen::tls(&ca), &users);
    let auth = Auth::BearerAt(users, service.realm());
    let registry = Registry::options().listen(Listen::tls(&ca)).auth(auth).start();
    registry.put("acme/shop", &desk.shop);
    desk.grafeas = Grafeas::start_on(Listen::mutual_tls(&ca, &callers.pem()));
    desk.grafeas.require_token("token-of-ci");
    let client = callers.client("ci");
    for (name, text) in [
        ("ca.pem", ca.pem().as_str()),
        // As some tools write it: no end to the last line.
        ("own.pem", client.certificate.trim_end()),
        ("own.key", &client.key),
        ("token", "token-of-ci\n"),
    ] {
        desk.write(name, text);
    }
    let (host, store, realm) = (registry.host(), desk.grafeas.url(), service.realm());
    let image = format!("{host}/acme/shop@{}", desk.shop.digest());
    let flags = [
        &["--username", "ci"][..],
        &["--ca", "ca.pem"],
        &["--token-realm", &realm],
        &["--store-ca", "ca.pem"],
        &["--store-token", "env:STORE_TOKEN"],
        &["--store-certificate", "own.pem", "--store-certificate-key", "own.key"],
        &["--project", "projects/other"],
    ];
    let note = "projects/build/notes/built";
    let sign = ["sign", &image, "--key", "builder.key", "--attach", "--store", &store];
    let sign = [&sign[..], &["--note", note, "--create-note"]].concat();
    let variables = [("REGISTRY_PASSWORD", "hunter2"), ("STORE_TOKEN", "token-of-ci")];
    for (name, out, with, code, want) in [
        ("no user name", "--username", &[][..], 2, "a password needs its user name"),
        ("no CA", "--ca", &[], 1, "could not be reached"),
        ("no realm", "--token-realm", &[], 1, "sends us for a token to https://127.0.0.1"),
        ("no CA for the store", "--store-ca", &[], 1, "an authority that is not trusted here"),
        ("no token", "--store-token", &[], 1, "refuses"),
        (
            "another token",
            "--store-token",
            &["--store-token", "env:REGISTRY_PASSWORD"],
            1,
            "refuses",
        ),
        ("no certificate", "--store-certificate", &[], 1, "asks for a client certificate"),
        (
            "half a certificate",
            "--store-certificate",
            &["--store-certificate", "own.pem"],
            2,
            "--store-certificate-key",
        ),
        ("all, the token in a file", "--store-token", &["--store-token", "token"], 0, ""),
        ("all", "", &[], 0, "unchanged: "),
    ] {
        let kept = flags.iter().filter(|flag| flag[0] != out).flat_map(|flag| flag.iter().copied());
        let arguments: Vec<&str> =
            sign.iter().copied().chain(kept).chain(with.iter().copied()).collect();
        let ran = desk.run_with(&arguments, &variables);
        assert_eq!(ran.status.code(), Some(code), "{name}: {}", stderr(&ran));
        assert!(stderr(&ran).contains(want), "{name}: {}", stderr(&ran));
        for secret in ["hunter2", "token-of-ci"] {
            assert!(!stderr(&ran).contains(secret), "{name}: {}", stderr(&ran));
        }
        let published = stdout(&ran).lines().count();
        assert_eq!(published, if name.contains("in a file") { 2 } else { 0 }, "{name}");
    }
    let occurrence = &desk.grafeas.occurrences()[0];
    assert_eq!(occurrence["noteName"], note);
    assert!(occurrence["name"].as_str().unwrap().starts_with("projects/other/"), "{occurrence}");
}
