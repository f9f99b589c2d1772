//! `countersign sign` and `publish` from a shell: folders, platforms, several keys, what goes wrong.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use countersign_kit::{Auth, Fault, Kind, On, PkixKey, Registry, Users, image, index};
use serde_json::Value;

use crate::cli::{Desk, stderr, stdout};

const NOTE: &str = "projects/build/notes/built";

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

#[test]
fn what_was_signed_without_a_network_is_published_without_a_key() {
    let mut desk = Desk::new();
    let pem = PkixKey::generate();
    desk.write("pem.key", &pem.secret_pem());
    desk.write("p.json", r#"{"buildDefinition": {"buildType": "make"}}"#);
    let image = desk.by_digest();
    let statement = ["--predicate", "p.json", "--type", "provenance"];
    let keys = ["--key", "builder.key", "--key", "pem.key", "--output-dir", "signed"];
    let sign = |more: &[&str]| desk.run(&[&["sign", &image][..], &keys, more].concat());
    for more in [&[][..], &statement[..]] {
        let signed = sign(more);
        assert!(signed.status.success(), "{}", stderr(&signed));
        assert_eq!(stdout(&signed).lines().count(), 2, "{}", stdout(&signed));
        let again = sign(more);
        assert_eq!(stdout(&again), "", "{}", stderr(&again));
        assert_eq!(stderr(&again).matches("unchanged: signed/shop.sha256-").count(), 2);
    }
    assert_eq!(desk.registry.total() + desk.grafeas.total(), 0, "nobody was asked");
    fs::remove_file(desk.path("builder.key")).unwrap();
    fs::remove_file(desk.path("pem.key")).unwrap();

    let store = desk.grafeas.url();
    let publish = ["publish", "signed", "--store", &store, "--note", NOTE, "--create-note"];
    let published = desk.run(&publish);
    assert!(published.status.success(), "{}", stderr(&published));
    assert_eq!(stdout(&published).lines().count(), 4, "{}", stdout(&published));
    let again = desk.run(&publish);
    assert_eq!(stderr(&again).matches("unchanged: ").count(), 4, "{}", stderr(&again));
    assert_eq!(desk.grafeas.occurrences().len(), 4);

    // A key in PEM makes no message that a registry could hold; all else goes there.
    let attached = desk.run(&["publish", "signed", "--attach", "-o", "json"]);
    assert_eq!(attached.status.code(), Some(1), "{}", stderr(&attached));
    assert!(stderr(&attached).contains("a key in PEM signs no OpenPGP message"));
    let rows = json(&attached);
    let went: Vec<usize> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["published"].as_array().unwrap().len())
        .collect();
    assert_eq!(went.iter().sum::<usize>(), 3, "{rows:#}");
    let verified = desk.run(&["verify", &image, "--config", "countersign.yaml"]);
    assert!(verified.status.success(), "{}", stdout(&verified));
    desk.grafeas.stop();
}

