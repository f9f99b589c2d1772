//! `sign --vulnerabilities` and the rule `vulnerabilities`: whether an image was scanned, on either
//! version of the API and by way of a folder.

use std::{fs, path::Path};

use countersign_kit::{Fault, Kind, On, image};
use serde_json::{Value, json};

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::{authority, configuration, stores_with_records},
    grafeas_client::Embedded,
};

const NOTE: &str = "projects/build/notes/built";
const SCAN: &str = "projects/build/notes/built-scan";

/// A clean report of Grype's about no image in particular.
fn clean(timestamp: &str) -> String {
    json!({
        "matches": [],
        "source": {"type": "image", "target": {"repoDigests": []}},
        "descriptor": {"name": "grype", "version": "0.104.0", "timestamp": timestamp},
    })
    .to_string()
}

fn configured(desk: &Desk, store: &str, api: &str) {
    let builder = authority("builder", &format!("note: {NOTE}"));
    let rule = "{use: vulnerabilities, parameters: {}}";
    desk.write(
        "scanned.yaml",
        &(stores_with_records(store).replace("v1beta1", api)
            + &configuration(&[&desk.registry.host()], &builder, "clean", rule)),
    );
}

/// The codes for which the gate denies `image`.
fn codes(desk: &Desk, image: &str) -> Vec<String> {
    let judged = desk.run(&["verify", image, "--config", "scanned.yaml", "-o", "json"]);
    let rows: Value =
        serde_json::from_slice(&judged.stdout).unwrap_or_else(|_| panic!("{}", stderr(&judged)));
    let violations = rows[0]["violations"].as_array().unwrap();
    violations.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

fn records(desk: &Desk, image: &str) -> Value {
    let shown = desk.run(&["evidence", image, "--config", "scanned.yaml"]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    let mut input: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    input["images"][0]["records"].take()
}

fn report(name: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
    fs::read_to_string(fixtures.join(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_scan_is_told_from_none_on_either_version() {
    for api in ["v1beta1", "v1"] {
        let (desk, store) = (Desk::new(), Embedded::start());
        configured(&desk, &store.url, api);
        let image = desk.by_digest();
        desk.write("clean.json", &clean("2026-11-20T08:00:00.123456789Z"));
        let file = |more: &[&str]| {
            let to = ["--store", &store.url, "--note", NOTE, "--api", api];
            desk.run(
                &[&["sign", &image, "--vulnerabilities", "clean.json"], &to[..], more].concat(),
            )
        };
        assert_eq!(codes(&desk, &image), ["vulnerabilities.unscanned"], "{api}");

        let missing = file(&[]);
        assert_eq!(missing.status.code(), Some(1), "{api}: {}", stderr(&missing));
        let want = format!("the store has no note {SCAN}; make it with --create-note");
        assert!(stderr(&missing).contains(&want), "{api}: {}", stderr(&missing));
        assert_eq!(codes(&desk, &image), ["vulnerabilities.unscanned"], "{api}");

        let filed = file(&["--create-note"]);
        assert!(filed.status.success(), "{api}: {}", stderr(&filed));
        assert_eq!(stdout(&filed).lines().count(), 1, "{api}: {}", stdout(&filed));
        assert_eq!(codes(&desk, &image), [""; 0], "{api}");
        let again = file(&[]);
        assert_eq!((again.status.code(), stdout(&again)), (Some(0), String::new()), "{api}");
        assert_eq!(stderr(&again).matches("unchanged: ").count(), 1, "{}", stderr(&again));

        let discoveries = &records(&desk, &image)["discoveries"];
        let discovery = &discoveries[0];
        assert_eq!(discoveries.as_array().map(Vec::len), Some(1), "{api}: {discoveries}");
        assert_eq!(discovery["note"], SCAN, "{api}");
        assert_eq!(
            discovery["discovery"],
            json!({
                "analysisStatus": "FINISHED_SUCCESS",
                "analysisCompleted": {"analysisType": ["grype 0.104.0"]},
                "lastScanTime": "2026-11-20T08:00:00Z",
            }),
            "{api}"
        );

        // A later scan is another one, and what it found counts.
        desk.write("clean.json", &report("grype.json"));
        let found = file(&["--create-note"]);
        assert!(found.status.success(), "{api}: {}", stderr(&found));
        assert_eq!(stdout(&found).lines().count(), 3, "{api}: {}", stdout(&found));
        assert!(
            stderr(&found).contains("not recorded of the scan: the time"),
            "{}",
            stderr(&found)
        );
        assert_eq!(codes(&desk, &image), ["vulnerabilities.found"], "{api}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_recorded_on_v1_as_on_v1beta1() {
    let mut shown = Vec::new();
    for api in ["v1beta1", "v1"] {
        let (desk, store) = (Desk::new(), Embedded::start());
        configured(&desk, &store.url, api);
        let image = desk.by_digest();
        let sign = || {
            desk.run(&[
                "sign",
                &image,
                "--build",
                "--key",
                "builder.key",
                "--store",
                &store.url,
                "--note",
                NOTE,
                "--api",
                api,
                "--create-note",
                "--source",
                "https://git.example/a",
                "--revision",
                "ffac537e6cbbf934b08745a378932722df287a53",
                "--ref",
                "refs/heads/main",
                "--builder-id",
                "https://ci.example/b",
                "--invocation-id",
                "7",
                "--started",
                "2026-11-20T08:00:00.5Z",
                "--finished",
                "2026-11-20T08:10:00Z",
            ])
        };
        let signed = sign();
        assert!(signed.status.success(), "{api}: {}", stderr(&signed));
        assert_eq!(stdout(&signed).lines().count(), 2, "{api}: {}", stdout(&signed));
        let again = sign();
        assert_eq!((again.status.code(), stdout(&again)), (Some(0), String::new()), "{api}");
        let records = records(&desk, &image);
        let build = &records["builds"][0]["build"];
        assert_eq!(build["provenance"]["id"], "7", "{api}: {build:#}");
        let statement = &build["inTotoSlsaProvenanceV1"];
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1", "{api}");
        assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1", "{api}");
        let subject = &statement["subject"][0];
        assert_eq!(subject["digest"]["sha256"], desk.shop.hex(), "{api}");
        let run = &statement["predicate"]["runDetails"];
        assert_eq!(run["builder"]["id"], "https://ci.example/b", "{api}");
        assert_eq!(run["metadata"]["startedOn"], "2026-11-20T08:00:00.5Z", "{api}");
        // Nobody signed it: it is a record, and the rule `built` does not count it.
        desk.write(
            "built.yaml",
            &fs::read_to_string(desk.path("scanned.yaml"))
                .unwrap()
                .replace(
                    "note: projects/build/notes/built}",
                    "attests: [\"https://slsa.dev/provenance/v1\"], note: projects/other/notes/n}",
                )
                .replace(
                    "{use: vulnerabilities, parameters: {}}",
                    "{use: built, parameters: {authorities: [builder]}}",
                ),
        );
        let judged = desk.run(&["verify", &image, "--config", "built.yaml"]);
        assert!(stdout(&judged).contains("built.missing"), "{api}: {}", stdout(&judged));
        shown.push(statement["predicate"].clone());
    }
    assert_eq!(shown[0], shown[1]);
}

#[test]
fn p14_a_scan_is_not_said_to_be_finished_while_findings_are_missing() {
    let desk = Desk::new();
    configured(&desk, &desk.grafeas.url(), "v1beta1");
    let (image, url) = (desk.by_digest(), desk.grafeas.url());
    desk.write("grype.json", &report("grype.json"));
    let sign = ["sign", &image, "--vulnerabilities", "grype.json", "--store", &url, "--note", NOTE];
    let sign = [&sign[..], &["--create-note"]].concat();
    // The second of the two findings, however often it is tried.
    let on = On::kind(Kind::Occurrence).method("POST").containing("/occurrences").after(1);
    desk.grafeas.fault(on, Fault::status(403));
    let refused = desk.run(&sign);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert_eq!(stdout(&refused).lines().count(), 1, "{}", stdout(&refused));
    let said = stderr(&refused);
    assert!(said.contains("has no VULNERABILITY record"), "{said}");
    assert!(said.contains("has no DISCOVERY record"), "{said}");
    assert!(said.contains("not all of the findings are filed"), "{said}");
    assert!(said.contains("error: 2 not published"), "{said}");
    assert!(codes(&desk, &image).contains(&"vulnerabilities.unscanned".to_owned()));
    desk.grafeas.heal();
    let completed = desk.run(&sign);
    assert!(completed.status.success(), "{}", stderr(&completed));
    assert_eq!(stdout(&completed).lines().count(), 2, "{}", stdout(&completed));
    assert_eq!(codes(&desk, &image), ["vulnerabilities.found"]);
}

#[test]
fn records_in_a_folder_are_filed_under_the_note_that_publish_names() {
    let desk = Desk::new();
    configured(&desk, &desk.grafeas.url(), "v1beta1");
    let (image, url) = (desk.by_digest(), desk.grafeas.url());
    desk.write("grype.json", &report("grype.json"));
    let keep = |more: &[&str]| {
        let kept = desk.run(&[&["sign", &image, "--output-dir", "signed"][..], more].concat());
        assert!(kept.status.success(), "{}", stderr(&kept));
        stdout(&kept).lines().count()
    };
    let scan = ["--vulnerabilities", "grype.json"];
    assert_eq!(keep(&scan), 3, "two findings and the scan");
    assert_eq!(keep(&scan), 0, "nothing is kept twice");
    let alone = desk.run(&["publish", "signed", "--attach"]);
    assert_eq!(alone.status.code(), Some(2), "{}", stderr(&alone));
    assert!(stderr(&alone).contains("signed holds records alone"), "{}", stderr(&alone));
    let named = "projects/build/notes/by-hand";
    assert_eq!(keep(&["--build", "--key", "builder.key", "--build-note", named]), 2);

    let attached = desk.run(&["publish", "signed", "--attach"]);
    assert!(attached.status.success(), "{}", stderr(&attached));
    assert_eq!(stdout(&attached).lines().count(), 1, "{}", stdout(&attached));
    assert!(stderr(&attached).contains("note: 4 records in signed go to a store"));

    let to = |note: &str| {
        let filed =
            desk.run(&["publish", "signed", "--store", &url, "--note", note, "--create-note"]);
        assert!(filed.status.success(), "{}", stderr(&filed));
        stdout(&filed).lines().count()
    };
    assert_eq!((to(NOTE), to(NOTE)), (5, 0));
    let noted = || {
        let mut notes: Vec<String> = desk
            .grafeas
            .occurrences()
            .iter()
            .map(|one| one["noteName"].as_str().unwrap().replace("projects/", ""))
            .collect();
        notes.sort();
        notes.dedup();
        notes
    };
    let first = [
        "build/notes/CVE-1999-0001",
        "build/notes/CVE-1999-0002",
        "build/notes/built",
        "build/notes/built-scan",
        "build/notes/by-hand",
    ];
    assert_eq!(noted(), first);
    let kind = desk.grafeas.note(SCAN).unwrap();
    assert_eq!(kind["discovery"], json!({"analysisKind": "VULNERABILITY"}), "{kind:#}");
    // Another note is of another project here, and so are the occurrences.
    assert_eq!(to("projects/qa/notes/seen"), 5);
    for note in ["qa/notes/CVE-1999-0001", "qa/notes/seen", "qa/notes/seen-scan"] {
        assert!(noted().contains(&note.to_owned()), "{note}: {:?}", noted());
    }
    // Nobody signed a record: a name that is none is refused before anything is published.
    let file = fs::read_dir(desk.path("signed"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| fs::read_to_string(path).unwrap().contains("CVE-1999-0001"))
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("CVE-1999-0001", "../../x")).unwrap();
    desk.grafeas.forget();
    let refused = desk.run(&["publish", "signed", "--store", &url, "--note", NOTE]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("a record has no note to be filed under"));
    assert_eq!(desk.grafeas.total(), 0, "nobody was asked");
}

#[test]
fn what_tells_of_no_scan_is_refused() {
    let desk = Desk::new();
    let other = desk.registry.put("acme/shop", &image("other").build());
    let (image, url) = (desk.by_digest(), desk.grafeas.url());
    let other = format!("{}/acme/shop@{other}", desk.registry.host());
    desk.write("clean.json", &clean(""));
    desk.write(
        "failed.sarif",
        &json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Trivy"}},
            "invocations": [{"executionSuccessful": false}]}]})
        .to_string(),
    );
    for (name, arguments, want) in [
        (
            "a scan that failed",
            &[&*image, "--vulnerabilities", "failed.sarif"][..],
            "has no findings and does not tell that a scan finished",
        ),
        (
            "two images, one report",
            &[&image, &other, "--vulnerabilities", "clean.json"],
            "does not say which image was scanned, and 2 are named here",
        ),
        ("a note of no scan", &[&image, "--scan-note", SCAN], "--vulnerabilities"),
    ] {
        let to = ["--store", &url, "--note", NOTE, "--create-note"];
        let refused = desk.run(&[&["sign"][..], arguments, &to].concat());
        assert_eq!(refused.status.code(), Some(2), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
    }
    let to = ["--store", &url, "--note", NOTE, "--key", "builder.key"];
    let missing =
        desk.run(&[&["sign", &image, "--vulnerabilities", "clean.json"], &to[..]].concat());
    assert!(stderr(&missing).contains("so nothing is signed or attached"), "{}", stderr(&missing));
    let nowhere = desk.run(&["sign", &image, "--vulnerabilities", "clean.json", "--attach"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", stderr(&nowhere));
    assert!(desk.grafeas.occurrences().is_empty());
}
