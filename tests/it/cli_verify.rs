//! `countersign verify` and `evidence` say what the webhook would, no more and no less.

use std::{fs, io::Write as _, process::Stdio};

use countersign_kit::{Key, artifact, image, index, simple_signing};
use serde_json::{Value, json};

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

#[test]
fn one_message_of_two_keys_is_two_attestations() {
    let (desk, other) = (Desk::new(), Key::generate("Other <o@acme.example>"));
    desk.write("other.asc", &other.certificate_armored());
    with(&desk, "", ("[{openpgp: builder.asc}]", "[{openpgp: builder.asc}, {openpgp: other.asc}]"));
    let builder = Key::import(&fs::read(desk.path("builder.key")).unwrap());
    let repository = format!("{}/acme/shop", desk.registry.host());
    let payload = simple_signing(&repository, &desk.shop.digest());
    let message = builder.signing().and(&other).message(&payload);
    let referrer = artifact("application/vnd.countersign.attestation.v1")
        .subject(&desk.shop)
        .inline("application/vnd.countersign.simple-signing.v1+pgp", message);
    desk.registry.attach("acme/shop", &referrer.build());
    let said = desk.run(&["verify", &desk.by_digest(), "--config", "changed.yaml", "-o", "json"]);
    let rows: Value = serde_json::from_slice(&said.stdout).unwrap();
    let attestations = rows[0]["attestations"].as_array().unwrap();
    let mut signers: Vec<_> =
        attestations.iter().map(|one| one["signer"]["fingerprint"].as_str().unwrap()).collect();
    let mut want = [builder.fingerprint(), other.fingerprint()];
    signers.sort_unstable();
    want.sort_unstable();
    assert_eq!(signers, want, "{rows:#}");
}

#[test]
fn what_cannot_be_looked_up_is_said_with_what_to_do() {
    let desk = Desk::new();
    let config = fs::read_to_string(desk.path("countersign.yaml")).unwrap();
    desk.write("down.yaml", &config.replace(&desk.registry.host(), "127.0.0.1:1"));
    let down = ["evidence", "127.0.0.1:1/acme/shop:1.4", "--config", "down.yaml"];
    let shape = ["verify", "UPPER/case/", "--config", "countersign.yaml"];
    for (name, arguments, to_stdout, want) in [
        ("a registry that is down", down, false, "(registry.unreachable); "),
        ("no reference", shape, true, "(image.reference); "),
    ] {
        let said = desk.run(&arguments);
        assert_eq!(said.status.code(), Some(1), "{name}: {}", stderr(&said));
        let text = if to_stdout { stdout(&said) } else { stderr(&said) };
        assert!(text.contains(want), "{name}: {text}{}", stderr(&said));
    }
}

#[test]
fn each_image_has_its_element_with_what_is_wrong_and_where() {
    let desk = Desk::new();
    let host = desk.registry.host();
    desk.grafeas.put_project("projects/build");
    desk.grafeas.put_note("projects/build/notes/built");
    let signed = desk.run(&["sign", &desk.by_digest(), "--key", "builder.key", "--attach"]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let bare = desk.registry.put_image("acme/bare", "1", &image("bare").build());
    let quiet = "policies: [{name: quiet, match: {namespaces: [prod]}, rules: [{use: attested, \
                 parameters: {authorities: [builder]}}], mode: warn}, ";
    with(&desk, "", ("policies: [", quiet));
    let (good, bad) = (desk.by_tag(), format!("{host}/acme/bare:1"));
    let verify = ["verify", &bad, &good, "--config", "changed.yaml", "-o", "json"];
    let said = desk.run(&[&verify[..], &["--namespace", "prod"]].concat());
    assert_eq!(said.status.code(), Some(1), "{}", stderr(&said));
    let rows: Value = serde_json::from_slice(&said.stdout).unwrap();
    let found = |policy: &str| {
        json!([{
            "policy": policy,
            "code": "attested.missing",
            "image": "spec.containers[0].image",
            "msg": "no attestation by builder; deploy an image that they attested, or have this one \
                    signed (`countersign sign`)",
        }])
    };
    let reference = format!("{host}/acme/bare@{bare}");
    let (lookups, none) = (|state: &str| json!({"grafeas": "none", "referrers": state}), json!([]));
    for (row, want) in [
        (
            &rows[0],
            json!({
                "image": bad, "reference": reference, "allowed": false,
                "violations": found("attested"), "warnings": found("quiet"),
                "attestations": none, "rejected": none, "lookups": lookups("none"),
            }),
        ),
        (
            &rows[1],
            json!({
                "image": good, "reference": desk.by_digest(), "allowed": true,
                "violations": none, "warnings": none,
                "attestations": rows[1]["attestations"], "rejected": none,
                "lookups": lookups("found"),
            }),
        ),
    ] {
        let mut row = row.clone();
        let _notes = row.as_object_mut().unwrap().remove("notes");
        assert_eq!(row, want);
    }
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(rows[1]["attestations"][0]["authority"], "builder");
    assert_eq!(rows[1]["attestations"][0]["subject"]["digest"], desk.shop.digest());

    // Elsewhere nobody warns, and a manifest may come by stdin.
    let mut command =
        desk.command(&["verify", "-f", "-", "--config", "changed.yaml", "-o", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: \
         \"{bad}\"}}]}}\n"
    );
    child.stdin.take().unwrap().write_all(pod.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(1), "{}", stderr(&said));
    let rows: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(rows[0]["violations"], found("attested"));
    assert_eq!(rows[0]["warnings"], none);
}
