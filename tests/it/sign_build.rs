//! The build record: what git says, who goes before whom, and what is recorded.

use std::{collections::BTreeMap, fs, process::Command};

use countersign::sign::build::{BuildRecord, Ci, Git, Given, Material, Observed, Origin, read_git};
use serde_json::json;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn origin(source: &str, revision: &str, reference: &str) -> Origin {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Origin {
        source: said(source),
        revision: said(revision),
        reference: said(reference),
        path: None,
    }
}

fn ci(origin: Origin) -> Ci {
    Ci { name: "a CI", origin, builder_id: None, invocation_id: None, started: None }
}

#[test]
fn what_is_disputed_stays_open() {
    let (here, there, main) = ("https://git.example/a", "https://git.example/b", "refs/heads/main");
    let nothing = || origin("", "", "");
    for (name, given, said, tree, want, note) in [
        (
            "all agree",
            nothing(),
            origin(here, A, main),
            origin("ssh://git.example/a.git", A, ""),
            origin(here, A, main),
            None,
        ),
        ("git alone", nothing(), nothing(), origin(here, A, main), origin(here, A, main), None),
        (
            "git fills in",
            nothing(),
            origin(here, "", "refs/heads/x"),
            origin(here, A, main),
            origin(here, A, main),
            None,
        ),
        (
            "another commit is checked out",
            nothing(),
            origin(here, A, main),
            origin(here, B, "refs/heads/x"),
            origin(here, "", ""),
            Some("neither is recorded; give --revision and --ref"),
        ),
        (
            "the tree is of another repository",
            nothing(),
            origin(here, A, main),
            origin(there, B, "refs/heads/x"),
            origin(here, A, main),
            Some("git speaks of https://git.example/b, the record of https://git.example/a"),
        ),
        (
            "flags before all",
            origin(here, B, "refs/tags/v1"),
            origin(here, A, main),
            origin(here, A, main),
            origin(here, B, "refs/tags/v1"),
            Some("it is not asked further"),
        ),
        (
            "a ref goes with its revision",
            origin("", B, ""),
            origin(here, A, main),
            nothing(),
            origin("", B, ""),
            Some("not B: it is not asked"),
        ),
        (
            "another source by flag",
            origin(there, "", ""),
            origin(here, A, main),
            nothing(),
            origin(there, "", ""),
            Some("a CI speaks of"),
        ),
    ] {
        let given = Given { origin: given, ..Given::default() };
        let observed = Observed {
            ci: Some(ci(said)),
            git: Git { origin: tree, ..Git::default() },
            ..Observed::default()
        };
        let (record, notes) = BuildRecord::new(given, observed);
        assert_eq!(record.origin, want, "{name}");
        let disputes = notes.iter().filter(|note| !note.starts_with("not known, so"));
        let notes: Vec<String> =
            disputes.map(|note| note.replace(A, "A").replace(B, "B")).collect();
        let notes = notes.join("\n");
        match note {
            None => assert_eq!(notes, "", "{name}"),
            Some(note) => assert!(notes.contains(note), "{name}: {notes}"),
        }
    }
}

#[test]
fn a_record_says_what_is_known_and_no_more() {
    let tree = |dirty| Git {
        origin: origin("https://git.example/a", A, "refs/heads/main"),
        dirty,
        notes: Vec::new(),
    };
    let (record, notes) = BuildRecord::new(
        Given::default(),
        Observed { git: tree(Some(false)), ..Observed::default() },
    );
    assert_eq!(
        notes,
        [
            "not known, so not recorded: the builder (--builder-id), which SLSA asks for, the run (--invocation-id), the start (--started), the end (--finished)"
        ]
    );
    assert_eq!(
        record.predicate(),
        json!({
            "buildDefinition": {
                "buildType": "https://countersign.dev/build/v1",
                "externalParameters": {"workflow": {"repository": "https://git.example/a", "ref": "refs/heads/main"}},
                "resolvedDependencies": [{
                    "uri": "git+https://git.example/a@refs/heads/main",
                    "digest": {"gitCommit": A},
                    "annotations": {"dirty": false},
                }],
            },
            "runDetails": {"builder": {}},
        })
    );
    let (record, notes) = BuildRecord::new(
        Given::default(),
        Observed { git: tree(Some(true)), ..Observed::default() },
    );
    assert!(notes[0].contains("files of the work tree differ"), "{notes:?}");
    let source = &record.predicate()["buildDefinition"]["resolvedDependencies"][0];
    assert_eq!(source["digest"], json!(null), "a changed tree is not its commit");
    assert_eq!(source["annotations"], json!({"dirty": true, "revision": A}));
    let given = Given {
        origin: origin("", A, ""),
        builder_id: Some("https://ci.example/builder".into()),
        build_type: Some("https://ci.example/type".into()),
        invocation_id: Some("https://ci.example/run/1".into()),
        started: Some("2026-11-20T08:00:00Z".parse().unwrap()),
        finished: Some("2026-11-20T08:10:00Z".parse().unwrap()),
        parameters: BTreeMap::from([("target".to_owned(), "release".to_owned())]),
        materials: vec![
            format!("pkg:docker/alpine@3.20@sha256:{}", "0".repeat(64)).parse().unwrap(),
        ],
    };
    let (record, notes) =
        BuildRecord::new(given, Observed { git: tree(Some(true)), ..Observed::default() });
    assert_eq!(notes, [""; 0]);
    let predicate = record.predicate();
    let source = &predicate["buildDefinition"]["resolvedDependencies"][0];
    assert_eq!(
        source["digest"],
        json!({"gitCommit": A}),
        "the person says that it is this revision"
    );
    assert_eq!(source["annotations"], json!({"dirty": true}));
    assert_eq!(
        predicate["buildDefinition"]["resolvedDependencies"][1],
        json!({"uri": "pkg:docker/alpine@3.20", "digest": {"sha256": "0".repeat(64)}})
    );
    assert_eq!(
        predicate["buildDefinition"]["externalParameters"]["parameters"],
        json!({"target": "release"})
    );
    assert_eq!(
        predicate["runDetails"],
        json!({
            "builder": {"id": "https://ci.example/builder"},
            "metadata": {
                "invocationId": "https://ci.example/run/1",
                "startedOn": "2026-11-20T08:00:00Z",
                "finishedOn": "2026-11-20T08:10:00Z",
            },
        })
    );
}

