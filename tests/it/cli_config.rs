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

#[test]
fn warnings_name_the_file_and_the_line_that_they_are_about() {
    let folder = Folder::new();
    let (start, end) = (MINIMAL.find("policies:").unwrap(), MINIMAL.find("unmatched:").unwrap());
    let open = MINIMAL.replace(&MINIMAL[start..end], "");
    let whole = "open.yaml: there is no policy, so `unmatched` decides about every image";
    let line = "open.yaml:8: authority \"qa\" has no note, so nothing from a store counts for it; \
                name its note, or leave stores out of its `sources`";
    for (name, text, warnings) in [
        ("nothing to say", MINIMAL.to_owned(), vec![]),
        ("about the whole file", open.clone(), vec![whole]),
        (
            "and about a line",
            open.replace(", note: projects/image-build/notes/qa}", "}"),
            vec![whole, line],
        ),
    ] {
        folder.write("open.yaml", text);
        let (code, stdout, stderr) = run(&folder, &["check", "open.yaml"]);
        assert_eq!(code, Some(0), "{name}: {stderr}");
        let told = stderr.lines().map(|line| line.strip_prefix("warning: ").unwrap_or(line));
        assert_eq!(told.collect::<Vec<_>>(), warnings, "{name}");
        assert!(stdout.starts_with("authority qa\n  "), "{name}: {stdout}");
    }
}
