//! Scopes of other tools that our patterns cannot say: they become denials.

use countersign::config::from::from;
use serde_json::json;

use super::from::loaded;

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
