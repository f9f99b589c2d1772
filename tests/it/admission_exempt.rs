//! Who comes past a policy, and who does not.

use countersign::admission::{BreakGlass, Exception, Review};
use jiff::Timestamp;
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn annotated(reason: Option<&str>) -> Value {
    let annotations = match reason {
        Some(reason) => json!({"countersign.dev/break-glass": reason, "other": "kept"}),
        None => json!({"other": "kept"}),
    };
    json!({"metadata": {"annotations": annotations}, "spec": {}})
}

struct Ask {
    operation: &'static str,
    resource: (&'static str, &'static str, &'static str),
    user: &'static str,
    groups: Vec<&'static str>,
    new: Value,
    old: Value,
    now: &'static str,
}

/// A member of the group creates an annotated Pod in time.
fn ask() -> Ask {
    Ask {
        operation: "CREATE",
        resource: ("", "pods", ""),
        user: "alice",
        groups: vec!["acme:oncall", "system:authenticated"],
        new: annotated(Some("shop is down")),
        old: Value::Null,
        now: "2026-12-30T23:59:59Z",
    }
}

fn reason(ask: &Ask) -> Option<String> {
    let (group, resource, sub_resource) = ask.resource;
    let body = serde_json::to_vec(&json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u1", "operation": ask.operation, "subResource": sub_resource,
            "kind": {"group": group, "version": "v1", "kind": "Any"},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "userInfo": {"username": ask.user, "groups": ask.groups},
            "object": ask.new, "oldObject": ask.old,
        },
    }))
    .unwrap();
    let break_glass =
        BreakGlass::new(vec!["acme:oncall".to_owned()], at("2026-12-31T00:00:00Z")).unwrap();
    let [whole, skimmed] = [Review::parse(&body), Review::skim(&body)]
        .map(|review| break_glass.reason(&review.unwrap(), at(ask.now)));
    assert_eq!(whole, skimmed);
    whole
}

#[test]
fn p12_break_glass_is_for_the_request_that_brings_the_annotation() {
    let update = |new: Option<&str>, old: Option<&str>| Ask {
        operation: "UPDATE",
        new: annotated(new),
        old: annotated(old),
        ..ask()
    };
    for (name, ask, want) in [
        ("created with it", ask(), true),
        ("added", update(Some("shop is down"), None), true),
        ("given anew", update(Some("shop is down"), Some("earlier")), true),
        ("already there", update(Some("shop is down"), Some("shop is down")), false),
        ("taken away", update(None, Some("shop is down")), false),
        ("none", Ask { new: annotated(None), ..ask() }, false),
        ("no reason", Ask { new: annotated(Some(" \n")), ..ask() }, false),
        ("no annotations", Ask { new: json!({"metadata": {}}), ..ask() }, false),
        (
            "null annotations",
            Ask { new: json!({"metadata": {"annotations": null}}), ..ask() },
            false,
        ),
        (
            "no text",
            Ask {
                new: json!({"metadata": {"annotations": {"countersign.dev/break-glass": true}}}),
                ..ask()
            },
            false,
        ),
        (
            "old object missing",
            Ask { old: Value::Null, ..update(Some("shop is down"), None) },
            false,
        ),
        (
            "old object unreadable",
            Ask { old: json!({"metadata": 7}), ..update(Some("shop is down"), None) },
            false,
        ),
        (
            "as a label",
            Ask {
                new: json!({"metadata": {"labels": {"countersign.dev/break-glass": "x"}}}),
                ..ask()
            },
            false,
        ),
        (
            "ephemeral container",
            Ask {
                resource: ("", "pods", "ephemeralcontainers"),
                ..update(Some("shop is down"), None)
            },
            true,
        ),
        ("template", Ask { resource: ("apps", "deployments", ""), ..ask() }, false),
        ("pods of another group", Ask { resource: ("example.com", "pods", ""), ..ask() }, false),
        ("at the end", Ask { now: "2026-12-31T00:00:00Z", ..ask() }, false),
    ] {
        assert_eq!(reason(&ask).as_deref(), want.then_some("shop is down"), "{name}");
    }
}

