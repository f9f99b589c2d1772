//! Builds and findings as the Grafeas reference server keeps them.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    cli::{Desk, stderr, stdout},
    cli_ocibuilder,
    configuration::{attesting, stores_with_records},
    peer::Grafeas,
};

const NOTE: &str = "projects/build/notes/built";

#[test]
#[ignore = "needs grafeas-server"]
fn the_reference_server_keeps_builds_and_findings() {
    let (desk, grafeas) = (Desk::new(), Grafeas::start());
    let (image, url, host) = (desk.by_digest(), grafeas.url(), desk.registry.host());
    for report in ["grype.json", "grype.sarif", "trivy.json", "trivy.sarif"] {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
        fs::copy(fixtures.join(report), desk.path(report)).unwrap();
    }
    desk.write(
        "clean.json",
        r#"{"SchemaVersion": 2, "CreatedAt": "2026-11-20T08:00:00.123456789Z"}"#,
    );
    let store = ["sign", &image, "--store", &url, "--note", NOTE, "--create-note"];
    let build = ["--build", "--key", "builder.key", "--source", "https://git.example/a"];
    let more = [
        "--revision",
        "ffac537e6cbbf934b08745a378932722df287a53",
        "--parameter",
        "a=b",
        "--started",
        "2026-11-20T08:00:00.5Z",
    ];
    for (name, arguments, lines) in [
        ("a build", [&build[..], &more].concat(), 2),
        ("Grype", vec!["--vulnerabilities", "grype.json"], 3),
        ("Trivy", vec!["--vulnerabilities", "trivy.json"], 3),
        ("Grype's SARIF", vec!["--vulnerabilities", "grype.sarif"], 2),
        ("Trivy's SARIF", vec!["--vulnerabilities", "trivy.sarif"], 2),
        ("a clean scan", vec!["--vulnerabilities", "clean.json"], 1),
    ] {
        for (time, lines) in [("first", lines), ("again", 0)] {
            let filed = desk.run(&[&store[..], &arguments].concat());
            assert!(filed.status.success(), "{name}, {time}: {}", stderr(&filed));
            assert_eq!(stdout(&filed).lines().count(), lines, "{name}, {time}: {}", stderr(&filed));
        }
    }
    desk.write(
        "records.yaml",
        &(stores_with_records(&url) + &attesting(&host, "builder", &format!("note: {NOTE}"))),
    );
    let shown = desk.run(&["evidence", &image, "--config", "records.yaml"]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    let input: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let records = &input["images"][0]["records"];
    assert_eq!(records["builds"].as_array().map(Vec::len), Some(1), "{records}");
    let statement = &records["builds"][0]["build"]["inTotoSlsaProvenanceV1"];
    let parameters = &statement["predicate"]["buildDefinition"]["externalParameters"];
    assert_eq!(parameters["parameters"]["a"], "b", "{records}");
    let scans = records["discoveries"].as_array().unwrap();
    assert_eq!(scans.len(), 5, "{records}");
    let clean = scans.iter().find(|scan| {
        scan["discovery"]["lastScanTime"] == "2026-11-20T08:00:00Z"
            && scan["discovery"]["analysisStatus"] == "FINISHED_SUCCESS"
    });
    assert!(clean.is_some(), "{records}");
    assert_eq!(records["vulnerabilities"].as_array().map(Vec::len), Some(6), "{records}");
}

#[test]
#[ignore = "needs grafeas-server"]
fn the_reference_server_keeps_what_ocibuilder_wrote() {
    let (desk, grafeas) = (Desk::new(), Grafeas::start());
    let key = countersign_kit::Key::options("oci").password("").generate();
    cli_ocibuilder::prepared(&desk, &grafeas.url(), &key);
    for (time, lines) in [("first", 6), ("again", 0)] {
        let signed = cli_ocibuilder::sign(&desk, &key.secret_armored(), &["--create-note"]);
        assert!(signed.status.success(), "{time}: {}", stderr(&signed));
        assert_eq!(stdout(&signed).lines().count(), lines, "{time}: {}", stderr(&signed));
    }
    let shown = desk.run(&["evidence", &desk.by_tag(), "--config", "digest.yaml"]);
    let input: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    cli_ocibuilder::check_records(&desk, &input["images"][0]["records"]);
}
