//! A rule that goes wrong denies, in bounded time and memory.

use std::{num::NonZeroU64, thread, time::Duration};

use countersign::policy::{Bundle, Limits, Rule, RuleFault, Violation};
use regorus::Value;
use serde_json::json;

fn rule(deny: &str) -> Rule {
    let bundle = Bundle::of_text("rule.rego", &format!("package rule\n\ndeny contains {deny}\n"));
    Rule::load(&bundle, "rule", &json!({})).unwrap()
}

/// `input.many` is absent from the sample that rules are tried on at load.
fn many() -> Value {
    json!({"many": (0..200).collect::<Vec<_>>(), "images": [{"path": "p"}]}).into()
}

const RUNAWAY: &str = "\"x\" if { some a in input.many; some b in input.many; some c in input.many; \
                       some d in input.many; a + b + c + d == -1 }";

#[test]
fn p7_a_runaway_rule_is_stopped() {
    let limits = Limits::default();
    let strings = "\"x\" if { count([s | some a in input.many; some b in input.many; \
                   s := sprintf(\"%d %d and a text of some length\", [a, b])]) == 1 }";
    let doubling = "\"x\" if { a := concat(\"\", [input.text, input.text]); \
                    b := concat(\"\", [a, a]); c := concat(\"\", [b, b]); d := concat(\"\", [c, c]); \
                    count(d) == 1 }";
    let text = json!({"many": [1, 2], "text": "x".repeat(4 << 20)}).into();
    for (name, deny, limits, input, want) in [
        (
            "time",
            RUNAWAY,
            Limits { time: Duration::from_millis(50), ..limits },
            many(),
            "policy.timeout",
        ),
        ("steps", RUNAWAY, Limits { instructions: 100_000, ..limits }, many(), "policy.timeout"),
        (
            "memory",
            strings,
            Limits { memory: NonZeroU64::new(1 << 20).unwrap(), ..limits },
            many(),
            "policy.memory",
        ),
        ("memory by doubling", doubling, limits, text, "policy.memory"),
    ] {
        let fault = rule(deny).with_limits(limits).evaluate(&input).unwrap_err();
        assert_eq!(fault.code().as_str(), want, "{name}: {fault}");
    }
}

#[test]
fn what_takes_a_moment_is_told_from_what_does_not() {
    let contract: Value =
        Value::from_json_str(include_str!("../../fixtures/policy/input.json")).unwrap();
    for (name, deny, input, brief) in [
        ("few steps", "\"x\" if count(input.images) > 0", contract.clone(), true),
        ("many steps", RUNAWAY, many(), false),
        ("a dear function", "\"x\" if count(numbers.range(1, 3)) == 3", contract.clone(), false),
        ("a pattern", "\"x\" if regex.match(`^a+$`, \"aa\")", contract, false),
        ("what is no violation", "1 if count(input.many) == 200", many(), true),
    ] {
        let rule = rule(deny);
        let briefly = rule.evaluate_briefly(&input);
        assert_eq!(briefly.is_some(), brief, "{name}: {briefly:?}");
        if let Some(outcome) = briefly {
            assert_eq!(outcome, rule.evaluate(&input), "{name}");
        }
    }
}

/// The machines that judge briefly are used again; what one was given before must not show.
#[test]
fn p6_a_machine_forgets_what_it_judged() {
    let cubed = "\"few\" if count(input.images) == 1\n\ndeny contains \"many\" if { some a in \
                 input.many; some b in input.many; some c in input.many; a + b + c == -1 }\n\n\
                 deny contains input.text if is_string(input.text)\n\n\
                 warn contains sprintf(\"%d\", [count(numbers)])\n\n\
                 numbers contains n if some n in input.few";
    let rule = rule(cubed);
    let inputs: Vec<Value> = [
        json!({"images": [{"path": "p"}], "few": [1, 2]}),
        json!({"images": [], "text": "a"}),
        json!({"images": [{"path": "p"}], "few": [1], "text": "b"}),
        json!({"images": [{"path": "p"}], "many": (0..200).collect::<Vec<_>>()}),
        json!({"images": [{"path": "p"}, {"path": "q"}]}),
    ]
    .map(Value::from)
    .into();
    for (at, first) in inputs.iter().enumerate() {
        for (next, second) in inputs.iter().enumerate() {
            let _of_the_first = rule.evaluate_briefly(first);
            let briefly = rule.evaluate_briefly(second);
            assert_eq!(briefly.is_none(), next == 3, "{next} after {at}");
            if let Some(verdict) = briefly {
                assert_eq!(verdict, rule.evaluate(second), "{next} after {at}");
            }
        }
    }
}

