//! `docs/sign.md`: the commands on keeping keys, as they are written there.

use std::process::Command;

use crate::{
    cli::{Desk, stderr, stdout},
    peer::GnuPg,
};

#[test]
#[ignore = "needs gpg"]
fn keys_are_kept_and_exchanged_as_the_documentation_says() {
    let page = include_str!("../../../docs/sign.md");
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5, "{}", blocks.len());
    let (desk, gpg) = (Desk::new(), GnuPg::new());
    // A person would be asked; here there is nobody.
    let answers = "batch\npinentry-mode loopback\npassphrase \"\"\n";
    std::fs::write(gpg.home().join("gpg.conf"), answers).unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &blocks.concat()])
        .current_dir(desk.path("."))
        .env("PATH", path)
        .env("GNUPGHOME", gpg.home())
        .env("DOCKER_CONFIG", desk.path("."))
        .env("IMAGE", desk.by_digest())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let attached = stdout(&output).lines().filter(|line| line.contains("@sha256:")).count();
    assert_eq!(attached, 3, "one by each subkey and the next key's: {}", stdout(&output));
    assert!(stderr(&output).contains("unchanged: "), "{}", stderr(&output));
    assert!(stdout(&output).contains("revoked"), "{}", stdout(&output));
}
