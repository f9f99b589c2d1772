//! From a shell: a stick carries an image over, and the gate on the other side says the same.

use std::fs;

use countersign_kit::{Registry, artifact};
use serde_json::Value;

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::attesting,
};

#[test]
fn the_gate_behind_an_air_gap_decides_the_same() {
    let desk = Desk::new();
    let other_side = Registry::start();
    let (here, there) = (desk.registry.host(), other_side.host());
    let config = |host: &str, identities: &str| attesting(host, "builder", identities);
    desk.write("a.yaml", &config(&here, ""));
    let mapped = format!("identities: {{\"{there}/mirror/**\": \"{here}/acme/**\"}}");
    desk.write("b.yaml", &config(&there, &mapped));
    desk.write("b-unmapped.yaml", &config(&there, ""));

    let verdict = |config: &str, image: &str| {
        let output = desk.run(&["verify", image, "--config", config, "-o", "json"]);
        let rows: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (rows[0]["allowed"].clone(), rows[0]["attestations"][0]["signer"].clone())
    };
    let cross = || {
        let _fresh = fs::remove_dir_all(desk.path("stick"));
        let away = desk.run(&["copy", &desk.by_tag(), "oci:stick:shop"]);
        assert!(away.status.success(), "{}", stderr(&away));
        let home = desk.run(&["copy", "oci:stick:shop", &format!("{there}/mirror/shop:1.4")]);
        assert!(home.status.success(), "{}", stderr(&home));
    };
    let arrived = format!("{there}/mirror/shop:1.4");

    cross();
    assert_eq!(verdict("a.yaml", &desk.by_tag()).0, false);
    assert_eq!(verdict("b.yaml", &arrived).0, false, "nobody attested it");

    let sign = ["sign", &desk.by_digest(), "--key", "builder.key", "--attach"];
    let signed = desk.run(&sign);
    assert!(signed.status.success(), "{}", stderr(&signed));
    cross();
    let (before, after) = (verdict("a.yaml", &desk.by_tag()), verdict("b.yaml", &arrived));
    assert_eq!(before.0, true);
    assert_eq!(after, before, "as in front of the registry that it came from");
    assert_eq!(verdict("b-unmapped.yaml", &arrived).0, false, "the payload names a repository");
}

#[test]
fn copies_say_what_they_did() {
    let desk = Desk::new();
    let other = Registry::start();
    let bill = artifact("application/vnd.acme.sbom").subject(&desk.shop).build();
    desk.registry.attach("acme/shop", &bill);
    let there = format!("{}/acme/shop", other.host());

    let alone = desk.run(&["copy", &desk.by_tag(), &there, "--detach"]);
    assert_eq!(stdout(&alone), format!("{there}@{}\n", desk.shop.digest()), "{}", stderr(&alone));
    assert_eq!(other.tags("acme/shop"), ["1.4"], "the tag is that of the image");

    let only = ["copy", &desk.by_tag(), &there, "--only", "application/vnd.acme.sbom"];
    let added = desk.run(&[&only[..], &["-o", "json"]].concat());
    let copied: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!(copied["manifests"][0]["digest"], bill.digest());
    assert_eq!(copied["manifests"][0]["about"], desk.shop.digest());
    let again = desk.run(&only);
    assert_eq!(stdout(&again), "");
    assert!(stderr(&again).contains("unchanged: "), "{}", stderr(&again));

    for (name, arguments, code, want) in [
        (
            "none of a type",
            vec![&*desk.by_tag(), &there, "--only", "a/b"],
            1,
            "no evidence of this",
        ),
        ("both", vec![&desk.by_tag(), &there, "--only", "a/b", "--detach"], 2, "cannot be used"),
        ("to a digest", vec![&desk.by_tag(), &desk.by_digest()], 2, "names a digest"),
        ("to Docker", vec![&desk.by_tag(), "docker-archive:x.tar"], 2, "write oci-archive:"),
        ("to a file", vec![&desk.by_tag(), "oci-archive:builder.asc"], 1, "is there already"),
        ("from nowhere", vec!["oci:nowhere", &there], 1, "no OCI layout"),
        ("no image", vec!["UPPER", &there], 2, "lower case"),
    ] {
        let output = desk.run(&[&["copy"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(code), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(want), "{name}: {}", stderr(&output));
    }
}

#[test]
fn nothing_is_removed_before_somebody_agrees() {
    let desk = Desk::new();
    let bill = artifact("application/vnd.acme.sbom").subject(&desk.shop).build();
    desk.registry.attach("acme/shop", &bill);
    let image = desk.by_tag();
    let asked = desk.run(&["detach", &image]);
    assert_eq!(asked.status.code(), Some(2), "{}", stderr(&asked));
    assert!(stderr(&asked).contains(&bill.digest()), "listed: {}", stderr(&asked));
    assert!(stderr(&asked).contains("give --yes"), "{}", stderr(&asked));
    assert!(desk.registry.manifest("acme/shop", &bill.digest()).is_some());

    let none = desk.run(&["detach", &image, "--type", "provenance", "--yes"]);
    assert!(none.status.success() && stdout(&none).is_empty(), "{}", stderr(&none));

    let removed = desk.run(&["detach", &image, "--type", "application/vnd.acme.sbom", "--yes"]);
    assert!(removed.status.success(), "{}", stderr(&removed));
    let repository = format!("{}/acme/shop", desk.registry.host());
    assert_eq!(stdout(&removed), format!("{repository}@{}\n", bill.digest()));
    assert!(desk.registry.manifest("acme/shop", &bill.digest()).is_none());
    assert!(desk.registry.manifest("acme/shop", "1.4").is_some());
}

#[test]
fn a_signer_is_taken_off_and_others_stay() {
    let desk = Desk::new();
    let more = ["keys", "generate", "--user", "Other <o@acme.example>", "--out", "other"];
    assert!(desk.run(&more).status.success());
    for key in ["builder.key", "other.key"] {
        let signed = desk.run(&["sign", &desk.by_digest(), "--key", key, "--attach"]);
        assert!(signed.status.success(), "{}", stderr(&signed));
    }
    let inspected = stdout(&desk.run(&["keys", "inspect", "builder.asc"]));
    let fingerprint = |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let keys: Vec<&str> = inspected.split_whitespace().filter(|word| fingerprint(word)).collect();
    let before = desk.registry.referrers("acme/shop", &desk.shop.digest()).len();
    let removed: usize = keys
        .iter()
        .map(|key| {
            let output = desk.run(&["detach", &desk.by_tag(), "--signer", key, "--yes"]);
            assert!(output.status.success(), "{}", stderr(&output));
            stdout(&output).lines().count()
        })
        .sum();
    assert_eq!((before, removed), (2, 1), "{inspected}");
    assert_eq!(desk.registry.referrers("acme/shop", &desk.shop.digest()).len(), 1);
}
