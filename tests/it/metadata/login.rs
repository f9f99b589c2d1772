//! P9: who we are to a registry, and that it is shown to nobody else.

use std::{fs, os::unix::fs::PermissionsExt as _};

use countersign_kit::{Auth, Users, base64};

use super::desk::Desk;

#[test]
fn p9_credentials_come_from_flags_the_environment_and_docker_login() {
    let desk = Desk::new();
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "secret")));
    let user = ("REGISTRY_USERNAME", "ci");
    let password = ("REGISTRY_PASSWORD", "secret");
    for (name, line, variables, code, words) in [
        ("nobody", "", vec![], 1, "without a credential"),
        ("flags", "-u ci -p secret", vec![], 0, "other users can see"),
        ("a wrong password", "-u ci -p wrong", vec![], 1, "refuses the credential"),
        ("variables", "", vec![user, password], 0, ""),
        ("a flag over its variable", "-u ci", vec![("REGISTRY_USERNAME", "x"), password], 0, ""),
        ("no password, and nobody to ask", "-u ci", vec![], 2, "needs its password"),
        ("no user name", "-p secret", vec![], 2, "needs its user name"),
    ] {
        let ran = desk.run_with(&format!("list IMAGE {line}"), &variables, b"");
        assert_eq!(ran.code(), code, "{name}: {}", ran.stderr());
        assert!(ran.stderr().contains(words), "{name}: {}", ran.stderr());
        assert!(!ran.stderr().contains("secret"), "{name}: {}", ran.stderr());
    }
    let login = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"{}\"}}}}}}",
        desk.registry.host(),
        base64(b"ci:secret")
    );
    desk.write("config.json", login);
    desk.run("list IMAGE").good();
}

#[test]
fn p9_helpers_of_docker_login_are_asked_for_their_host_alone() {
    let desk = Desk::new();
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "secret")));
    let host = desk.registry.host();
    let answer = r#"{"ServerURL": "x", "Username": "ci", "Secret": "secret"}"#;
    let good = format!("read server\n[ \"$1 $server\" = \"get {host}\" ] && echo '{answer}'");
    let own = format!(r#"{{"credHelpers": {{"{host}": "fake"}}}}"#);
    let all = r#"{"credsStore": "fake"}"#.to_owned();
    let other = r#"{"credHelpers": {"other.example": "fake"}}"#.to_owned();
    let kept = format!(
        r#"{{"credsStore": "fake", "auths": {{"{host}": {{"auth": "{}"}}}}}}"#,
        base64(b"ci:secret")
    );
    let none = "echo credentials not found in native keychain; exit 1";
    for (name, config, script, code, words) in [
        ("of the host", &own, good.as_str(), 0, ""),
        ("of all hosts", &all, &good, 0, ""),
        ("of another host", &other, &good, 1, "without a credential"),
        ("has none", &own, none, 1, "without a credential"),
        ("has none, the file has", &kept, none, 0, ""),
        (
            "fails",
            &own,
            "echo 'the box is\u{1b}[1m locked'; exit 1",
            1,
            "docker-credential-fake, which has the credential of `docker login`, failed with exit status: 1: the box is\\u{1b}[1m locked",
        ),
        ("says nothing of use", &own, "echo hello", 1, "no JSON with Username and Secret"),
        (
            "wrong password",
            &own,
            "echo '{\"Username\": \"ci\", \"Secret\": \"no-secret\"}'",
            1,
            "refuses the credential",
        ),
    ] {
        let program = desk.path("docker-credential-fake");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        desk.write("config.json", config);
        let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
        let ran = desk.run_with("list IMAGE", &[("PATH", &path)], b"");
        assert_eq!(ran.code(), code, "{name}: {}", ran.stderr());
        assert!(ran.stderr().contains(words), "{name}: {}", ran.stderr());
        assert!(!ran.stderr().contains("secret"), "{name}: {}", ran.stderr());
    }
    desk.write("config.json", r#"{"credsStore": "gone"}"#);
    desk.run("list IMAGE").bad(
        1,
        "docker-credential-gone, which has the credential of `docker login`, cannot be run",
    );
    desk.write("config.json", r#"{"credsStore": "../evil"}"#);
    desk.run("list IMAGE").bad(
        1,
        "docker-credential-../evil, which has the credential of `docker login`, is no name",
    );
}

#[test]
fn p9_no_request_goes_by_a_proxy() {
    let (desk, proxy) = (Desk::new(), countersign_kit::Registry::start());
    let url = format!("http://{}", proxy.host());
    let names =
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let variables = names.map(|name| (name, url.as_str()));
    desk.run_with("list IMAGE", &variables, b"").good();
    assert!(desk.registry.total() > 0);
    assert_eq!(proxy.total(), 0);
}
