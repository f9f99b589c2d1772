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

/// Kinds of keys that podman reads and lets nothing in by, and one that it lets in by.
#[test]
fn keys_of_other_kinds_let_nothing_in() {
    let key = STANDARD.encode(OPENPGP);
    let nothing = json!([{"use": "registries", "parameters": {"allow": ["nothing.invalid/**"]}}]);
    let signed = json!([{"use": "attested", "parameters": {"authorities": ["a-example"]}}]);
    for (name, requirement, rules, remark) in [
        ("GPG keys", r#""signedBy", "keyType": "GPGKeys""#, &signed, None),
        (
            "signed by GPG keys",
            r#""signedBy", "keyType": "signedByGPGKeys""#,
            &nothing,
            Some(
                "a.example: only keys of the kind GPGKeys are read here, and these are signedByGPGKeys",
            ),
        ),
        (
            "certificates",
            r#""signedBy", "keyType": "X509Certificates""#,
            &nothing,
            Some("and these are X509Certificates, so nothing is let in"),
        ),
        (
            "authorities of certificates",
            r#""signedBy", "keyType": "signedByX509CAs""#,
            &nothing,
            Some("and these are signedByX509CAs, so nothing is let in"),
        ),
        (
            "a base layer",
            r#""signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}"#,
            &nothing,
            Some("podman itself lets nothing in by `signedBaseLayer`"),
        ),
    ] {
        let text = format!(
            r#"{{"default": [{{"type": "reject"}}], "transports": {{"docker": {{"a.example": [{{"type": {requirement}, "keyData": "{key}"}}]}}}}}}"#
        );
        let translation = from(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let config = loaded(name, &translation);
        assert_eq!(config["policies"][0]["rules"], *rules, "{name}");
        let told = |remark: &str| translation.remarks.iter().any(|told| told.contains(remark));
        assert!(remark.is_none_or(told), "{name}: {:#?}", translation.remarks);
        let denies =
            |told: &&String| told.contains("nothing is let in") || told.contains("lets nothing in");
        let denials = translation.remarks.iter().filter(denies).count();
        assert_eq!(denials, usize::from(remark.is_some()), "{name}: {:#?}", translation.remarks);
    }
}

/// Two authorities of Kritis' with one key, as one file or written otherwise, load, asked one by one.
#[test]
fn p10_authorities_of_one_key_are_asked_one_by_one() {
    let wrapped = STANDARD.encode(OPENPGP);
    let spaced = STANDARD.encode(format!("{OPENPGP}\n"));
    let authority = |name: &str, note: &str, key: &str| {
        format!(
            "apiVersion: kritis.grafeas.io/v1beta1\nkind: AttestationAuthority\n\
             metadata: {{name: {name}, namespace: prod}}\n\
             spec: {{noteReference: projects/acme/notes/{note}, publicKeys: [{{asciiArmoredPgpPublicKey: {key}}}]}}\n---\n"
        )
    };
    let policy = |name: &str, authorities: &str| {
        format!(
            "apiVersion: kritis.grafeas.io/v1beta1\nkind: GenericAttestationPolicy\n\
             metadata: {{name: {name}, namespace: prod}}\n\
             spec: {{attestationAuthorityNames: [{authorities}]}}\n---\n"
        )
    };
    let asked = |name: &str| json!({"use": "attested", "parameters": {"authorities": [name]}});
    let both = json!([asked("built"), asked("qa")]);
    let two = |second: &str| authority("built", "built", &wrapped) + &authority("qa", "qa", second);
    let one_of = "one had to be met, here all must be";
    let same = "hold the same key";
    for (name, file, rules, shared, remark) in [
        (
            "one file",
            two(&wrapped) + &policy("all", "built, qa"),
            vec![both.clone()],
            true,
            Some(same),
        ),
        ("two files", two(&spaced) + &policy("all", "built, qa"), vec![both], true, Some(same)),
        (
            "either",
            two(&wrapped) + &policy("one", "built") + &policy("two", "qa"),
            vec![json!([asked("built")]), json!([asked("qa")])],
            true,
            Some(one_of),
        ),
        (
            "one by two names",
            authority("built", "built", &wrapped)
                + &authority("qa", "built", &wrapped)
                + &policy("all", "built, qa"),
            vec![json!([asked("built")])],
            false,
            None,
        ),
    ] {
        let translation = from(&file).unwrap();
        let config = loaded(name, &translation);
        let policies = config["policies"].as_array().unwrap();
        let got: Vec<_> = policies.iter().map(|policy| policy["rules"].clone()).collect();
        assert_eq!(got, rules, "{name}");
        assert_eq!(config["authorities"][0]["sharedKey"] == true, shared, "{name}");
        for text in [same, one_of] {
            let told = translation.remarks.iter().any(|told| told.contains(text));
            assert_eq!(told, remark == Some(text), "{name}: {:#?}", translation.remarks);
        }
    }
}
