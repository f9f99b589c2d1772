//! The library's rules as the gate runs them: on the engine's machine, with parameters.

use std::path::Path;

use countersign::policy::{Bundle, LIBRARY, Rule, Verdict, run_tests};
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
        authorities
            .iter()
            .map(|name| json!({"authority": name, "signer": {"identity": name}}))
            .collect()
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
        "no attestation by qa for linux/amd64 (rejected: signature.unknown-key from referrers: \
         made by 0123456789ABCDEF0123456789ABCDEF01234567, which is a key of no authority); \
         deploy an image that they attested, or have this one signed (`countersign sign`)"
    );
    assert!(rule.needs_presence());
    let reads = rule.reads();
    assert!(!reads.object && !reads.config && !reads.request && !reads.time, "{reads:?}");
}

#[test]
fn the_librarys_own_tests_pass_and_cover_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let report = run_tests(&Bundle::open(&folder).unwrap()).unwrap();
    let failed: Vec<_> = report.outcomes.iter().filter(|outcome| outcome.result.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(report.uncovered.is_empty(), "{:#?}", report.uncovered);
    for rule in LIBRARY {
        let package = format!("data.countersign.{}_test.", rule.name);
        for case in ["test_cases", "test_no_data"] {
            let name = format!("{package}{case}");
            assert!(report.outcomes.iter().any(|outcome| outcome.name == name), "{name}");
        }
    }
}

#[test]
fn every_library_rule_describes_itself() {
    let qa = json!({"authorities": ["qa"]});
    for (name, parameters, code) in [
        ("approved", &qa, "approved.missing"),
        ("attested", &qa, "attested.missing"),
        ("built", &qa, "built.missing"),
        ("contact", &qa, "contact.missing"),
        ("fresh", &json!({"authorities": ["qa"], "maxAge": "720h"}), "fresh.missing"),
        ("pinned", &json!({}), "pinned.tag"),
        ("profile", &qa, "profile.missing"),
        ("registries", &json!({"allow": ["a/**"]}), "registries.refused"),
        ("vulnerabilities", &json!({}), "vulnerabilities.found"),
    ] {
        let rule = Rule::library(name, parameters).unwrap();
        let metadata = rule.metadata();
        assert!(metadata.title.is_some() && metadata.description.is_some(), "{name}");
        assert_eq!(metadata.custom.code.as_deref(), Some(code), "{name}");
        assert!(metadata.custom.parameters.is_some(), "{name}");
        let needs_presence = !["approved", "contact", "profile", "vulnerabilities"].contains(&name);
        assert_eq!(rule.needs_presence(), needs_presence, "{name}");
        let reads = rule.reads();
        let reads_time = ["approved", "contact", "fresh", "profile"].contains(&name);
        assert_eq!(reads.request, reads_time || name == "pinned", "{name}");
        assert_eq!(reads.time, reads_time, "{name}: the time tells what has expired");
        assert_eq!(reads.object, name == "profile", "{name}");
        assert!(!reads.config, "{name}: {reads:?}");
        // Whatever needs no patterns is judged without a thread of its own.
        assert_eq!(
            rule.is_brief(),
            !["built", "registries", "vulnerabilities"].contains(&name),
            "{name}"
        );
    }
}