#[test]
fn p12_break_glass_is_for_people_of_the_group() {
    for (name, user, groups, want) in [
        ("member", "alice", vec!["acme:oncall"], true),
        ("ordinary user", "bob", vec!["acme:dev", "system:authenticated"], false),
        ("no groups", "bob", vec![], false),
        ("longer name of a group", "bob", vec!["acme:oncall-dev"], false),
        ("service account", "system:serviceaccount:shop:deployer", vec!["acme:oncall"], false),
        (
            "group of service accounts",
            "alice",
            vec!["acme:oncall", "system:serviceaccounts"],
            false,
        ),
        ("node", "system:node:n1", vec!["acme:oncall"], false),
    ] {
        let ask = Ask { user, groups, ..ask() };
        assert_eq!(reason(&ask).is_some(), want, "{name}");
    }
}

#[test]
fn p12_break_glass_is_refused_to_machines_and_everybody() {
    let until = at("2026-12-31T00:00:00Z");
    for (groups, want) in [
        (vec![], "names no group"),
        (vec![" "], "names no group"),
        (vec!["acme:oncall", "system:serviceaccounts"], "is of service accounts or nodes"),
        (vec!["system:serviceaccounts:kube-system"], "is of service accounts or nodes"),
        (vec!["system:nodes"], "is of service accounts or nodes"),
        (vec!["system:authenticated"], "everybody is in group \"system:authenticated\""),
        (vec!["system:unauthenticated"], "everybody is in group"),
    ] {
        let groups: Vec<_> = groups.into_iter().map(str::to_owned).collect();
        let error = BreakGlass::new(groups.clone(), until).unwrap_err().to_string();
        assert!(error.contains(want), "{groups:?}: {error}");
    }
}

#[test]
fn p12_exceptions_name_a_digest_and_a_place_and_end() {
    let image = |repository: &str, digit: &str| {
        format!("{repository}@sha256:{}", digit.repeat(64)).parse().unwrap()
    };
    let exceptions = [
        Exception {
            images: vec![image("registry.example/acme/old", "1"), image("nginx", "2")],
            namespaces: Some(vec!["prod-*".parse().unwrap()]),
            until: at("2026-12-31T00:00:00Z"),
            reason: "OPS-17".to_owned(),
        },
        Exception {
            images: vec![image("registry.example/acme/old", "1")],
            namespaces: None,
            until: at("2026-11-01T00:00:00Z"),
            reason: "OPS-18".to_owned(),
        },
    ];
    for (name, repository, digit, namespace, now, want) in [
        (
            "covered",
            "registry.example/acme/old",
            "1",
            "prod-shop",
            "2026-12-01T00:00:00Z",
            Some("OPS-17"),
        ),
        (
            "by another spelling",
            "index.docker.io/library/nginx",
            "2",
            "prod-shop",
            "2026-12-01T00:00:00Z",
            Some("OPS-17"),
        ),
        (
            "another digest",
            "registry.example/acme/old",
            "2",
            "prod-shop",
            "2026-12-01T00:00:00Z",
            None,
        ),
        (
            "another repository",
            "registry.example/acme/new",
            "1",
            "prod-shop",
            "2026-12-01T00:00:00Z",
            None,
        ),
        (
            "another namespace",
            "registry.example/acme/old",
            "1",
            "dev",
            "2026-12-01T00:00:00Z",
            None,
        ),
        (
            "everywhere for a while",
            "registry.example/acme/old",
            "1",
            "dev",
            "2026-10-31T00:00:00Z",
            Some("OPS-18"),
        ),
        ("at the end", "registry.example/acme/old", "1", "prod-shop", "2026-12-31T00:00:00Z", None),
    ] {
        let found = Exception::find(&exceptions, &image(repository, digit), namespace, at(now));
        assert_eq!(found.map(|exception| exception.reason.as_str()), want, "{name}");
    }
}
