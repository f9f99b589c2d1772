//! P9: a secret that a command was given goes where the person who typed it says, and nowhere else.

use std::{fs, os::unix::fs::PermissionsExt as _};

use countersign_kit::{Auth, Ca, Grafeas, Key, Listen, Users};

use crate::{
    cli::{Desk, stderr, stdout},
    cli_ocibuilder,
};

#[test]
fn p9_a_folder_does_not_say_where_a_password_goes() {
    let desk = Desk::new();
    let (image, host) = (desk.by_digest(), desk.registry.host());
    let signed = desk.run(&["sign", &image, "--key", "builder.key", "--output-dir", "signed"]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "hunter2")));
    let (own, all) = (format!("{host}/acme/**"), "**");
    let login = [("REGISTRY_USERNAME", "ci"), ("REGISTRY_PASSWORD", "hunter2")];
    let password = &login[1..];
    let advice = format!("add --repository '{host}/**', else use `docker login`");
    for (name, more, variables, code, want) in [
        ("variables", &[][..], &login[..], 2, advice.as_str()),
        ("a flag", &["-u", "ci"], password, 2, &advice),
        ("a pattern that names no host", &["--repository", all], &login, 2, &advice),
        ("another repository", &["--repository", "a.example/**"], &[], 2, "which none of --repo"),
        ("nobody", &["--repository", &own], &[], 1, "without a credential"),
        ("the host is named", &["--repository", &own], &login, 0, ""),
    ] {
        desk.registry.forget();
        let publish = [&["publish", "signed", "--attach"], more].concat();
        let published = desk.run_with(&publish, variables);
        assert_eq!(published.status.code(), Some(code), "{name}: {}", stderr(&published));
        assert!(stderr(&published).contains(want), "{name}: {}", stderr(&published));
        assert!(!stderr(&published).contains("hunter2"), "{name}: {}", stderr(&published));
        assert_eq!(desk.registry.total() == 0, code == 2, "{name}: nobody is asked");
    }
    let config = format!(
        "{{\"auths\": {{\"{host}\": {{\"auth\": \"{}\"}}}}}}",
        countersign_kit::base64(b"ci:hunter2")
    );
    desk.write("config.json", &config);
    let published = desk.run(&["publish", "signed", "--attach"]);
    assert!(published.status.success(), "as the README has it: {}", stderr(&published));
    let (store, note) = (desk.grafeas.url(), "projects/build/notes/built");
    let to_store = ["publish", "signed", "--store", &store, "--note", note, "--create-note"];
    let published = desk.run_with(&to_store, &login);
    assert!(published.status.success(), "no registry is asked: {}", stderr(&published));
}

#[test]
fn p9_a_file_of_ocibuilder_does_not_say_where_a_token_goes() {
    let (mut desk, ca, key) = (Desk::new(), Ca::new(), Key::options("oci").generate());
    desk.grafeas = Grafeas::start_on(Listen::tls(&ca));
    desk.grafeas.require_token("token-of-ci");
    let url = desk.grafeas.url();
    cli_ocibuilder::prepared(&desk, &url, &key);
    let client = ca.client("ci");
    for (name, text) in [
        ("ca.pem", ca.pem().as_str()),
        ("token", "token-of-ci"),
        ("own.pem", &client.certificate),
        ("own.key", &client.key),
    ] {
        desk.write(name, text);
    }
    let token = ["--store-token", "token"];
    let certificate = ["--store-certificate", "own.pem", "--store-certificate-key", "own.key"];
    let (store, other) = (["--store", &url], ["--store", "https://grafeas.example"]);
    let advice = format!("add --store {url}");
    for (name, more, code, want) in [
        ("a token", token.to_vec(), 2, advice.as_str()),
        ("a certificate", certificate.to_vec(), 2, &advice),
        ("another server", [&token[..], &other].concat(), 2, "and the file says https://127"),
        ("neither is given", vec![], 1, "refuses"),
        ("Google's, which goes to Google", vec!["--store-token", "google"], 1, "googleapis.com"),
        (
            "a note beside the file's",
            vec!["--note", "projects/p/notes/n"],
            2,
            "cannot be used with",
        ),
        ("the server is named", [&token[..], &store].concat(), 0, ""),
    ] {
        desk.grafeas.forget();
        let more = [&["--store-ca", "ca.pem", "--create-note"], &more[..]].concat();
        let signed = cli_ocibuilder::sign(&desk, &key.secret_armored(), &more);
        assert_eq!(signed.status.code(), Some(code), "{name}: {}", stderr(&signed));
        assert!(stderr(&signed).contains(want), "{name}: {}", stderr(&signed));
        assert!(!stderr(&signed).contains("token-of-ci"), "{name}: {}", stderr(&signed));
        assert!(code != 2 || desk.grafeas.total() == 0, "{name}: nobody is asked");
    }
}

/// gpg gets what it needs, and a credential helper all that holds no secret of ours.
#[test]
fn p9_programs_that_are_started_inherit_no_secret() {
    let desk = Desk::new();
    let image = desk.by_digest();
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "hunter2")));
    let answer = r#"{"ServerURL": "x", "Username": "ci", "Secret": "hunter2"}"#;
    for (name, script) in [
        ("docker-credential-fake", &format!("env > seen; cat >/dev/null; echo '{answer}'")),
        ("gpg", &"env > seen; exit 2".to_owned()),
    ] {
        fs::write(desk.path(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(desk.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    desk.write("config.json", r#"{"credsStore": "fake"}"#);
    let path = format!("{}:/usr/bin:/bin", desk.path("").display());
    let secret = fs::read_to_string(desk.path("builder.key")).unwrap();
    let variables = [
        ("PATH", path.as_str()),
        ("CI_PASS", "secret-passphrase"),
        ("OCI_PRI_KEY", &secret),
        ("TOKEN", "secret-token"),
        ("AWS_REGION", "eu-1"),
        ("GNUPGHOME", "/of/gpg"),
    ];
    let gpg = format!("gpg:{}", "AB".repeat(20));
    for (name, arguments, hidden, seen) in [
        ("helper", vec!["copy", &image, "oci:out"], &["PRIVATE KEY"][..], &["AWS_REGION=eu-1"][..]),
        (
            "helper, a variable named in a word of its own",
            vec!["sign", &image, "--key", "env:CI_KEY", "--passphrase", "env:CI_PASS", "--attach"],
            &["secret-pass", "PRIVATE KEY"],
            &["AWS_REGION=eu-1"],
        ),
        (
            "helper, a variable named in one word",
            vec!["sign", &image, "--key=env:CI_KEY", "--passphrase=env:CI_PASS", "--attach"],
            &["secret-pass", "PRIVATE KEY"],
            &["AWS_REGION=eu-1"],
        ),
        (
            "gpg",
            vec!["sign", &image, "--key", &gpg, "--attach"],
            &["secret-", "PRIVATE KEY", "AWS_REGION"],
            &["GNUPGHOME=/of/gpg", "LC_ALL=C"],
        ),
    ] {
        let _none = fs::remove_file(desk.path("seen"));
        let ran = desk.run_with(&arguments, &variables);
        let environment = fs::read_to_string(desk.path("seen"))
            .unwrap_or_else(|_| panic!("{name}: {}{}", stdout(&ran), stderr(&ran)));
        for text in hidden {
            assert!(!environment.contains(text), "{name}: {text} in {environment}");
        }
        for text in seen {
            assert!(environment.contains(text), "{name}: no {text} in {environment}");
        }
    }
}
