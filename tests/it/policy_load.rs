//! What a rule's author gets to read when a rule cannot be loaded.

use std::{fs, path::Path};

use countersign::policy::{Bundle, Rule};
use regorus::Value;
use serde_json::json;

fn error(text: &str) -> String {
    let bundle = Bundle::of_text("rule.rego", text);
    match Rule::load(&bundle, "acme.rule", &json!({})) {
        Ok(_) => "loads".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let rule =
        |body: &str| format!("package acme.rule\n\ndeny contains \"x\" if {{\n\t{body}\n}}\n");
    let more = |text: &str| format!("{}\n{text}\n", rule("input.x"));
    for (name, text, want) in [
        ("no mistake", rule("input.x == 1"), "loads"),
        ("syntax", rule("input.x == "), "rule.rego:5:1: "),
        (
            "v0 syntax",
            "package acme.rule\n\ndeny[msg] { msg := \"x\" }\n".to_owned(),
            "rule.rego:3:11: `if` keyword is required",
        ),
        ("unknown variable", rule("x == 1"), "rule.rego:4:2: "),
        (
            "unknown function",
            rule("shout(input.x)"),
            "rule.rego:4:2: function `shout` is not available",
        ),
        ("misspelled", rule("startwith(input.x, \"a\")"), "rule.rego:4:2: function `startwith`"),
        (
            "ac29: network",
            rule("http.send({\"url\": \"http://a\"})"),
            "rule.rego:4:2: function `http.send` is not available",
        ),
        (
            "ac29: environment",
            rule("opa.runtime().env.HOME"),
            "rule.rego:4:2: function `opa.runtime` is not available",
        ),
        (
            "ac29: through with",
            rule("count([1]) == 1 with count as http.send"),
            "rule.rego:4:18: `with` is for tests",
        ),
        ("not reached", more("helper if opa.runtime()"), "rule.rego:7:11: function `opa.runtime`"),
        (
            "host calls",
            rule("__builtin_host_await(1, 2)"),
            "rule.rego:4:2: function `__builtin_host_await`",
        ),
        (
            "metadata",
            rule("rego.metadata.chain()"),
            "rule.rego:4:2: function `rego.metadata.chain`",
        ),
        ("walk", rule("walk(input.x, [p, 1])"), "rule.rego:4:2: `walk` is not supported"),
        (
            "range of anything",
            rule("numbers.range(0, input.x)[_] == 1"),
            "rule.rego:4:2: `numbers.range` takes literal",
        ),
        (
            "range that is huge",
            rule("numbers.range(0, 1000000)[_] == 1"),
            "rule.rego:4:2: `numbers.range` takes literal",
        ),
        ("range", rule("numbers.range(0, 3)[_] == 1"), "loads"),
        ("format", rule("sprintf(\"%03d%%1000 %.2f\", [1, 2]) == input.x"), "loads"),
        (
            "a wide format",
            rule("sprintf(\"%1000000000d\", [1]) == input.x"),
            "rule.rego:4:2: `sprintf` takes a literal text as its format, with widths of at most 3",
        ),
        (
            "a wide format behind a percent sign",
            rule("sprintf(`%%%.1000f`, [1.5]) == input.x"),
            "rule.rego:4:2: `sprintf` takes",
        ),
        (
            "a format of others",
            rule("sprintf(input.x, [1]) == \"x\""),
            "rule.rego:4:2: `sprintf` takes",
        ),
        (
            "addresses",
            rule("net.cidr_expand(\"10.0.0.0/8\")"),
            "rule.rego:4:2: `net.cidr_expand` is not available",
        ),
        (
            "nine arguments",
            more("f(a, b, c, d, e, g, h, i, j) if a"),
            "rule.rego:7:1: too many arguments",
        ),
        (
            "variable and rule",
            more("x := 1\ny := 2 if { some x in [1] }"),
            "; a variable and a rule or import of one name",
        ),
        (
            "neither",
            "package acme.rule\n\nallow := true\n".to_owned(),
            "package acme.rule has neither `deny` nor `warn`",
        ),
        (
            "no set",
            "package acme.rule\n\ndeny := \"x\"\n".to_owned(),
            "rule.rego:3:1: `deny` must be a partial set",
        ),
        (
            "default",
            "package acme.rule\n\ndefault deny := false\n".to_owned(),
            "rule.rego:3:9: `deny` must be a partial set",
        ),
        (
            "other package",
            "package acme.other\n\ndeny contains 1 if true\n".to_owned(),
            "no file declares package acme.rule; these packages were found: acme.other",
        ),
        (
            "ours",
            "package countersign.attested\n\ndeny contains 1 if true\n".to_owned(),
            "rule.rego:1:1: package countersign.attested is reserved",
        ),
        (
            "parameters",
            "package parameters.x\n\ndeny contains 1 if true\n".to_owned(),
            "rule.rego:1:1: package parameters.x is reserved",
        ),
        (
            "result",
            "package acme.rule\n\ndeny contains 1 if true\n".to_owned(),
            "on a sample input, the rule returned 1, but a violation is a string or an object",
        ),
        (
            "METADATA",
            "# METADATA\n# custom: {needs: luck}\npackage acme.rule\n".to_owned(),
            "rule.rego:1:1: METADATA: ",
        ),
        (
            "code",
            "# METADATA\n# custom: {code: Bad Code}\npackage acme.rule\n".to_owned(),
            "rule.rego:1:1: METADATA: custom.code `Bad Code` does not match",
        ),
        (
            "schema",
            "# METADATA\n# custom: {parameters: {pattern: x}}\npackage acme.rule\n".to_owned(),
            "rule.rego:1:1: METADATA: ",
        ),
    ] {
        let error = error(&text);
        assert!(
            error.starts_with(want)
                || error.contains(&format!(": {want}"))
                || (want.starts_with(';') && error.contains(want)),
            "{name}: {error}"
        );
    }
}

#[test]
fn parameters_are_held_to_their_schema() {
    for (name, parameters, want) in [
        (
            "misspelled",
            json!({"authorities": ["qa"], "atleast": 1}),
            "parameters of rule countersign.attested: parameters.atleast is not known; known are atLeast, authorities",
        ),
        (
            "none",
            json!({}),
            "parameters of rule countersign.attested: parameters.authorities is missing",
        ),
        (
            "empty",
            json!({"authorities": []}),
            "parameters of rule countersign.attested: parameters.authorities must have at least 1 item(s)",
        ),
        (
            "zero",
            json!({"authorities": ["qa"], "atLeast": 0}),
            "parameters of rule countersign.attested: parameters.atLeast must be at least 1",
        ),
    ] {
        let error = Rule::library("attested", &parameters).unwrap_err().to_string();
        assert_eq!(error, want, "{name}");
    }
    let error = Rule::library("atested", &json!({})).unwrap_err().to_string();
    assert_eq!(
        error,
        "the library has no rule atested; it has approved, attested, built, contact, fresh, pinned, \
         profile, registries, vulnerabilities"
    );
}

#[test]
fn p5_a_rule_says_that_more_evidence_can_only_help() {
    let reviewed = include_str!("../../fixtures/policy/reviewed.rego");
    let bundle = Bundle::of_text("reviewed.rego", reviewed);
    let parameters = json!({"branches": ["main"], "repository": "https://git.example/acme/shop"});
    let rule = Rule::load(&bundle, "acme.reviewed", &parameters).unwrap();
    assert!(rule.needs_presence());
    let silent = Bundle::of_text("a.rego", "package a\n\ndeny contains \"x\" if input.x\n");
    assert!(!Rule::load(&silent, "a", &json!({})).unwrap().needs_presence());
    for (name, read, want) in
        [("attestations", "attestations", true), ("metadata", "metadata", false)]
    {
        let text = format!(
            "# METADATA\n# title: A\n# custom:\n#   needs: presence\npackage a\n\n\
             deny contains \"x\" if {{ some i in input.images; count(i.{read}) == 0 }}\n"
        );
        let rule = Rule::load(&Bundle::of_text("a.rego", &text), "a", &json!({})).unwrap();
        assert_eq!(rule.needs_presence(), want, "{name}: what is newer supersedes");
    }

    let input: Value =
        serde_json::from_str(include_str!("../../fixtures/policy/input.json")).unwrap();
    let verdict = rule.evaluate(&input).unwrap();
    assert_eq!(verdict.deny.len(), 1, "one image, two platforms, one text: {verdict:?}");
    assert_eq!(verdict.deny[0].code, "reviewed.branch");
}

#[test]
fn a_folder_is_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "a/rule.rego",
        "package a\n\nimport data.lib.names\n\ndeny contains sprintf(\"%s %d\", [x, data.levels.high]) if { some x in names.all; names.known(x) }\n",
    );
    write("lib/names.rego", "package lib.names\n\nall := {\"one\"}\n\nknown(x) if x in all\n");
    write("a/rule_test.rego", "package a_test\n\ntest_x if data.a.deny with input as {}\n");
    write("levels/data.json", "{\"high\": 3}");
    write(".hidden/x.rego", "not rego");
    write("notes.txt", "not rego either");
    let bundle = Bundle::open(folder.path()).unwrap();
    let rule = Rule::load(&bundle, "a", &json!({})).unwrap();
    let verdict = rule.evaluate(&json!({}).into()).unwrap();
    assert_eq!(verdict.deny[0].msg, "one 3");
    assert_eq!(verdict.deny[0].code, "a");

    write("data.yaml", "parameters: {a: 1}\n");
    let error = Bundle::open(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("data.yaml: data.parameters comes from the configuration alone"),
        "{error}"
    );
    let error = Bundle::open(Path::new("/nowhere/rule.rego")).unwrap_err().to_string();
    assert_eq!(error, "/nowhere/rule.rego: cannot be read; check the path and its permissions");
}
