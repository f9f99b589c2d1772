//! The library's rules as the gate runs them: on the engine's machine, with parameters.

use countersign::policy::{Rule, Verdict};
use regorus::Value;
use serde_json::json;

fn input() -> serde_json::Value {
    serde_json::from_str(include_str!("../../fixtures/policy/input.json")).unwrap()
}

fn judge(rule: &Rule, input: &serde_json::Value) -> Verdict {
    rule.evaluate(&Value::from(input.clone())).unwrap()
}

#[test]
fn attested_counts_authorities() {
    let attestations = |authorities: &[&str]| -> serde_json::Value {
        authorities.iter().map(|name| json!({"authority": name})).collect()
    };
    for (name, parameters, found, want) in [
        ("all of one", json!({"authorities": ["qa"]}), vec!["qa"], ""),
        ("none", json!({"authorities": ["qa"]}), vec![], "no attestation by qa for linux/amd64"),
        ("another's", json!({"authorities": ["qa"]}), vec!["builder"], "no attestation by qa"),
        (
            "one of two",
            json!({"authorities": ["builder", "qa"]}),
            vec!["qa"],
            "no attestation by builder for",
        ),
        (
            "p10: twice the same",
            json!({"authorities": ["builder", "qa"], "atLeast": 2}),
            vec!["qa", "qa"],
            "no attestation by builder for",
        ),
        ("enough", json!({"authorities": ["a", "b", "c"], "atLeast": 2}), vec!["a", "c"], ""),
        (
            "too few",
            json!({"authorities": ["a", "b", "c"], "atLeast": 2}),
            vec!["a"],
            "attested by 1 of the 2 authorities needed, none by b, c for linux/amd64",
        ),
    ] {
        let rule = Rule::library("attested", &parameters).unwrap();
        let mut input = input();
        input["images"][0]["attestations"] = attestations(&found);
        input["images"].as_array_mut().unwrap().truncate(1);
        let verdict = judge(&rule, &input);
        match want {
            "" => assert_eq!(verdict, Verdict::default(), "{name}"),
            want => {
                assert_eq!(verdict.deny.len(), 1, "{name}: {verdict:?}");
                assert_eq!(verdict.deny[0].code, "attested.missing", "{name}");
                assert!(verdict.deny[0].msg.starts_with(want), "{name}: {verdict:?}");
                assert_eq!(verdict.deny[0].image.as_deref(), Some("spec.containers[0].image"));
            }
        }
    }
}

#[test]
fn attested_says_what_was_rejected() {
    let rule = Rule::library("attested", &json!({"authorities": ["qa"]})).unwrap();
    let verdict = judge(&rule, &input());
    assert_eq!(
        verdict.deny[0].msg,
        "no attestation by qa for linux/amd64; rejected: signature.unknown-key from referrers: \
         made by 0123456789ABCDEF0123456789ABCDEF01234567, which is a key of no authority"
    );
    assert!(rule.needs_presence());
    let reads = rule.reads();
    assert!(!reads.object && !reads.config && !reads.request && !reads.time, "{reads:?}");
}
