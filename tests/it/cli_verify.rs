//! `countersign verify` and `evidence` say what the webhook would, no more and no less.

use std::fs;

use countersign_kit::{artifact, image, index};
use serde_json::Value;

use crate::cli::{Desk, stderr, stdout};

fn with(desk: &Desk, more: &str, change: (&str, &str)) {
    let config = fs::read_to_string(desk.path("countersign.yaml")).unwrap();
    assert!(config.contains(change.0), "{config}");
    desk.write("changed.yaml", &format!("{}{more}", config.replace(change.0, change.1)));
}

#[test]
fn templates_that_the_webhook_ignores_are_let_through_but_for_what_is_revoked() {
    let desk = Desk::new();
    let image = desk.by_digest();
    desk.write(
        "deploy.yaml",
        &format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\n\
             spec: {{template: {{spec: {{containers: [{{name: shop, image: \"{image}\"}}]}}}}}}\n"
        ),
    );
    let revoked = format!("templates: ignore\nrevoked: [\"{}\"]\n", desk.shop.digest());
    for (more, code, want) in [
        ("templates: deny\n", 1, "(attested.missing)"),
        ("templates: ignore\n", 0, ": allowed\n"),
        (&revoked, 1, "(image.revoked)"),
    ] {
        with(&desk, more, ("", ""));
        let said = desk.run(&["verify", "-f", "deploy.yaml", "--config", "changed.yaml"]);
        assert_eq!(said.status.code(), Some(code), "{more}: {}{}", stdout(&said), stderr(&said));
        assert!(stdout(&said).contains(want), "{more}: {}", stdout(&said));
    }
}

#[test]
fn p8_a_pod_of_more_images_than_the_webhook_takes_is_denied() {
    let desk = Desk::new();
    let image = desk.by_digest();
    desk.write(
        "pod.yaml",
        &format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: shop}}\nspec: {{containers: \
             [{{name: a, image: \"{image}\"}}, {{name: b, image: \"{image}\"}}]}}\n"
        ),
    );
    for (limit, want) in [(1, "(review.too-large)"), (2, "(attested.missing)")] {
        with(&desk, &format!("limits: {{images: {limit}}}\n"), ("", ""));
        let said = desk.run(&["verify", "-f", "pod.yaml", "--config", "changed.yaml"]);
        let text = format!("{}{}", stdout(&said), stderr(&said));
        assert_eq!(said.status.code(), Some(1), "{limit}: {text}");
        assert!(text.contains(want), "{limit}: {text}");
    }
}

#[test]
fn what_no_policy_counts_is_no_attestation_of_the_image() {
    let desk = Desk::new();
    let both = index([&image("a").build(), &image("b").platform("linux/arm64").build()]).build();
    desk.registry.put_image("acme/shop", "both", &both);
    let named = format!("{}/acme/shop@{}", desk.registry.host(), both.digest());
    let signed = desk.run(&["sign", &named, "--key", "builder.key", "--attach"]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    for (platforms, code, there, not_there) in [
        ("index-or-every", 0, "attested by builder", "rejected"),
        ("every", 1, "(scope.platform)", "attested by builder"),
    ] {
        with(&desk, "", ("match: {}", &format!("match: {{}}, platforms: {platforms}")));
        let said = desk.run(&["verify", &named, "--config", "changed.yaml"]);
        let text = stdout(&said);
        assert_eq!(said.status.code(), Some(code), "{platforms}: {text}{}", stderr(&said));
        assert!(text.contains(there) && !text.contains(not_there), "{platforms}: {text}");
    }
}

#[test]
fn evidence_where_no_policy_applies_names_the_namespace() {
    let desk = Desk::new();
    with(&desk, "", ("match: {}", "match: {namespaces: [prod]}"));
    let evidence = ["evidence", &desk.by_tag(), "--config", "changed.yaml"];
    let elsewhere = desk.run(&evidence);
    assert_eq!(elsewhere.status.code(), Some(2), "{}", stderr(&elsewhere));
    let want = "in namespace default, so a webhook would not look it up; name another --namespace";
    assert!(stderr(&elsewhere).contains(want), "{}", stderr(&elsewhere));
    let there = desk.run(&[&evidence[..], &["--namespace", "prod"]].concat());
    assert!(there.status.success(), "{}", stderr(&there));
    assert!(stdout(&there).contains("\"images\": ["), "{}", stdout(&there));
}

#[test]
fn p13_json_holds_nothing_that_a_terminal_acts_on() {
    let desk = Desk::new();
    let said = "a\u{7f}\u{9b}2J\u{202e}\u{e0041}é\nb";
    let referrer = artifact("application/vnd.acme").subject(&desk.shop).annotation("note", said);
    desk.registry.attach("acme/shop", &referrer.build());
    let evidence = desk.run(&["evidence", &desk.by_digest(), "--config", "countersign.yaml"]);
    let text = stdout(&evidence);
    assert!(text.contains(r"a\u007f\u009b2J\u202e\udb40\udc41é\nb"), "{text}{}", stderr(&evidence));
    let input: Value = serde_json::from_str(&text).unwrap();
    let read = &input["images"][0]["records"]["referrers"][0]["annotations"]["note"];
    assert_eq!(read, said, "a parser reads the same");
}
