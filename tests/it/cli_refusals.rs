//! What goes wrong when `countersign sign` is run: each with its message and exit code, nothing
//! published, and no secret told.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use countersign_kit::{Answer, Fault, Key, Kind, On, Revocation};
use serde_json::json;

use crate::cli::{Desk, stderr, stdout};

const NOTE: &str = "projects/build/notes/built";

/// Runs it with a right and a wrong passphrase at hand.
fn run(desk: &Desk, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .current_dir(desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .env("OPEN", "correct horse")
        .env("SHUT", "battery staple")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn nothing_is_published(desk: &Desk, name: &str, output: &Output) {
    assert_eq!(stdout(output), "", "{name}");
    assert!(desk.registry.referrers("acme/shop", &desk.shop.digest()).is_empty(), "{name}");
    assert!(desk.grafeas.occurrences().is_empty(), "{name}");
    for secret in ["correct horse", "battery staple", "PRIVATE KEY"] {
        assert!(!stderr(output).contains(secret), "{name}: {}", stderr(output));
    }
}

#[test]
fn p14_keys_that_cannot_sign_are_told_and_publish_nothing() {
    let desk = Desk::new();
    desk.grafeas.put_note(NOTE);
    let key = || Key::options("ci");
    let locked = key().password("correct horse").generate();
    for (file, key) in [
        ("locked.key", &locked),
        ("expired.key", &key().expired().generate()),
        ("encrypts.key", &key().encryption_only().generate()),
        ("revoked.key", &key().generate().revoked(Revocation::Compromised)),
        ("v6.key", &key().v6().generate()),
        ("rsa.key", &key().rsa().generate()),
        ("empty.key", &key().password("").generate()),
    ] {
        desk.write(file, &key.secret_armored());
    }
    desk.write("public.key", &locked.certificate_armored());
    desk.write("half.key", &locked.secret_armored()[..200]);
    let (image, store) = (desk.by_digest(), desk.grafeas.url());
    let sign = |arguments: &str| {
        let to = ["sign", &image, "--attach", "--store", &store, "--note", NOTE];
        run(&desk, &to.into_iter().chain(arguments.split_whitespace()).collect::<Vec<_>>())
    };
    for (name, arguments, code, want) in [
        (
            "a wrong passphrase",
            "--key locked.key --passphrase env:SHUT",
            1,
            "the passphrase does not unlock key",
        ),
        ("nobody to ask", "--key locked.key", 1, "is locked; give its passphrase"),
        ("an empty passphrase file", "--key locked.key --passphrase none.txt", 1, "none.txt"),
        ("expired", "--key expired.key", 1, "has expired"),
        ("encryption only", "--key encrypts.key", 1, "no part that can sign"),
        ("revoked", "--key revoked.key", 1, "is revoked"),
        ("the public half", "--key public.key", 1, "without its secret key"),
        ("half a file", "--key half.key", 1, "no secret key"),
        ("no file", "--key gone.key", 1, "cannot read the key from gone.key"),
        ("no variable", "--key env:GONE", 1, "cannot read the key from the variable GONE"),
        ("one good, one not", "--key v6.key --key expired.key", 1, "has expired"),
        ("no key", "", 2, "--key"),
    ] {
        let refused = sign(arguments);
        assert_eq!(refused.status.code(), Some(code), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
        nothing_is_published(&desk, name, &refused);
    }
    desk.write("nothing.txt", "");
    let good = "--key v6.key --key rsa.key --key locked.key --key empty.key";
    for (name, arguments, lines) in [
        ("a passphrase that fits one", format!("{good} --passphrase env:OPEN"), None),
        ("version 6 and RSA", "--key v6.key --key rsa.key".into(), Some(4)),
        ("locked", "--key locked.key --passphrase env:OPEN".into(), Some(2)),
        ("an empty passphrase", "--key empty.key --passphrase nothing.txt".into(), Some(2)),
    ] {
        let signed = sign(&arguments);
        let printed = signed.status.success().then(|| stdout(&signed).lines().count());
        assert_eq!(printed, lines, "{name}: {}", stderr(&signed));
    }
}

#[test]
fn p14_peers_that_refuse_are_told_and_hold_nothing() {
    for (name, at_store, on, fault, want) in [
        (
            "a registry that may only be read",
            false,
            On::kind(Kind::Upload),
            Fault::status(403),
            "(HTTP 403 Forbidden); give it a credential that may do this",
        ),
        (
            "a registry that takes no manifests",
            false,
            On::kind(Kind::Manifest).method("PUT"),
            Fault::status(405),
            "not the protocol: HTTP 405",
        ),
        (
            "a store that may only be read",
            true,
            On::kind(Kind::Occurrence).method("POST"),
            Fault::status(403),
            "(HTTP 403 Forbidden); give it a credential that may do this",
        ),
        (
            "a store that asks for more",
            true,
            On::kind(Kind::Occurrence).method("POST"),
            Fault::Instead(Answer::json(
                400,
                &json!({"code": 3, "message": "details need \u{1b}[2J an id"}),
            )),
            "HTTP 400 Bad Request (`RUST_LOG=debug` logs what it says)",
        ),
        ("a store that is down", true, On::all(), Fault::status(503), "answers with HTTP 503"),
        (
            "a store that is a web page",
            true,
            On::all(),
            Fault::html(200),
            "an answer that is not the protocol",
        ),
    ] {
        let desk = Desk::new();
        desk.grafeas.put_note(NOTE);
        let (image, store) = (desk.by_digest(), desk.grafeas.url());
        let to: &[&str] = if at_store {
            desk.grafeas.fault(on, fault);
            &["--store", &store, "--note", NOTE]
        } else {
            desk.registry.fault(on, fault);
            &["--attach"]
        };
        let always = ["sign", &image, "--key", "builder.key"];
        let refused = run(&desk, &[&always[..], to].concat());
        assert_eq!(refused.status.code(), Some(1), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
        assert!(!stderr(&refused).contains("details need"), "P9: {}", stderr(&refused));
        nothing_is_published(&desk, name, &refused);
        desk.registry.heal();
        desk.grafeas.heal();
        let completed = run(&desk, &[&always[..], to].concat());
        assert_eq!(stdout(&completed).lines().count(), 1, "{name}: {}", stderr(&completed));
    }
}

#[test]
fn p14_what_may_not_be_signed_is_told() {
    let desk = Desk::new();
    desk.grafeas.put_note(NOTE);
    let host = desk.registry.host();
    let (by_tag, image, store) = (desk.by_tag(), desk.by_digest(), desk.grafeas.url());
    let line =
        format!("{{\"image\":\"{host}/acme/shop:1.4\",\"digest\":\"{}\"}}\n", desk.shop.digest());
    fs::create_dir(desk.path("cut")).unwrap();
    // JSON lines whose second was being written when the step died.
    desk.write("cut/lines.json", &format!("{line}{}", &line[..30]));
    fs::create_dir(desk.path("latin")).unwrap();
    fs::write(desk.path("latin/a.json"), b"{\"image\":\"caf\xe9\"}").unwrap();
    let inside = format!("{host}/acme/**");
    let elsewhere = format!("{host}/other/**");
    let attach = ["--attach"];
    let missing = ["--store", &store, "--note", "projects/build/notes/none"];
    for (name, images, to, code, want) in [
        (
            "a tag",
            &[&*by_tag][..],
            &attach[..],
            2,
            format!(
                "countersign sign --key builder.key {host}/acme/shop:1.4@{} --attach\n",
                desk.shop.digest()
            ),
        ),
        (
            "another repository",
            &[&*image, "--repository", &elsewhere],
            &attach,
            2,
            "is in none of the repositories that may be signed".into(),
        ),
        (
            "lines that were cut",
            &["--outputs", "cut", "--repository", &inside],
            &attach,
            2,
            "cut/lines.json:2:30: the file ends in the middle".into(),
        ),
        (
            "another encoding",
            &["--outputs", "latin", "--repository", &inside],
            &attach,
            2,
            "latin/a.json:1:14: is not UTF-8".into(),
        ),
        (
            "a note that is missing",
            &[&*image],
            &missing,
            1,
            "the store has no note projects/build/notes/none; make it with --create-note".into(),
        ),
        ("nowhere to put it", &[&*image], &[], 2, "give --attach, or --store and --note".into()),
    ] {
        let refused = run(&desk, &[&["sign", "--key", "builder.key"][..], images, to].concat());
        assert_eq!(refused.status.code(), Some(code), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(&want), "{name}: {}", stderr(&refused));
        nothing_is_published(&desk, name, &refused);
    }
}

/// Before a secret is read or made, core files are off.
#[cfg(target_os = "linux")]
#[test]
fn no_core_file_holds_a_key() {
    let desk = Desk::new();
    let image = desk.by_digest();
    let key = fs::read(desk.path("builder.key")).unwrap();
    let generate = ["keys", "generate", "--user", "B", "--out", "b", "--passphrase", "-"];
    for (arguments, secret) in [
        (&["sign", &image, "--key", "-", "--attach"][..], key.as_slice()),
        (&generate, b"a passphrase"),
    ] {
        let mut child = Command::new("sh")
            // Whatever the machine allows by default, here core files would be written.
            .args(["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .current_dir(desk.path("."))
            .env("DOCKER_CONFIG", desk.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It waits for the secret until it gets one.
        let limits = format!("/proc/{}/limits", child.id());
        let is_off = || {
            let text = fs::read_to_string(&limits).unwrap_or_default();
            text.lines().any(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words.starts_with(&["Max", "core", "file", "size", "0", "0"])
            })
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !is_off() {
            assert!(child.try_wait().unwrap().is_none() && Instant::now() < end, "{arguments:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.stdin.take().unwrap().write_all(secret).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", stderr(&ended));
    }
}
