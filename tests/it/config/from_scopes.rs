//! Scopes of other tools that our patterns cannot say: they become denials.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::config::from::from;
use serde_json::json;

use super::from::{OPENPGP, loaded};

#[test]
fn nothing_comes_in_that_podman_kept_out() {
    let accept = r#"[{"type": "insecureAcceptAnything"}]"#;
    let tag = format!(
        r#"{{"default": [{{"type": "reject"}}], "transports": {{"docker": {{"a.example/b:1": {accept}}}}}}}"#
    );
    let tag = from(&tag).unwrap();
    let config = loaded("one tag", &tag);
    assert_eq!(
        config["policies"][0]["rules"][0]["parameters"]["allow"],
        json!(["nothing.invalid/**"])
    );
    assert!(tag.remarks.iter().any(|remark| remark.contains("cannot be let in alone")), "{tag:?}");

    let subdomains = format!(
        r#"{{"default": {accept}, "transports": {{"docker": {{"*.example.com": [{{"type": "reject"}}]}}}}}}"#
    );
    let subdomains = from(&subdomains).unwrap();
    assert_eq!(loaded("subdomains", &subdomains)["unmatched"], "deny");
    assert!(subdomains.remarks.iter().any(|remark| remark.contains("one label")), "{subdomains:?}");
}

/// What a person was sent to carry over, and did not write.
#[test]
fn p8_hostile_files_are_refused_or_write_nothing_elsewhere() {
    let key = STANDARD.encode(OPENPGP);
    let scope = |name: &str| {
        format!(
            r#"{{"default": [{{"type": "reject"}}], "transports": {{"docker": {{"{name}": [{{"type": "signedBy", "keyType": "GPGKeys", "keyData": "{key}"}}]}}}}}}"#
        )
    };
    for name in
        ["../../etc/cron.d/x", "/etc/x", "a.example/..", "a.example/\\u0000", "keys/../x", "é", "-"]
    {
        let translation = from(&scope(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for path in translation.draft.files.keys() {
            let file = path.strip_prefix("keys/").unwrap_or_else(|| panic!("{name}: {path}"));
            assert!(!file.contains(['/', '\\', '\0']) && !file.starts_with('.'), "{name}: {path}");
        }
    }
    let bomb = (1..12).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, at| {
        let alias = format!("*a{}, ", at - 1).repeat(10);
        format!("{text}a{at}: &a{at} [{alias}x]\n")
    });
    let deep = format!("{{\"default\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let twice =
        r#"{"default": [{"type": "reject"}], "default": [{"type": "insecureAcceptAnything"}]}"#;
    for (name, text) in [("a bomb", bomb.as_str()), ("deep", &deep), ("a member twice", twice)] {
        let error = from(text).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("it is neither JSON nor YAML"), "{name}: {error}");
    }
}

/// A file that was cut off or damaged is refused, or lets in no more than the whole one.
#[test]
fn damaged_files_never_let_more_in() {
    let reject = r#"[{"type": "reject"}]"#;
    let policy = format!(
        r#"{{"default": {reject}, "transports": {{"docker": {{"a.example/b": {reject}, "a.example/c": [{{"type": "insecureAcceptAnything"}}]}}}}}}"#
    );
    let whole = from(&policy).unwrap();
    assert_eq!(loaded("whole", &whole)["unmatched"], "deny");
    for end in 0..policy.len() {
        assert!(from(&policy[..end]).is_err(), "cut off behind {end} bytes");
    }
    for at in 0..policy.len() {
        for mask in [0x01, 0x04, 0x20] {
            let mut twin = policy.clone().into_bytes();
            twin[at] ^= mask;
            let Ok(text) = String::from_utf8(twin) else { continue };
            let Ok(translation) = from(&text) else { continue };
            assert_eq!(translation.draft.unmatched, "deny", "byte {at} ^ {mask:#x}: {text}");
        }
    }
}
