//! `countersign policy`: tests of rules and the schema of their input, from a shell.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{stderr, stdout};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("policy").args(arguments).current_dir(folder).output().unwrap()
}

const RULE: &str = "package acme.named\n\n\
    deny contains \"no name\" if {\n\tsome image in input.images\n\tnot image.given\n}\n\n\
    deny contains \"an empty name\" if {\n\tsome image in input.images\n\timage.given == \"\"\n}\n";

const TESTS: &str = "package acme.named_test\n\nimport data.acme.named\n\n\
    test_no_name if count(named.deny) == 1 with input.images as [{}]\n\n\
    test_name if count(named.deny) == 0 with input.images as [{\"given\": \"a\"}]\n";

#[test]
fn tests_pass_fail_and_cover_with_the_right_exit_code() {
    let wrong =
        format!("{TESTS}\ntest_wrong if count(named.deny) == 2 with input.images as [{{}}]\n");
    for (name, rule, tests, arguments, code, data, said) in [
        ("all pass", RULE, TESTS, &["test", "."][..], 0, "", "2 of 2 tests pass"),
        (
            "all told",
            RULE,
            TESTS,
            &["test", "-v", "named.rego", "named_test.rego"],
            0,
            "named_test.rego:5:1: data.acme.named_test.test_no_name: pass\n\
             named_test.rego:7:1: data.acme.named_test.test_name: pass\n",
            "2 of 2 tests pass",
        ),
        (
            "one fails",
            RULE,
            &wrong,
            &["test", "."],
            1,
            "./named_test.rego:9:1: data.acme.named_test.test_wrong: fail: undefined\n",
            "2 of 3 tests pass",
        ),
        (
            "a line that no test runs",
            RULE,
            TESTS,
            &["test", "--coverage", "."],
            1,
            "./named.rego: no test runs line 8\n",
            "2 of 2 tests pass",
        ),
        ("no tests", RULE, "", &["test", "named.rego"], 1, "", "no rule is named `test_…`"),
        ("no Rego", "package a b", TESTS, &["test", "."], 1, "", "./named.rego:1:11: "),
        ("no file", RULE, TESTS, &["test", "none"], 1, "", "none: cannot be read; check the path"),
        ("no path", RULE, TESTS, &["test"], 2, "", "<PATH>"),
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("named.rego"), rule).unwrap();
        fs::write(folder.path().join("named_test.rego"), tests).unwrap();
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", stderr(&output));
        assert_eq!(stdout(&output), data, "{name}");
        assert!(stderr(&output).contains(said), "{name}: {}", stderr(&output));
    }
}

#[test]
fn what_came_of_tests_is_told_to_programs_as_well() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("named.rego"), RULE).unwrap();
    fs::write(folder.path().join("named_test.rego"), TESTS.replace("== 0", "== 3")).unwrap();
    let output = run(folder.path(), &["test", ".", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |short: &str| format!("data.acme.named_test.{short}");
    assert_eq!(
        told,
        json!({
            "tests": [
                {"name": name("test_no_name"), "at": "./named_test.rego:5:1", "passed": true},
                {
                    "name": name("test_name"),
                    "at": "./named_test.rego:7:1",
                    "passed": false,
                    "why": "undefined",
                },
            ],
            "uncovered": [{"file": "./named.rego", "lines": [8]}],
        })
    );
}

#[test]
fn the_librarys_tests_run_from_a_shell_and_the_schema_is_the_one_in_use() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = run(root, &["test", "--coverage", "policies"]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let output = run(root, &["schema"]);
    assert!(output.status.success());
    assert_eq!(stdout(&output), include_str!("../../webhook/policy/input.schema.json"));
}