#[test]
fn p7_an_honest_rule_over_many_images_is_not_stopped() {
    let by = |name: &str| json!({"authority": name, "signer": {"identity": name}});
    let image = |at: usize| {
        json!({"path": format!("spec.containers[{at}].image"), "platform": null, "rejected": [],
            "attestations": [by("qa"), by("builder")]})
    };
    let input: Value = json!({"images": (0..500).map(image).collect::<Vec<_>>()}).into();
    let rule = Rule::library("attested", &json!({"authorities": ["qa", "builder"]})).unwrap();
    assert_eq!(rule.evaluate(&input).unwrap().deny, []);
    let rule = Rule::library("attested", &json!({"authorities": ["qa", "ops"]})).unwrap();
    assert_eq!(rule.evaluate(&input).unwrap().deny.len(), 500);
}

#[test]
fn p7_results_of_a_wrong_type_deny() {
    // What is wrong shows only on an input that says so, past the trial at load.
    for (name, deny, want) in [
        (
            "number",
            "x if x := input.wrong.number",
            "the rule returned 1, but a violation is a string or an object",
        ),
        ("list", "x if x := input.wrong.list", "but a violation is a string or an object"),
        ("no msg", "x if x := input.wrong.empty", "but a violation has a `msg`"),
        ("msg", "{\"msg\": x} if x := input.wrong.number", "but `msg` is a string"),
        (
            "code",
            "{\"msg\": \"a\", \"code\": x} if x := input.wrong.code",
            "but `code` matches [a-z0-9.-]+",
        ),
        (
            "no code",
            "{\"msg\": \"a\", \"code\": x} if x := input.wrong.number",
            "but `code` matches [a-z0-9.-]+",
        ),
        (
            "image",
            "{\"msg\": \"a\", \"image\": x} if x := input.wrong.code",
            "but `image` is the `path` of one of input.images",
        ),
    ] {
        let input = json!({"images": [{"path": "p"}],
            "wrong": {"number": 1, "list": ["a"], "empty": {}, "code": "Not A Code"}});
        let fault = rule(deny).evaluate(&input.into()).unwrap_err();
        assert_eq!(fault.code().as_str(), "policy.error", "{name}");
        assert!(fault.to_string().contains(want), "{name}: {fault}");
    }
    assert_eq!(RuleFault::Undefined.code().as_str(), "policy.undefined");
}

#[test]
fn violations_are_read_and_bounded() {
    let input = json!({"images": [{"path": "p"}], "long": "é".repeat(5_000), "many": (0..900).collect::<Vec<_>>()});
    let input: Value = input.into();
    let found = |deny: &str| rule(deny).evaluate(&input).unwrap().deny;
    let whole = found("{\"msg\": \"a\", \"code\": \"x.y-1\", \"image\": \"p\"} if input.long");
    assert_eq!(
        whole,
        [Violation { code: "x.y-1".into(), msg: "a".into(), image: Some("p".into()) }]
    );
    assert_eq!(
        found("\"a\" if true"),
        [Violation { code: "rule".into(), msg: "a".into(), image: None }]
    );
    assert_eq!(found("x if x := input.long")[0].msg.chars().count(), Violation::MSG_MAX);
    assert_eq!(found("sprintf(\"%d\", [x]) if some x in input.many").len(), Violation::COUNT_MAX);
}