#[test]
fn materials_have_a_uri_and_a_digest() {
    for (text, fits) in [
        (format!("git+https://git.example/a@gitCommit:{A}"), true),
        (format!("https://x.example/a.tgz@sha256:{}", "0".repeat(64)), true),
        ("https://x.example/a.tgz".into(), false),
        ("https://x.example/a.tgz@sha256:xyz".into(), false),
        (format!("a.tgz@sha256:{}", "0".repeat(64)), false),
        (format!("https://x.example/a\n@sha256:{}", "0".repeat(64)), false),
    ] {
        let parsed = text.parse::<Material>();
        assert_eq!(parsed.is_ok(), fits, "{text}");
        match parsed {
            Ok(material) => assert_eq!(material.to_string(), text),
            Err(bad) => assert!(bad.to_string().contains("URI@ALGORITHM:HEX"), "{bad}"),
        }
    }
}

/// A work tree made by git itself, if there is one: `read_git` must be of use without.
#[test]
fn a_work_tree_is_read_and_starts_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = read_git(folder.path());
    assert_eq!(nothing.origin, Origin::default());
    let git = |arguments: &[&str]| {
        let identity =
            ["-c", "user.name=a", "-c", "user.email=a@a.example", "-c", "commit.gpgsign=false"];
        let output =
            Command::new("git").args(identity).args(arguments).current_dir(folder.path()).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "--quiet", "--initial-branch", "main"]) {
        return;
    }
    fs::write(folder.path().join("file"), "1").unwrap();
    assert!(git(&["add", "file"]) && git(&["commit", "--quiet", "-m", "one"]));
    assert!(git(&["remote", "add", "origin", "https://ci:t0ken@git.example/acme/shop.git"]));
    let clean = read_git(folder.path());
    assert_eq!(clean.origin.source.as_deref(), Some("https://git.example/acme/shop.git"));
    assert_eq!(clean.origin.reference.as_deref(), Some("refs/heads/main"));
    assert_eq!(clean.origin.revision.map(|revision| revision.len()), Some(40));
    assert_eq!((clean.dirty, clean.notes), (Some(false), Vec::new()));
    fs::write(folder.path().join("untracked"), "2").unwrap();
    assert_eq!(read_git(folder.path()).dirty, Some(false), "untracked files are not of the commit");
    fs::write(folder.path().join("file"), "2").unwrap();
    assert_eq!(read_git(folder.path()).dirty, Some(true));
    // What a build step could leave behind to run in the step that has the key.
    let mark = folder.path().join("ran");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    fs::write(folder.path().join(".git/info/attributes"), "* filter=evil\n").unwrap();
    assert!(git(&["config", "filter.evil.clean", &program]));
    assert!(git(&["config", "core.fsmonitor", &format!("touch {}", mark.display())]));
    fs::write(folder.path().join("file"), "3").unwrap();
    let guarded = read_git(folder.path());
    assert_eq!(guarded.dirty, None);
    assert!(guarded.notes.join("\n").contains("filter.*"), "{:?}", guarded.notes);
    assert!(!mark.exists(), "a program of the work tree was started");
    assert!(git(&["config", "--unset", "filter.evil.clean"]));
    assert_eq!(read_git(folder.path()).dirty, Some(true));
    assert!(!mark.exists(), "the fsmonitor of the work tree was started");
}
