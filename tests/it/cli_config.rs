//! `countersign config` from a shell.

use std::process::{Command, Output};

use countersign_kit::Key;
use serde_json::Value;

use crate::{
    config::folder::{Folder, MINIMAL, SERVE},
    schema::problems,
};

fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.arg("config").args(arguments).current_dir(folder.at("")).output();
    let Output { status, stdout, stderr } = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_schema_is_of_the_files_that_load() {
    let folder = Folder::new();
    let (code, schema, stderr) = run(&folder, &["schema"]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    let of = |yaml: &str| -> Vec<String> {
        let document: Value = serde_saphyr::from_str(yaml).unwrap();
        problems(&schema, "file", &document)
    };
    for (name, yaml) in [("serve.yaml", SERVE), ("minimal.yaml", MINIMAL)] {
        assert_eq!(of(yaml), [""; 0], "{name}");
    }
    for (name, good, bad, want) in [
        ("a typo", "unmatched: deny", "unmacthed: deny", "file: unmacthed is not known"),
        ("a choice", "unmatched: deny", "unmatched: maybe", "file.unmatched: \"maybe\" is not"),
        ("deep", "mode: enforce ", "mode: enforced ", "file.policies[0].mode: \"enforced\" is not"),
        ("another type", "images: 500", "images: many", "file.limits.images: \"many\" is"),
    ] {
        assert!(SERVE.contains(good), "{name}");
        let found = of(&SERVE.replacen(good, bad, 1));
        assert!(found.iter().any(|problem| problem.starts_with(want)), "{name}: {found:#?}");
    }
}

#[test]
fn what_loads_is_told_and_what_does_not_is_all_told() {
    let folder = Folder::new();
    let day = std::time::Duration::from_secs(24 * 3600);
    let soon = Key::options("old <old@acme.example>").age(day).expires_after(day * 20).generate();
    folder.write("keys/legacy.asc", soon.certificate_armored());
    let serve = SERVE
        .replace("    note: projects/image-build/notes/oci-attest\n", "")
        .replace("until: 2026-12-31T00:00:00Z      #", "until: 2020-12-31T00:00:00Z      #");
    folder.write("serve.yaml", &serve);
    let (code, stdout, stderr) = run(&folder, &["check", "serve.yaml"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("authority builder\n"), "{stdout}");
    assert!(stdout.lines().last().unwrap().starts_with("revision "), "{stdout}");
    let warnings: Vec<&str> = stderr.lines().collect();
    assert_eq!(warnings.len(), 3, "{stderr}");
    let line = |text: &str| 1 + serve.lines().position(|line| line.contains(text)).unwrap();
    for (at, want) in [
        (line("name: legacy"), "expires at "),
        (line("name: legacy"), "has no note"),
        (line("until: 2020"), "`until: 2020-12-31T00:00:00Z` is past"),
    ] {
        let start = format!("warning: serve.yaml:{at}: ");
        let here = |warning: &&&str| warning.starts_with(&start) && warning.contains(want);
        assert_eq!(warnings.iter().filter(here).count(), 1, "{start}{want} in {stderr}");
    }

    folder.write("serve.yaml", serve.replace("atLeast: 2", "atLeast: 3").replace("8MiB", "0B"));
    let (code, stdout, stderr) = run(&folder, &["check", "serve.yaml"]);
    assert_eq!((code, &*stdout), (Some(2), ""));
    for want in ["`atLeast: 3` of 2 ", "`limits.body` is 0"] {
        assert!(stderr.contains(want), "{want} in {stderr}");
    }
}