#[test]
fn p12_however_much_is_said_something_is_said_of_each_image() {
    let input =
        json!({"images": [{"path": "a"}, {"path": "z"}], "many": (0..900).collect::<Vec<_>>()});
    // Sets are sorted: what is said of `z`, and of the whole request, stands behind 900 others.
    let rule = rule(
        "{\"image\": path, \"msg\": msg} if {\n\tsome x in input.many\n\tsome path in [\"a\", null, \"z\"]\n\tmsg := sprintf(\"%d\", [x])\n}",
    );
    let about: Vec<Option<String>> =
        rule.evaluate(&input.into()).unwrap().deny.into_iter().map(|said| said.image).collect();
    for image in [None, Some("a".to_owned()), Some("z".to_owned())] {
        assert!(about.contains(&image), "{image:?}");
    }
    assert!(about.len() <= Violation::COUNT_MAX + 2, "{}", about.len());
}

#[test]
fn evaluations_run_side_by_side() {
    let rule = Rule::library("attested", &json!({"authorities": ["qa"]})).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let rule = rule.clone();
            scope.spawn(move || {
                for at in 0..20 {
                    let attested = (thread + at) % 2 == 0;
                    let found = if attested { json!([{"authority": "qa"}]) } else { json!([]) };
                    let image = json!({"path": "p", "platform": null, "attestations": found, "rejected": []});
                    let verdict = rule.evaluate(&json!({"images": [image]}).into()).unwrap();
                    assert_eq!(verdict.deny.is_empty(), attested);
                }
            });
        }
    });
}

#[test]
fn p8_what_nests_too_deep_is_refused_before_it_is_parsed() {
    let nested = |open: &str, times: usize, close: &str| {
        format!("x := {}1{}", open.repeat(times), close.repeat(times))
    };
    let chain = |link: &str, times: usize| format!("x := input.y{}", link.repeat(times));
    let (deep, first) =
        ("expressions nest more than 100 deep", "lists, sets and objects nest more than 12 deep");
    for (name, statement, want) in [
        ("a sum", chain("\n\t+ 1", 90), "loads"),
        ("a long sum", chain("\n\t+ 1", 5_000), deep),
        ("a sum with negative numbers", chain(" -1", 1_000), deep),
        ("many equations", chain("\n== 1", 5_000), deep),
        ("many memberships", chain("\nin [1]", 5_000), deep),
        ("a union", chain("\n| {1}", 5_000), deep),
        ("a selection", chain(".z", 90), "loads"),
        ("a long selection", chain(".with", 4_000), deep),
        ("indexes", chain("[\n0]", 5_000), deep),
        ("minus", nested("-\n", 5_000, ""), deep),
        ("calls", nested("abs(\n", 5_000, ")"), deep),
        ("indexes of indexes", nested("input[\n", 5_000, "]"), first),
        ("a list", nested("[", 5, "]"), "loads"),
        ("a list of lists", nested("[\n", 30, "]"), first),
        ("an object of objects", nested("{\"a\":\n", 5_000, "}"), first),
        ("a set of sets", nested("{\n", 5_000, "}"), first),
        ("lists that are not first", nested("[0, ", 60, "]"), deep),
        ("bodies", nested("every z in [1] {\n", 5_000, "}").replace("x := ", ""), first),
        ("in a string", chain(&format!(" + \"{}\"", "[".repeat(500)), 1), "loads"),
        ("in a comment", format!("true # {}", "[".repeat(500)), "loads"),
        ("statement by statement", chain("\n\tinput.y.z + 1 == 2", 30), "loads"),
        ("on one line", chain("; input.y.z == 2", 40), "loads"),
        ("member by member", format!("x := [{}1]", "-1, ".repeat(120)), "loads"),
    ] {
        let text = format!("package acme\n\ndeny contains \"x\" if {{\n\t{statement}\n}}\n");
        let loaded = Rule::load(&Bundle::of_text("rule.rego", &text), "acme", &json!({}));
        let said = loaded.map_or_else(|error| error.to_string(), |_| "loads".to_owned());
        assert!(said.contains(want), "{name}: {said}");
        assert!(want == "loads" || said.starts_with("rule.rego:"), "{name}: {said}");
    }
}
