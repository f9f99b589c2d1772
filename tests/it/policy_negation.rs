//! Negation means what it means in OPA: each expected value below is what `opa eval` (1.14.1)
//! says of the same text, `true` or undefined.

use countersign::policy::{Bundle, Rule, RuleError};
use serde_json::json;

/// `(body, whether OPA finds it true)`; `input.missing` is absent, `input.x` is 2.
const PROBES: [(&str, bool); 42] = [
    ("not f(input.missing)", false),
    ("not f(input.x)", true),
    (r#"not startswith(input.missing, "a")"#, false),
    (r#"not regex.match("a", input.missing)"#, false),
    (r#"not input.missing in {"a"}"#, false),
    (r#"not "a" in input.missing"#, false),
    ("not input.missing == 1", true),
    ("not input.missing = 1", true),
    ("not input.missing.y", true),
    ("not input.missing < 1", false),
    ("not input.missing != 1", false),
    ("not 1 < input.missing", false),
    ("not count(input.missing) == 3", false),
    ("not count(input.missing) > 3", false),
    ("not input.missing + 1 == 2", false),
    ("not [input.missing] == [1]", false),
    ("not input.obj[input.missing]", false),
    ("not input.obj[input.missing] == 1", false),
    ("not g(input.missing).y", false),
    ("not f(r)", false),
    ("not r == 1", true),
    ("not r", true),
    ("not f(g(input.missing))", false),
    ("not f(count([y | some y in input.missing]))", true),
    ("not f(input.missing + 1)", false),
    ("not (input.missing | {1}) == {1}", false),
    ("not {1} == {1 | input.missing == 1}", true),
    ("not f(data.probe.r)", false),
    ("not bad[input.missing]", false),
    ("not input.list[input.missing]", false),
    ("every z in input.list { not f(z.missing) }", false),
    (r#"every z in input.list { not startswith(z, "a") }"#, true),
    (r#"not object.get(input.missing, "a", 1) == 1"#, false),
    ("not is_string(input.missing)", false),
    ("not f(-1)", true),
    ("not f(input.x - input.missing)", false),
    ("not [1, 2][input.missing] == 1", false),
    ("not to_number(input.missing) == 1", false),
    (r#"not {"a": input.missing}.a == 1"#, false),
    ("not g(input.x) == input.missing", true),
    ("not f(\n\t\tinput.missing,\n\t)", false),
    ("count([1 | not f(count([1 | not f(input.missing)]))]) == 1", true),
];

fn rule(body: &str) -> Result<Rule, RuleError> {
    let text = format!(
        "package probe\n\nf(x) if x == 1\ng(x) := x\nr := input.missing\nbad contains 1 if false\n\
         deny contains \"yes\" if {body}\n"
    );
    Rule::load(&Bundle::of_text("probe.rego", &text), "probe", &json!({}))
}

#[test]
fn p7_negations_are_opas() {
    let input = json!({"x": 2, "list": [1, 2, 3], "obj": {"a": 1}}).into();
    let mut wrong = Vec::new();
    for (body, want) in PROBES {
        let braced = format!("{{\n\t{body}\n}}");
        for text in [body.to_owned(), braced] {
            let got = rule(&text)
                .map(|rule| rule.evaluate(&input).map(|verdict| !verdict.deny.is_empty()));
            match got {
                Ok(Ok(got)) if got == want => {}
                other => wrong.push(format!("{text}: want {want}, got {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn p7_what_opa_refuses_under_a_negation_is_refused() {
    for (name, body, want) in [
        (
            "wildcard",
            "not f(input.list[_])",
            "probe.rego:7:41: `_` under `not` is unsafe; give it a value before",
        ),
        (
            "wildcard compared",
            "not input.list[_] == 9",
            "probe.rego:7:39: `_` under `not` is unsafe; give it a value before",
        ),
        (
            "unbound",
            "not f(input.list[i])",
            "probe.rego:7:41: `i` under `not` is unsafe; give it a value before",
        ),
    ] {
        let error = rule(body).unwrap_err().to_string();
        assert!(error.starts_with(want), "{name}: {error}");
    }
}
