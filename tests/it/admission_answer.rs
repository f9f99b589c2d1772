//! How decisions read, and what the API server takes.

use countersign::{
    admission::{
        Answer, Change, Decision, Exemption, Outcome, Patch, Phase, Pin, Reply, Review, Violation,
    },
    name::Code,
};
use serde_json::Value;

fn violation(code: Code) -> Violation {
    Violation {
        policy: "production".to_owned(),
        path: "spec.containers[0].image".to_owned(),
        given: "registry.example/acme/shop:1.4".to_owned(),
        reference: Some(format!("registry.example/acme/shop@sha256:{}", "3b".repeat(32))),
        what: "no attestation by builder".to_owned(),
        code: code.as_str().to_owned(),
        todo: Some("run `countersign sign` in CI".to_owned()),
        retryable: code.retryable(),
    }
}

fn asked() -> Outcome {
    Outcome { uid: "u1".to_owned(), ..Outcome::default() }
}

fn response(answer: Answer, phase: Phase) -> Value {
    let reply = answer.into_reply(phase, asked());
    assert_eq!(reply.status, 200);
    let review: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(review["kind"], "AdmissionReview");
    assert_eq!(review["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(review["response"]["uid"], "u1");
    review["response"].clone()
}

#[test]
fn p13_a_line_says_which_image_what_is_wrong_and_what_to_do() {
    let full = violation(Code::SignatureUnknownKey);
    let digest = "3b".repeat(32);
    let want = format!(
        "production: spec.containers[0].image \"registry.example/acme/shop:1.4\" → \
         registry.example/acme/shop@sha256:{digest}: no attestation by builder \
         (signature.unknown-key); run `countersign sign` in CI"
    );
    assert_eq!(full.to_string(), want);
    let unresolved = Violation { reference: None, todo: None, ..full };
    let want = "production: spec.containers[0].image \"registry.example/acme/shop:1.4\": \
                no attestation by builder (signature.unknown-key)";
    assert_eq!(unresolved.to_string(), want);
    let review = Violation::of_review(Code::ReviewInvalid, "no uid", Some("send one"));
    assert_eq!(review.to_string(), "no uid (review.invalid); send one");
}

#[test]
fn p13_outside_text_cannot_break_out_of_its_line() {
    let mut hostile = violation(Code::ImageReference);
    hostile.given = "evil\":\nproduction: all is well\u{202e}\u{1b}[31m".to_owned();
    hostile.what = "said \u{7}\r\n".repeat(1000);
    let line = hostile.to_string();
    assert!(!line.chars().any(char::is_control), "{line}");
    assert!(line.contains(r#"evil\":\nproduction: all is well\u{202e}\u{1b}[31m"#), "{line}");
    assert!(line.chars().count() < 2000 && line.contains("… (image.reference)"), "{line}");
}

#[test]
fn p13_a_denial_has_a_status_that_the_api_server_shows() {
    for (name, codes, code, reason, retry) in [
        ("final", vec![Code::ImageUnpinned], 403, "Forbidden", false),
        (
            "passing",
            vec![Code::RegistryUnreachable, Code::StoreLimited],
            503,
            "ServiceUnavailable",
            true,
        ),
        ("late", vec![Code::ReviewDeadline], 503, "ServiceUnavailable", true),
        ("mixed", vec![Code::RegistryUnreachable, Code::ImageRevoked], 403, "Forbidden", false),
    ] {
        let violations = codes.into_iter().map(violation).collect();
        let answer = Answer { violations, ..Answer::default() };
        assert_eq!(answer.decision(), Decision::Denied, "{name}");
        let response = response(answer, Phase::Validate);
        assert_eq!(response["allowed"], false, "{name}");
        assert_eq!(response["status"]["code"], code, "{name}");
        assert_eq!(response["status"]["reason"], reason, "{name}");
        assert_eq!(response["status"]["status"], "Failure", "{name}");
        let after = retry.then_some(1);
        assert_eq!(response["status"]["details"]["retryAfterSeconds"].as_u64(), after, "{name}");
        assert_eq!(response["auditAnnotations"]["decision"], "denied", "{name}");
    }
}

#[test]
fn p13_lines_are_sorted_told_once_and_cut_at_eight_kib() {
    let at = |index: usize| Violation {
        path: format!("spec.containers[{index:03}].image"),
        ..violation(Code::ImageUnpinned)
    };
    let answer = Answer { violations: vec![at(2), at(1), at(2)], ..Answer::default() };
    let answer = response(answer, Phase::Validate);
    let message = answer["status"]["message"].as_str().unwrap();
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines.len(), 2, "{message}");
    assert!(lines[0].contains("[001]") && lines[1].contains("[002]"), "{message}");
    assert_eq!(answer["auditAnnotations"]["codes"], "image.unpinned");

    let answer = Answer { violations: (0..500).map(at).collect(), ..Answer::default() };
    let answer = response(answer, Phase::Validate);
    let message = answer["status"]["message"].as_str().unwrap();
    let (shown, last) = message.rsplit_once('\n').unwrap();
    assert!(message.len() <= 8192, "{}", message.len());
    assert_eq!(last, format!("… and {} more", 500 - shown.lines().count()));

    let mut long = violation(Code::ImageUnpinned);
    long.what = "å".repeat(9000);
    long.todo = Some("水".repeat(9000));
    long.given = "水".repeat(9000);
    let answer = Answer { violations: vec![long], ..Answer::default() };
    let message = response(answer, Phase::Validate)["status"]["message"].to_string();
    assert!(message.len() <= 8192 && message.contains("(image.unpinned)"), "{message}");
}

#[test]
fn p13_warnings_are_few_short_and_free_of_controls() {
    let warn = |index: usize| Violation {
        path: format!("spec.containers[{index}].image"),
        what: "docker.io is not allowed\nhere, ".repeat(9),
        ..violation(Code::ImageRefused)
    };
    for (name, count, want) in [("none", 0, 0), ("one", 1, 1), ("five", 5, 5), ("nine", 9, 5)] {
        let answer = Answer { warnings: (0..count).map(warn).collect(), ..Answer::default() };
        let response = response(answer, Phase::Validate);
        assert_eq!(response["allowed"], true, "{name}");
        let warnings = response["warnings"].as_array().cloned().unwrap_or_default();
        assert_eq!(warnings.len(), want, "{name}");
        for warning in &warnings {
            let warning = warning.as_str().unwrap();
            assert!(warning.chars().count() <= 120, "{name}: {warning}");
            assert!(!warning.chars().any(char::is_control), "{name}: {warning}");
        }
        if count == 9 {
            assert!(warnings[4].as_str().unwrap().starts_with("… and 5 more"), "{warnings:?}");
        } else {
            for warning in &warnings {
                assert!(warning.as_str().unwrap().ends_with("… (image.refused)"), "{warning}");
            }
        }
    }
}

#[test]
fn p17_audit_annotations_tell_what_judged_and_what_counted() {
    let text = |text: &str| text.to_owned();
    let answer = Answer {
        would_deny: vec![text("registries.refused"), text("fresh.old"), text("fresh.old")],
        exemption: Some(Exemption::BreakGlass(text("shop is down"))),
        images: vec![text("registry.example/b@sha256:00"), text("registry.example/a@sha256:01")],
        policies: vec![text("production"), text("everywhere")],
        signers: vec![text("FF00"), text("AA00"), text("FF00")],
        revision: text("r1"),
        ..Answer::default()
    };
    let reply = answer.clone().into_reply(Phase::Validate, asked());
    assert_eq!(reply.outcome.decision, Some(Decision::BreakGlass));
    assert_eq!(reply.outcome.reason.as_deref(), Some("shop is down"));
    assert_eq!(reply.outcome.signers, ["AA00", "FF00"]);
    assert_eq!(reply.outcome.would_deny, ["fresh.old", "registries.refused"]);
    let response = response(answer, Phase::Validate);
    assert!(response.get("status").is_none());
    let want = serde_json::json!({
        "decision": "break-glass",
        "images": "registry.example/b@sha256:00,registry.example/a@sha256:01",
        "codes": "",
        "wouldDeny": "fresh.old,registries.refused",
        "policies": "everywhere,production",
        "signers": "AA00,FF00",
        "revision": "r1",
    });
    assert_eq!(response["auditAnnotations"], want);
    for key in response["auditAnnotations"].as_object().unwrap().keys() {
        assert!(key.len() <= 63 && key.chars().all(|c| c.is_ascii_alphanumeric()), "{key}");
    }
    let many = (0..500).map(|n| format!("registry.example/{n}@sha256:{}", "0".repeat(64)));
    let answer = Answer { images: many.collect(), ..Answer::default() };
    let images = self::response(answer, Phase::Validate)["auditAnnotations"]["images"].to_string();
    assert!(images.len() <= 8192 && images.ends_with(",…\""), "{images}");
}

#[test]
fn p12_an_exemption_opens_nothing_that_is_violated() {
    for (exemption, allowed) in [
        (Exemption::Exception("OPS-17".to_owned()), Decision::Exception),
        (Exemption::BreakGlass("shop is down".to_owned()), Decision::BreakGlass),
    ] {
        let answer = Answer { exemption: Some(exemption), ..Answer::default() };
        assert_eq!(answer.decision(), allowed);
        let revoked = Answer { violations: vec![violation(Code::ImageRevoked)], ..answer };
        assert_eq!(revoked.decision(), Decision::Denied);
        assert_eq!(response(revoked, Phase::Validate)["allowed"], false);
    }
}

#[test]
fn p1_only_mutate_patches_and_only_what_it_allows() {
    let body = include_bytes!("../../fixtures/reviews/pod-create.mutate.json");
    let Ok(Change::Images(images)) = Review::parse(body).unwrap().change(500) else { panic!() };
    let pin = |image| Pin { image, pinned: format!("{}@sha256:{}", image.given, "0".repeat(64)) };
    let pins: Vec<_> = images.uses.iter().map(pin).collect();
    let answer = Answer { patch: Patch::new(images.workload, &pins), ..Answer::default() };
    let mutated = response(answer.clone(), Phase::Mutate);
    assert_eq!(mutated["patchType"], "JSONPatch");
    assert!(mutated["patch"].as_str().unwrap().len() > 100);
    let denied = Answer { violations: vec![violation(Code::ImageRevoked)], ..answer.clone() };
    for (name, response) in [
        ("validate", response(answer, Phase::Validate)),
        ("denied", response(denied, Phase::Mutate)),
        ("nothing to pin", response(Answer::default(), Phase::Mutate)),
    ] {
        assert!(response.get("patch").is_none(), "{name}");
        assert!(response.get("patchType").is_none(), "{name}: both or neither");
    }
}

#[test]
fn p13_a_review_that_is_too_large_is_denied_if_its_uid_was_read() {
    let body = include_bytes!("../../fixtures/reviews/pod-create.mutate.json");
    let denied = |beginning| {
        let too_large = violation(Code::ReviewTooLarge);
        Reply::denied(Phase::Validate, beginning, too_large, "r1")
    };
    let reply = denied(&body[..300]).unwrap();
    let review: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(review["response"]["uid"], "046f9cc5-2ca6-4625-9b99-a9d859616eff");
    assert_eq!(review["response"]["auditAnnotations"]["codes"], "review.too-large");
    assert_eq!(review["response"]["auditAnnotations"]["revision"], "r1");
    assert!(denied(&body[..60]).is_none());
}