#[test]
fn the_other_rules_on_the_machine() {
    let provenance = json!({
        "authority": "builder",
        "signedAt": "2026-11-21T01:00:00Z",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {
            "builder": {"id": "https://ci.example/b"},
            "invocation": {"configSource": {"uri": "git+https://git.example/acme/shop@refs/heads/main"}},
        },
    });
    let vulnerability = json!({
        "note": "projects/scans/notes/CVE-2026-1",
        "vulnerability": {"severity": "HIGH", "fixAvailable": true},
    });
    let built = json!({"authorities": ["builder"], "builders": ["https://ci.example/b"], "branches": ["main"]});
    let elsewhere = json!({"authorities": ["builder"], "builders": ["https://ci.example/c"]});
    for (name, rule, parameters, want) in [
        ("as asked", "built", built, ""),
        ("other builder", "built", elsewhere, "built.otherwise"),
        ("other authority", "built", json!({"authorities": ["qa"]}), "built.missing"),
        ("allowed", "registries", json!({"allow": ["registry.example/**"]}), ""),
        ("not allowed", "registries", json!({"allow": ["other.example/**"]}), "registries.refused"),
        ("a pod", "pinned", json!({}), ""),
        ("of yesterday", "fresh", json!({"authorities": ["builder"], "maxAge": "24h"}), ""),
        ("too old", "fresh", json!({"authorities": ["builder"], "maxAge": "2h"}), "fresh.missing"),
        ("tolerated", "vulnerabilities", json!({"fixable": "HIGH", "scanned": false}), ""),
        (
            "found, unscanned",
            "vulnerabilities",
            json!({"fixable": "LOW"}),
            "vulnerabilities.found,vulnerabilities.unscanned",
        ),
    ] {
        let mut input = input();
        input["images"][0]["records"]["vulnerabilities"] = json!([vulnerability]);
        input["images"][0]["attestations"] = json!([provenance]);
        input["images"].as_array_mut().unwrap().truncate(1);
        let verdict = judge(&Rule::library(rule, &parameters).unwrap(), &input);
        let codes: Vec<&str> = verdict.deny.iter().map(|deny| deny.code.as_str()).collect();
        assert_eq!(codes.join(","), want, "{name}");
    }
    let mut template = input();
    template["request"]["resource"] =
        json!({"group": "apps", "version": "v1", "resource": "deployments"});
    let verdict = judge(&Rule::library("pinned", &json!({})).unwrap(), &template);
    assert_eq!(verdict.deny[0].code, "pinned.tag");
}

#[test]
fn rules_over_metadata_on_the_machine() {
    let entry = |value: serde_json::Value, expires: &str| {
        json!([{
            "value": value,
            "mediaType": "application/json",
            "authority": "qa",
            "signer": {"identity": "a", "fingerprint": "AA"},
            "signedAt": null,
            "created": "2026-11-20T00:00:00Z",
            "expires": if expires.is_empty() { json!(null) } else { json!(expires) },
        }])
    };
    let later = "2026-12-21T00:00:00Z";
    let profile = json!({"seccompProfile": {"type": "RuntimeDefault"}});
    for (name, rule, said, want) in [
        ("approved", "approved", entry(json!({"approved": true}), later), ""),
        (
            "no longer",
            "approved",
            entry(json!({"approved": true}), "2026-11-21T00:00:00Z"),
            "approved.missing",
        ),
        ("not approved", "approved", entry(json!({"approved": false}), later), "approved.missing"),
        ("contact", "contact", entry(json!({"team": "shop"}), ""), ""),
        ("no contact", "contact", entry(json!({}), ""), "contact.missing"),
        ("profile", "profile", entry(profile, ""), ""),
        (
            "another profile",
            "profile",
            entry(json!({"seccompProfile": {"type": "Localhost"}}), ""),
            "profile.otherwise",
        ),
        ("no profile", "profile", entry(json!({}), ""), "profile.missing"),
    ] {
        let mut input = input();
        input["images"].as_array_mut().unwrap().truncate(1);
        let kind = if rule == "approved" { "approval" } else { rule };
        input["images"][0]["metadata"] = json!({ kind: said });
        input["request"]["object"]["spec"]["securityContext"] =
            json!({"seccompProfile": {"type": "RuntimeDefault"}});
        let rule = Rule::library(rule, &json!({"authorities": ["qa"]})).unwrap();
        let verdict = judge(&rule, &input);
        let codes: Vec<&str> = verdict.deny.iter().map(|deny| deny.code.as_str()).collect();
        assert_eq!(codes.join(","), want, "{name}: {verdict:?}");
    }
}
