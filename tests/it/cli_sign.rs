//! `countersign sign` from a shell: tags, locked keys, and all that it prints.

use serde_json::{Value, json};

use crate::cli::{Desk, stderr, stdout};

const NOTE: &str = "projects/build/notes/built";

#[test]
fn p14_a_tag_is_refused_with_the_command_to_paste_or_signed_as_what_it_names_now() {
    let desk = Desk::new();
    let (tag, digest) = (desk.by_tag(), desk.shop.digest());
    let login = ["-u", "a b", "-p", "hunter2"];
    let sign = ["sign", &tag, "--key", "builder.key", "--attach"];
    let refused = desk.run(&[&sign[..], &login].concat());
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let paste = format!(
        "names {digest} now: sign that with\n  countersign sign {tag}@{digest} --key builder.key \
         --attach -u 'a b'\n"
    );
    assert!(stderr(&refused).contains(&paste), "{paste}{}", stderr(&refused));
    assert!(!stderr(&refused).contains("hunter2"), "{}", stderr(&refused));
    assert!(desk.registry.referrers("acme/shop", &digest).is_empty());

    let signed = desk.run(&["sign", &tag, "--key", "builder.key", "--attach", "--allow-tag"]);
    assert_eq!(signed.status.code(), Some(0), "{}", stderr(&signed));
    assert_eq!(stderr(&signed), format!("{tag} is {digest}\n"));
    let [listed] = &desk.registry.referrers("acme/shop", &digest)[..] else { panic!("not one") };
    let pushed = listed["digest"].as_str().unwrap();
    assert_eq!(stdout(&signed), format!("{}/acme/shop@{pushed}\n", desk.registry.host()));
    let (_, manifest) = desk.registry.manifest("acme/shop", pushed).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["subject"]["digest"], digest);
}

#[test]
fn what_is_published_is_printed_a_line_each_or_as_json() {
    let desk = Desk::new();
    let (image, digest, store) = (desk.by_digest(), desk.shop.digest(), desk.grafeas.url());
    let sign =
        ["sign", &image, "--key", "builder.key", "--store", &store, "--note", NOTE, "--attach"];
    let signed = desk.run(&[&sign[..], &["--create-note"]].concat());
    assert!(signed.status.success(), "{}", stderr(&signed));
    let occurrence = desk.grafeas.occurrences()[0]["name"].as_str().unwrap().to_owned();
    let listed = desk.registry.referrers("acme/shop", &digest);
    let referrer = listed[0]["digest"].as_str().unwrap();
    let repository = format!("{}/acme/shop", desk.registry.host());
    let mut lines: Vec<String> = stdout(&signed).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    let mut want = vec![occurrence.clone(), format!("{repository}@{referrer}")];
    want.sort_unstable();
    assert_eq!(lines, want);

    let again = desk.run(&[&sign[..], &["--output", "json"]].concat());
    let mut rows: Value = serde_json::from_slice(&again.stdout).unwrap();
    let published = rows[0]["published"].as_array_mut().unwrap();
    published.sort_by_key(|one| one["kind"].as_str().unwrap().to_owned());
    let inspected = desk.run(&["keys", "inspect", "builder.asc"]);
    let signer = rows[0]["signer"].as_str().unwrap().to_owned();
    assert!(stdout(&inspected).to_uppercase().contains(&signer), "{signer}");
    assert_eq!(
        rows,
        json!([{
            "image": repository,
            "digest": digest,
            "predicateType": "simple-signing",
            "signer": signer,
            "published": [
                {"kind": "occurrence", "store": format!("{store}/"), "name": occurrence, "unchanged": true},
                {"kind": "referrer", "digest": referrer, "unchanged": true},
            ],
        }])
    );
}

#[test]
fn a_key_that_was_made_with_a_passphrase_signs_with_it_alone() {
    let desk = Desk::new();
    let variables = [("NEW_PASS", "correct horse"), ("WRONG", "battery staple")];
    let run = |arguments: &[&str]| desk.run_with(arguments, &variables);
    let generate = ["keys", "generate", "--user", "L <l@acme.example>", "--out", "locked"];
    let made = run(&[&generate[..], &["--passphrase", "env:NEW_PASS"]].concat());
    assert!(made.status.success(), "{}", stderr(&made));
    let image = desk.by_digest();
    for (name, more, code, want) in [
        ("none", &[][..], 1, "is locked; give its passphrase with `--passphrase`"),
        ("another", &["--passphrase", "env:WRONG"], 1, "the passphrase does not unlock key"),
        ("its own", &["--passphrase", "env:NEW_PASS"], 0, ""),
    ] {
        let sign = ["sign", &image, "--key", "locked.key", "--attach"];
        let signed = run(&[&sign[..], more].concat());
        assert_eq!(signed.status.code(), Some(code), "{name}: {}", stderr(&signed));
        assert!(stderr(&signed).contains(want), "{name}: {}", stderr(&signed));
    }
}
