//! The documentation keeps up with the code.

use std::{collections::BTreeSet, fs};

use countersign::{
    name::Code,
    policy::{Bundle, LIBRARY, Rule},
};
use serde_json::{Value, json};

use crate::{cli::must_parse, config::folder::Folder, layers::rust_files, matrix::has_test};

#[test]
fn every_code_has_its_paragraph() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes.md");
    let text = fs::read_to_string(path).unwrap();
    let told: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    for code in Code::ALL {
        assert!(told.contains(&code.as_str()), "docs/codes.md does not tell {code}");
    }
    assert_eq!(told.len(), Code::ALL.len(), "docs/codes.md tells a code that is none");
}

#[test]
fn every_code_of_the_library_has_its_paragraph() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/codes.md")).unwrap();
    let told: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("#### `")?.strip_suffix('`')).collect();
    let rules = LIBRARY.iter().flat_map(|rule| rule.text.split("\"code\": \"").skip(1));
    let given: BTreeSet<&str> = rules.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(told, given);
}

/// A number that a comment cites, or that a test's name begins with, says something to its reader.
#[test]
fn every_promise_that_is_cited_is_told() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/promises.md")).unwrap();
    let told: BTreeSet<u32> = page
        .lines()
        .filter_map(|line| line.strip_prefix("- **P")?.split_once("** ")?.0.parse().ok())
        .collect();
    let mut cited = BTreeSet::new();
    for file in ["webhook", "tests/it"].iter().flat_map(|folder| rust_files(&root.join(folder))) {
        let text = fs::read_to_string(file).unwrap();
        let words = text.split(|sign: char| !sign.is_alphanumeric());
        // P-256 and its like are curves.
        let numbers = words.filter_map(|word| word.strip_prefix(['P', 'p'])?.parse::<u32>().ok());
        cited.extend(numbers.filter(|number| *number < 100));
    }
    assert_eq!(told, (1..=18).collect());
    assert!(cited.is_subset(&told) && cited.len() > 15, "{cited:?}");
}

/// What the README shows first is what people start from.
#[test]
fn the_configuration_and_the_rule_of_the_readme_load() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("README.md")).unwrap();
    let block = |kind: &str| {
        let fence = format!("```{kind}\n");
        let blocks: Vec<_> =
            page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let [block] = blocks[..] else { panic!("{} blocks of {kind}", blocks.len()) };
        block.to_owned()
    };
    let folder = Folder::new();
    folder.write("builder.asc", folder.builder.certificate_armored());
    folder.write("readme.yaml", block("yaml"));
    folder.load("readme.yaml").unwrap_or_else(|errors| panic!("{errors:#?}"));

    let bundle = Bundle::of_text("branch.rego", &block("rego"));
    let rule = Rule::load(&bundle, "acme.branch", &json!({})).unwrap();
    assert!(rule.needs_presence());
    let on = |branch: &str| {
        json!({"images": [{
            "path": "spec.containers[0].image",
            "attestations": [{
                "authority": "builder",
                "predicateType": "https://slsa.dev/provenance/v1",
                "predicate": {"buildDefinition": {"externalParameters": {"workflow": {"ref": branch}}}},
            }],
        }]})
    };
    for (branch, denied) in [("refs/heads/main", false), ("refs/heads/next", true)] {
        let input = serde_json::from_value(on(branch)).unwrap();
        let verdict = rule.evaluate(&input).unwrap();
        let codes: Vec<_> = verdict.deny.iter().map(|violation| violation.code.as_str()).collect();
        assert_eq!(codes, if denied { vec!["acme.branch"] } else { vec![] }, "{branch}");
    }
}

/// Each row of the tables of other gates' policies names what shows it.
#[test]
fn every_policy_that_people_have_is_shown_by_a_test() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, from) in [("README.md", "## Policies that people have"), ("docs/policies.md", "# ")]
    {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let text = &text[text.find(from).expect(from)..];
        let table = text.lines().skip_while(|line| !line.starts_with("| --- ")).skip(1);
        let rows: Vec<&str> = table.take_while(|line| line.starts_with("| ")).collect();
        assert!(rows.len() > 10, "{page}: {} rows", rows.len());
        for row in rows {
            let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
            assert!(!tests.is_empty(), "{page}: nothing shows {row}");
            for test in tests {
                let there = if test.ends_with("_test.rego") {
                    root.join(test).is_file()
                } else {
                    has_test(test).is_some()
                };
                assert!(there, "{page}: there is no test {test}");
            }
        }
    }
}

/// The rule that `docs/policies.md` shows in place of Voucher's check does what it says.
#[test]
fn the_rule_nobody_denies_root() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policies.md"));
    let page = page.unwrap();
    let text = page.split("```rego\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rule = Rule::load(&Bundle::of_text("nobody.rego", text), "acme.nobody", &json!({}));
    let rule = rule.unwrap();
    assert!(rule.reads().config, "so that configs are fetched");
    let example = include_str!("../../fixtures/policy/input.json");
    for (name, config, denied) in [
        ("a number", json!({"user": "65532"}), false),
        ("with a group", json!({"user": "app:0"}), false),
        ("root", json!({"user": "root"}), true),
        ("zero, with a group", json!({"user": "0:0"}), true),
        ("not said", json!({"user": ""}), true),
        ("no config", Value::Null, true),
    ] {
        let mut input: Value = serde_json::from_str(example).unwrap();
        input["images"].as_array_mut().unwrap().truncate(1);
        input["images"][0]["config"] = config;
        let verdict = rule.evaluate(&regorus::Value::from(input)).unwrap();
        assert_eq!(!verdict.deny.is_empty(), denied, "{name}");
    }
}

/// Commands of ours in blocks of `console`, with what a backslash carries on.
#[test]
fn every_command_of_the_documentation_parses() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut commands = 0;
    for page in docs.chain([root.join("README.md"), root.join("CONTRIBUTING.md")]) {
        let text = fs::read_to_string(&page).unwrap().replace("\\\n", " ");
        for line in text.lines().filter_map(|line| line.strip_prefix("$ countersign ")) {
            must_parse(&format!("countersign {line}"));
            commands += 1;
        }
    }
    assert!(commands >= 25, "{commands}");
}
