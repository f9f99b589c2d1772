//! `sign --build` and `--vulnerabilities` as the gate sees what they wrote.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::{authority, configuration, stores_with_records},
};

const NOTE: &str = "projects/build/notes/built";
const REVISION: &str = "ffac537e6cbbf934b08745a378932722df287a53";

/// Runs the command as a job of a CI does, in a folder that is no work tree.
fn under(desk: &Desk, environment: &str, arguments: &[&str]) -> std::process::Output {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ci").join(environment);
    let variables = fs::read_to_string(file).unwrap();
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .current_dir(desk.path("."))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", desk.path("."))
        .env("GIT_CEILING_DIRECTORIES", "/")
        .envs(variables.lines().filter_map(|line| line.split_once('=')))
        .output()
        .unwrap()
}

fn configured(desk: &Desk, rule: &str) {
    let (host, store) = (desk.registry.host(), desk.grafeas.url());
    let attests = "attests: [\"https://slsa.dev/provenance/v1\"]";
    let builder = authority("builder", &format!("note: {NOTE}, {attests}"));
    desk.write(
        "built.yaml",
        &(stores_with_records(&store) + &configuration(&[&host], &builder, "built", rule)),
    );
}

fn evidence(desk: &Desk) -> Value {
    let shown = desk.run(&["evidence", &desk.by_tag(), "--config", "built.yaml"]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    serde_json::from_str(&stdout(&shown)).unwrap()
}

#[test]
fn the_rule_built_is_content_with_what_build_signs() {
    let desk = Desk::new();
    let rule = |branch: &str| {
        format!(
            "{{use: built, parameters: {{authorities: [builder], repositories: [\"https://github.com/acme/shop\"], \
             branches: [{branch}], revisions: [{REVISION}], revisionRecorded: true, \
             builders: [\"https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main\"]}}}}"
        )
    };
    let (image, url) = (desk.by_digest(), desk.grafeas.url());
    let sign = [
        "sign",
        &image,
        "--build",
        "--key",
        "builder.key",
        "--attach",
        "--finished",
        "2026-11-20T08:10:00Z",
    ];
    let store = ["--store", &url, "--note", NOTE, "--create-note"];
    let denied_to = |branch: &str| {
        configured(&desk, &rule(branch));
        let judged = desk.run(&["verify", &desk.by_tag(), "--config", "built.yaml"]);
        (!judged.status.success()).then(|| stdout(&judged))
    };
    assert!(denied_to("main").unwrap().contains("built.missing"));
    let signed = under(&desk, "github-push.env", &[&sign[..], &store].concat());
    assert!(signed.status.success(), "{}", stderr(&signed));
    let said = stderr(&signed);
    assert!(said.contains("not known, so not recorded: the start (--started)\n"), "{said}");
    assert_eq!(denied_to("main"), None);
    assert!(denied_to("release").unwrap().contains("built.otherwise"));

    let build = &evidence(&desk)["images"][0]["records"]["builds"][0];
    assert_eq!(build["note"], "projects/build/notes/built-build");
    let provenance = &build["build"]["provenance"];
    let run = "https://github.com/acme/shop/actions/runs/1658821493/attempts/1";
    assert_eq!((&provenance["id"], &provenance["logsUri"]), (&run.into(), &run.into()));
    assert_eq!(provenance["builtArtifacts"][0]["checksum"], desk.shop.digest());
    assert_eq!(provenance["endTime"], "2026-11-20T08:10:00Z");
    let git = &provenance["sourceProvenance"]["context"]["git"];
    assert_eq!(
        (&git["url"], &git["revisionId"]),
        (&"https://github.com/acme/shop".into(), &REVISION.into())
    );

    let again = under(&desk, "github-push.env", &[&sign[..], &store].concat());
    assert_eq!(
        (again.status.code(), stdout(&again)),
        (Some(0), String::new()),
        "{}",
        stderr(&again)
    );
    let all = format!("{}{}", evidence(&desk), said);
    assert!(!all.contains("ghs_secret"), "a token got into the record");
}

#[test]
fn a_pull_request_is_no_build_of_main() {
    let desk = Desk::new();
    configured(&desk, "{use: built, parameters: {authorities: [builder], branches: [main]}}");
    let image = desk.by_digest();
    let sign = ["sign", &image, "--build", "--key", "builder.key", "--attach"];
    for environment in [
        "github-pull-request.env",
        "buildkite-pull-request.env",
        "jenkins-change.env",
        "gitlab-merge-request.env",
    ] {
        let signed = under(&desk, environment, &sign);
        assert!(signed.status.success(), "{environment}: {}", stderr(&signed));
        let judged = desk.run(&["verify", &image, "--config", "built.yaml"]);
        assert_eq!(judged.status.code(), Some(1), "{environment}: {}", stdout(&judged));
        assert!(stdout(&judged).contains("built.otherwise"), "{environment}: {}", stdout(&judged));
    }
}

/// Without a ref, the source and its revision still count.
#[test]
fn a_source_without_a_ref_has_its_revision() {
    let desk = Desk::new();
    configured(
        &desk,
        "{use: built, parameters: {authorities: [builder], repositories: [\"https://git.example/a\"], revisionRecorded: true}}",
    );
    let image = desk.by_digest();
    let mut sign = vec!["sign", &image, "--key", "builder.key", "--attach", "--build"];
    sign.extend(["--source", "https://me:pw@git.example/a", "--revision", REVISION]);
    let signed = desk.run(&sign);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let judged = desk.run(&["verify", &image, "--config", "built.yaml"]);
    assert!(judged.status.success(), "{}", stdout(&judged));
}

#[test]
fn findings_are_records_at_the_gate() {
    let desk = Desk::new();
    configured(&desk, "{use: built, parameters: {authorities: [builder]}}");
    let (image, url) = (desk.by_digest(), desk.grafeas.url());
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
    let report = |name: &str| fs::read_to_string(fixtures.join(name)).unwrap();
    desk.write(
        "grype.json",
        &report("grype.json")
            .replace("\"repoDigests\": []", &format!("\"repoDigests\": [\"{image}\"]")),
    );
    desk.write(
        "other.json",
        &report("grype.json").replace(
            "\"repoDigests\": []",
            &format!("\"repoDigests\": [\"a/b@sha256:{}\"]", "0".repeat(64)),
        ),
    );
    desk.write("trivy.json", &report("trivy.json"));
    let file = |report: &str, more: &[&str]| {
        let store = ["sign", &image, "--store", &url, "--note", NOTE, "--vulnerabilities", report];
        desk.run(&[&store[..], more].concat())
    };
    let missing = file("grype.json", &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        stderr(&missing).contains("projects/build/notes/CVE-1999-0001"),
        "{}",
        stderr(&missing)
    );
    assert!(stderr(&missing).contains("--create-note"), "{}", stderr(&missing));
    let filed = file("grype.json", &["--create-note"]);
    assert!(filed.status.success(), "{}", stderr(&filed));
    assert_eq!(stdout(&filed).lines().count(), 3, "{}", stdout(&filed));
    let again = file("grype.json", &[]);
    assert_eq!(
        (again.status.code(), stdout(&again)),
        (Some(0), String::new()),
        "{}",
        stderr(&again)
    );
    let mut found = evidence(&desk)["images"][0]["records"]["vulnerabilities"].take();
    let found = found.as_array_mut().unwrap();
    found.sort_by_key(|one| one["note"].to_string());
    let shown: Vec<_> = found
        .iter()
        .map(|one| {
            let flaw = &one["vulnerability"];
            let issue = &flaw["packageIssue"][0];
            format!(
                "{} {} {} {}",
                one["note"],
                flaw["effectiveSeverity"],
                issue["affectedPackage"],
                flaw["fixAvailable"]
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""projects/build/notes/CVE-1999-0001" "LOW" "package-1" true"#,
            r#""projects/build/notes/CVE-1999-0002" "CRITICAL" "package-2" false"#,
        ]
    );
    for (name, arguments, want) in [
        ("of another image", &["other.json"][..], "other.json is about sha256:0000"),
        ("no report", &["builder.asc"], "builder.asc is not readable"),
        (
            "two images, no word of which",
            &[
                "trivy.json",
                &desk
                    .by_digest()
                    .replace(&desk.shop.digest(), &format!("sha256:{}", "1".repeat(64))),
            ],
            "does not say which image was scanned, and 2 are named",
        ),
    ] {
        let refused = file(arguments[0], &arguments[1..]);
        assert_eq!(refused.status.code(), Some(2), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
    }
    let keyless = desk.run(&["sign", &image, "--attach"]);
    assert_eq!(keyless.status.code(), Some(2));
    assert!(stderr(&keyless).contains("--key"), "{}", stderr(&keyless));
}