#[test]
fn p14_a_folder_that_was_tampered_with_publishes_nothing_of_it() {
    let desk = Desk::new();
    let image = desk.by_digest();
    let signed = desk.run(&["sign", &image, "--key", "builder.key", "--output-dir", "signed"]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let file = stdout(&signed).trim().to_owned();
    let genuine = fs::read_to_string(desk.path(&file)).unwrap();
    let key = fs::read_dir(desk.path("signed"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.ends_with(".asc"))
        .unwrap();
    let certificate = fs::read_to_string(desk.path(&format!("signed/{key}"))).unwrap();
    let other = format!("sha256:{}", "0f".repeat(32));
    let digest = desk.shop.digest();
    for (name, text, certificate, want) in [
        (
            "another image",
            genuine.replace(&digest, &other),
            Some(&*certificate),
            "payload.other-image",
        ),
        ("no key", genuine.clone(), None, "the public half of key"),
        (
            "another type",
            genuine.replace("simple-signing", "https://a.example/x"),
            Some(&certificate),
            "says that its type is",
        ),
        ("cut", genuine[..200].to_owned(), Some(&certificate), "is not what `countersign sign"),
        (
            "newer",
            genuine.replace("\"version\": 1", "\"version\": 2"),
            Some(&certificate),
            "of version 2",
        ),
        ("nothing", String::new(), Some(&certificate), "is not what `countersign sign"),
    ] {
        desk.write(&file, &text);
        let key = desk.path(&format!("signed/{key}"));
        match certificate {
            Some(text) => fs::write(key, text).unwrap(),
            None => fs::remove_file(key).unwrap(),
        }
        let published = desk.run(&["publish", "signed", "--attach"]);
        assert_eq!(published.status.code(), Some(1), "{name}: {}", stderr(&published));
        assert!(stderr(&published).contains(want), "{name}: {}", stderr(&published));
        assert_eq!(stdout(&published), "", "{name}");
    }
    assert!(desk.registry.referrers("acme/shop", &digest).is_empty());
    fs::create_dir(desk.path("empty")).unwrap();
    let published = desk.run(&["publish", "empty", "--attach"]);
    assert!(stderr(&published).contains("has nothing to publish"), "{}", stderr(&published));
}

#[test]
fn every_platform_is_signed_and_what_cannot_run_is_not() {
    let desk = Desk::new();
    let amd = image("amd").build();
    let arm = image("arm").platform("linux/arm64").build();
    let both = index([&amd, &arm]).attested(&amd, &[serde_json::json!({})]).build();
    let digest = desk.registry.put_image("acme/both", "1", &both);
    let named = format!("{}/acme/both@{digest}", desk.registry.host());
    let sign = ["sign", &named, "--key", "builder.key", "--attach", "--recursive", "-o", "json"];
    let rows = json(&desk.run(&sign));
    let signed: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["digest"].as_str().unwrap()).collect();
    assert_eq!(signed, [digest, amd.digest(), arm.digest()]);
    assert_eq!(rows[0]["published"][0]["kind"], "referrer", "{rows:#}");
    assert_eq!(rows[0]["predicateType"], "simple-signing", "{rows:#}");
}

#[test]
fn p14_what_is_wrong_is_said_and_nothing_is_half_published() {
    let desk = Desk::new();
    desk.write("pem.key", &PkixKey::generate().secret_pem());
    let image = desk.by_digest();
    let fpr = "AB".repeat(20);
    let gpg = format!("gpg:{fpr}");
    for (name, arguments, code, want) in [
        ("PEM, attached", &["--key", "pem.key", "--attach"][..], 1, "signs no OpenPGP message"),
        ("half a fingerprint", &["--key", "gpg:ABCD", "--attach"], 2, "a whole fingerprint"),
        ("unknown to gpg", &["--key", &gpg, "--attach"], 1, "cannot sign"),
        ("stdin twice", &["--key", "-", "--passphrase", "-", "--attach"], 2, "stdin holds one"),
        (
            "folder and network",
            &["--key", "builder.key", "--attach", "--output-dir", "d"],
            2,
            "cannot be used with",
        ),
        (
            "no folder",
            &["--key", "builder.key", "--output-dir", "builder.key/d"],
            1,
            "cannot write builder.key/d",
        ),
    ] {
        let output = desk.run(&[&["sign", &image][..], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(want), "{name}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{name}");
    }
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "hunter2")));
    let output = desk.run(&["sign", &image, "--key", "builder.key", "--attach"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("without a credential"), "{}", stderr(&output));
    assert!(desk.registry.referrers("acme/shop", &desk.shop.digest()).is_empty());
}

#[test]
fn a_key_in_pem_files_what_kritis_reads() {
    let desk = Desk::new();
    desk.write("pem.key", &PkixKey::generate().secret_pem());
    let store = desk.grafeas.url();
    let to = ["--store", &store, "--note", NOTE, "--create-note"];
    let image = desk.by_digest();
    let sign = [&["sign", &image, "--key", "pem.key"][..], &to].concat();
    let signed = desk.run(&sign);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let generic =
        &desk.grafeas.occurrences()[0]["attestation"]["attestation"]["genericSignedAttestation"];
    assert_eq!(generic["contentType"], "SIMPLE_SIGNING_JSON");
    let id = generic["signatures"][0]["publicKeyId"].as_str().unwrap();
    assert!(id.starts_with("ni:///sha-256;"), "{id}");
    assert!(stderr(&desk.run(&sign)).contains("unchanged: "));
}

#[test]
fn an_interrupted_run_says_how_far_it_came() {
    interrupted(60);
    interrupted(1);
}

/// Signs so many images, and interrupts that once it has begun to upload.
fn interrupted(count: usize) {
    let desk = Desk::new();
    let registry: &Registry = &desk.registry;
    registry.fault(On::kind(Kind::Upload), Fault::Delay(Duration::from_millis(300)));
    let images: Vec<String> = (0..count)
        .map(|at| {
            let digest = registry.put("acme/shop", &image(&at.to_string()).build());
            format!("{}/acme/shop@{digest}", registry.host())
        })
        .collect();
    let child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("sign")
        .args(&images)
        .args(["--key", "builder.key", "--attach"])
        .current_dir(desk.path("."))
        .env("DOCKER_CONFIG", desk.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while registry.count(Kind::Upload) == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let whole = stdout(&output).lines().count();
    let left = match count - whole {
        0 => String::new(),
        left => format!("interrupted: {left} of {count} images not finished; run it again"),
    };
    assert!(stderr(&output).contains(&left), "{left}: {}", stderr(&output));
    assert_eq!(stderr(&output).contains("interrupted"), whole < count, "{}", stderr(&output));
    assert!((1..60).contains(&whole), "{whole}");
    let listed: usize = images
        .iter()
        .map(|image| registry.referrers("acme/shop", image.split('@').next_back().unwrap()).len())
        .sum();
    assert_eq!(listed, whole, "what is listed is what was said");
}
