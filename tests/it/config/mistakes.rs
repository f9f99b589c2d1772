//! What is wrong beside single values: several mistakes at once, shared keys, the file itself.

use countersign_kit::keyring;

use super::folder::{Folder, MINIMAL, SERVE, key};

#[test]
fn all_mistakes_are_told_at_once_by_line() {
    let folder = Folder::new();
    let text = SERVE
        .replace("notes/built", "notes/")
        .replace("keys/legacy.asc", "keys/gone.asc")
        .replace("mirror.example/cache", "mirror example")
        .replace("acme:oncall", "system:authenticated");
    folder.write("serve.yaml", text);
    let errors = folder.load("serve.yaml").err().unwrap();
    let lines: Vec<_> = errors.iter().map(|error| error.split(' ').next().unwrap()).collect();
    assert_eq!(lines, ["serve.yaml:29:", "serve.yaml:52:", "serve.yaml:62:", "serve.yaml:91:"]);
}

#[test]
fn p3_authorities_may_share_keys_only_if_both_say_so() {
    let folder = Folder::new();
    let shared = key("shared");
    folder.write("a.asc", shared.certificate_armored());
    folder.write("b.asc", keyring(&[&key("other"), &shared]));
    let with = |first: &str, second: &str, rule: &str| {
        let authorities = format!(
            "  - {{name: a, keys: [{{openpgp: a.asc}}]{first}}}\n  \
             - {{name: b, keys: [{{openpgp: b.asc}}]{second}}}\n  - {{name: qa"
        );
        let text = MINIMAL.replacen("  - {name: qa", &authorities, 1);
        folder.write("minimal.yaml", text.replace("authorities: [qa]", rule));
        folder.load("minimal.yaml").err().unwrap_or_default().join("\n")
    };
    let (yes, one) = (", sharedKey: true", "authorities: [a]");
    assert_eq!(with(yes, yes, one), "");
    for (first, second) in [("", ""), (yes, ""), ("", yes)] {
        let error = with(first, second, one);
        assert!(
            error.starts_with("minimal.yaml:9: authorities \"a\" and \"b\" hold the same key "),
            "{error}"
        );
        assert!(error.ends_with("or say `sharedKey: true` on both"), "{error}");
    }
    assert_eq!(
        with(yes, yes, "authorities: [a, b]"),
        "minimal.yaml:12: authorities \"a\" and \"b\" of one rule hold the same key, so that two \
         are no more than one; name only one of them"
    );
}

#[test]
fn the_file_itself() {
    let folder = Folder::new();
    let errors = folder.load("gone.yaml").err().unwrap();
    assert_eq!(
        errors,
        ["gone.yaml: cannot be read; check the path and its permissions: \
          No such file or directory (os error 2)"]
    );
    folder.write("binary.yaml", [0xff, 0xfe, 0]);
    assert_eq!(folder.load("binary.yaml").err().unwrap(), ["binary.yaml: is no UTF-8 text"]);
    folder.write("empty.yaml", "");
    let errors = folder.load("empty.yaml").err().unwrap();
    assert_eq!(errors.len(), 3, "{errors:#?}");
}

#[test]
fn a_docker_configuration_that_leaves_its_secrets_to_a_program_is_refused() {
    let folder = Folder::new();
    for (text, want) in [
        (r#"{"auths": {}}"#, None),
        (r#"{"credsStore": "", "credHelpers": {}}"#, None),
        (r#"{"auths": {"registry.example": {}}, "credsStore": "desktop"}"#, Some("desktop")),
        (r#"{"credHelpers": {"registry.example": "ecr-login"}}"#, Some("ecr-login")),
    ] {
        folder.write("creds/config.json", text);
        let errors = folder.load("serve.yaml").err().unwrap_or_default();
        let want = want.map(|helper| {
            format!(
                "serve.yaml:27: creds/config.json: leaves credentials to docker-credential-{helper}, \
                 a program that is not run here; name a file that holds them, such as a pull secret"
            )
        });
        assert_eq!(errors, Vec::from_iter(want), "{text}");
    }
}
