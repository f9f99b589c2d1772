//! The documentation keeps up with the code.

use std::fs;

use countersign::{
    name::Code,
    policy::{Bundle, Rule},
};
use serde_json::{Value, json};

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
