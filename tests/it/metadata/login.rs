//! P9: who we are to a registry, and that it is shown to nobody else.

use countersign_kit::{Auth, Users, base64};

use super::desk::Desk;

#[test]
fn p9_credentials_come_from_flags_the_environment_and_docker_login() {
    let desk = Desk::new();
    desk.registry.set_auth(Auth::Basic(Users::one("ci", "secret")));
    let user = ("REGISTRY_USERNAME", "ci");
    let password = ("REGISTRY_PASSWORD", "secret");
    for (name, line, variables, code, words) in [
        ("nobody", "", vec![], 1, "without a credential"),
        ("flags", "-u ci -p secret", vec![], 0, "other users can see"),
        ("a wrong password", "-u ci -p wrong", vec![], 1, "refuses the credential"),
        ("variables", "", vec![user, password], 0, ""),
        ("a flag over its variable", "-u ci", vec![("REGISTRY_USERNAME", "x"), password], 0, ""),
        ("no password, and nobody to ask", "-u ci", vec![], 2, "needs its password"),
        ("no user name", "-p secret", vec![], 2, "needs its user name"),
    ] {
        let ran = desk.run_with(&format!("list IMAGE {line}"), &variables, b"");
        assert_eq!(ran.code(), code, "{name}: {}", ran.stderr());
        assert!(ran.stderr().contains(words), "{name}: {}", ran.stderr());
        assert!(!ran.stderr().contains("secret"), "{name}: {}", ran.stderr());
    }
    let login = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"{}\"}}}}}}",
        desk.registry.host(),
        base64(b"ci:secret")
    );
    desk.write("config.json", login);
    desk.run("list IMAGE").good();
}
