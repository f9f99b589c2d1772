//! What a person at a terminal is asked and shown, on a terminal that util-linux' `script` makes.

use std::{
    io::{Read as _, Write as _},
    process::{Command, Output, Stdio},
    time::Duration,
};

use countersign_kit::{Auth, Key, Users, artifact, image};

use crate::cli::{Desk, stderr, stdout};

/// Runs a command line on a terminal; once it asks with `prompt`, these lines are typed.
fn typed(desk: &Desk, line: &str, prompt: &str, lines: &str) -> Output {
    let command = format!("{} {line}", env!("CARGO_BIN_EXE_countersign"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut shown, mut byte) = (Vec::new(), [0]);
    let mut screen = child.stdout.take().unwrap();
    while !String::from_utf8_lossy(&shown).contains(prompt) && screen.read(&mut byte).unwrap() > 0 {
        shown.extend(byte);
    }
    // Between the question and the end of the echo there is a moment, in which nobody types.
    std::thread::sleep(Duration::from_secs(1));
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stdout = shown;
    output
}

#[test]
#[ignore = "needs script"]
fn secrets_are_asked_for_and_not_shown() {
    let desk = Desk::new();
    desk.write(
        "locked.key",
        &Key::options("ci").password("correct horse").generate().secret_armored(),
    );
    let image = desk.by_digest();
    let sign = format!("sign {image} --key locked.key --attach");
    let wrong = typed(&desk, &sign, ASKS, "battery staple\n");
    assert_eq!(wrong.status.code(), Some(1), "{}", stdout(&wrong));
    assert!(stdout(&wrong).contains(ASKS), "{}", stdout(&wrong));
    assert!(stdout(&wrong).contains("does not unlock"), "{}", stdout(&wrong));
    let right = typed(&desk, &sign, ASKS, "correct horse\n");
    assert!(right.status.success(), "{}{}", stdout(&right), stderr(&right));
    assert!(stdout(&right).contains("@sha256:"), "{}", stdout(&right));

    desk.registry.set_auth(Auth::Basic(Users::one("ci", "hunter2")));
    desk.write("yes.json", "{}");
    let put = format!("metadata put {image} contact yes.json --username ci");
    let refused = typed(&desk, &put, "password of ci for", "wrong\n");
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
    let asked = typed(&desk, &put, "password of ci for", "hunter2\n");
    assert!(asked.status.success(), "{}", stdout(&asked));
    assert!(stdout(&asked).contains("password of ci for"), "{}", stdout(&asked));
    for (name, output) in [("sign", &wrong), ("sign", &right), ("put", &refused), ("put", &asked)] {
        for secret in ["correct horse", "battery staple", "hunter2"] {
            assert!(!stdout(output).contains(secret), "{name}: {}", stdout(output));
        }
    }
}

#[test]
#[ignore = "needs script"]
fn long_work_shows_how_far_it_is() {
    let desk = Desk::new();
    let images: Vec<String> = (0..30)
        .map(|at| {
            let digest = desk.registry.put("acme/shop", &image(&at.to_string()).build());
            format!("{}/acme/shop@{digest}", desk.registry.host())
        })
        .collect();
    let sign = format!("sign {} --key builder.key --attach", images.join(" "));
    let signed = typed(&desk, &sign, "", "");
    assert!(signed.status.success(), "{}", stdout(&signed));
    assert!(stdout(&signed).contains("/30 images"), "{}", stdout(&signed));
    let quiet = desk.run(&sign.split(' ').collect::<Vec<_>>());
    assert!(!stderr(&quiet).contains("/30 images"), "where nobody watches: {}", stderr(&quiet));
}

#[test]
#[ignore = "needs script"]
fn evidence_is_removed_by_a_person_who_says_yes() {
    let desk = Desk::new();
    let bill = artifact("application/vnd.acme.sbom").subject(&desk.shop).build();
    let is_there = || desk.registry.manifest("acme/shop", &bill.digest()).is_some();
    desk.registry.attach("acme/shop", &bill);
    let detach = format!("detach {}", desk.by_digest());
    for answer in ["", "n", "no", "yy", "maybe y", "\u{4}"] {
        let kept = typed(&desk, &detach, REMOVES, &format!("{answer}\n"));
        let screen = stdout(&kept);
        assert_eq!(kept.status.code(), Some(1), "{answer:?}: {screen}");
        assert!(screen.contains(&bill.digest()), "{screen}");
        assert!(screen.contains("nothing was removed"), "{screen}");
        assert!(is_there(), "{answer:?}: {screen}");
    }
    for answer in ["y", "YES"] {
        desk.registry.attach("acme/shop", &bill);
        let unasked = desk.run(&detach.split(' ').collect::<Vec<_>>());
        assert_eq!(unasked.status.code(), Some(2), "where nobody is: {}", stderr(&unasked));
        assert!(is_there() && stderr(&unasked).contains("give --yes"), "{}", stderr(&unasked));
        let removed = typed(&desk, &detach, REMOVES, &format!("{answer}\n"));
        assert!(removed.status.success(), "{answer}: {}", stdout(&removed));
        assert!(!is_there(), "{answer}: {}", stdout(&removed));
    }
}

const REMOVES: &str = "remove these 1? [y/N] ";

const ASKS: &str = "passphrase of the key from locked.key:";
