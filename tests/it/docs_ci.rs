//! The recipes of docs/ci.md: their shell is run as it stands there.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;

use crate::cli::{Desk, stderr, stdout};

/// The text of a section's code block.
fn block(section: &str, language: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap();
    let of = |text: &str, start: &str, end: &str| {
        let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{section}: no {start}"));
        rest.split_once(end).unwrap_or_else(|| panic!("{section}: no end")).0.to_owned()
    };
    let section = of(&text, &format!("\n## {section}\n"), "\n## ");
    of(&section, &format!("```{language}\n"), "\n```")
}

fn yaml(section: &str) -> Value {
    serde_saphyr::from_str(&block(section, "yaml")).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The step `sign` of each recipe, and the recorded environment that it runs in.
fn recipes(desk: &Desk) -> [(&'static str, &'static str, String); 4] {
    let github = yaml("GitHub Actions");
    let gitlab = yaml("GitLab CI");
    let lines = gitlab["sign"]["script"].as_array().unwrap().iter().map(text);
    let tekton = text(&yaml("Tekton")["spec"]["steps"][1]["script"])
        .replace("$(params.image)", &format!("{}/acme/shop", desk.registry.host()))
        .replace("$(params.grafeas)", &desk.grafeas.url())
        .replace("$(workspaces.signing-key.path)", &desk.path("keys").to_string_lossy())
        .replace("$(context.taskRun.namespace)", "ci")
        .replace("$(context.taskRun.name)", "build-and-sign-x7k2p")
        .replace("/tekton/results", &desk.path("results").to_string_lossy());
    let jenkins = block("Jenkins", "groovy");
    let (_, rest) = jenkins.split_once("sh '''").unwrap();
    let jenkins = rest.split_once("'''").unwrap().0.to_owned();
    [
        ("GitHub Actions", "github-push.env", text(&github["jobs"]["image"]["steps"][2]["run"])),
        ("GitLab CI", "gitlab-branch.env", lines.collect::<Vec<_>>().join("\n")),
        ("Tekton", "", tekton),
        ("Jenkins", "jenkins-multibranch.env", jenkins),
    ]
}

/// What the steps before would have left behind.
fn leave(desk: &Desk) {
    let (image, digest) = (format!("{}/acme/shop", desk.registry.host()), desk.shop.digest());
    for folder in ["bin", "keys", "results"] {
        fs::create_dir_all(desk.path(folder)).unwrap();
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_countersign"), desk.path("bin/countersign"))
        .unwrap();
    fs::copy(desk.path("builder.key"), desk.path("keys/ci.key")).unwrap();
    desk.write("started", "2026-11-20T08:00:00Z\n");
    desk.write(
        "metadata.json",
        &format!("{{\"containerimage.digest\":\"{digest}\",\"image.name\":\"{image}:1.4\"}}"),
    );
    desk.write("results/IMAGE_URL", &image);
    desk.write("results/IMAGE_DIGEST", &digest);
    desk.write("results/CHAINS-GIT_URL", "https://ci:t0ken@git.example/acme/shop.git\n");
    desk.write("results/CHAINS-GIT_COMMIT", "ffac537e6cbbf934b08745a378932722df287a53\n");
}

#[test]
fn the_shell_of_every_recipe_signs_and_records() {
    for number in 0..4 {
        let desk = Desk::new();
        leave(&desk);
        let (name, environment, script) = recipes(&desk)[number].clone();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ci").join(environment);
        let recorded =
            if environment.is_empty() { String::new() } else { fs::read_to_string(file).unwrap() };
        let mut variables: BTreeMap<String, String> = recorded
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let key = desk.path("builder.key");
        let path = std::env::var("PATH").unwrap_or_default();
        variables.extend(
            [
                ("IMAGE", format!("{}/acme/shop", desk.registry.host())),
                ("GRAFEAS", desk.grafeas.url()),
                ("KEY", key.to_string_lossy().into_owned()),
                ("CI_PASSPHRASE", String::new()),
                ("PATH", format!("{}:{path}", desk.path("bin").display())),
                ("HOME", desk.path(".").to_string_lossy().into_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        // GitHub hands over the key's text, GitLab the name of a file.
        let key =
            if number == 0 { fs::read_to_string(&key).unwrap() } else { variables["KEY"].clone() };
        variables.insert("CI_SIGNING_KEY".into(), key);
        // The recipes expect the notes to be there.
        let noted = desk.run(&[
            "sign",
            &desk.by_digest(),
            "--key",
            "builder.key",
            "--build",
            "--store",
            &desk.grafeas.url(),
            "--note",
            "projects/acme/notes/built",
            "--create-note",
        ]);
        assert!(noted.status.success(), "{}", stderr(&noted));
        let ran = Command::new("sh")
            .args(["-euc", &script])
            .current_dir(desk.path("."))
            .env_clear()
            .envs(&variables)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{name}: {}", stderr(&ran));
        // The signature and the record, each attached and filed, and the BUILD occurrence.
        assert_eq!(stdout(&ran).lines().count(), 5, "{name}: {}{}", stdout(&ran), stderr(&ran));
        let said = format!("{}{}", stdout(&ran), stderr(&ran));
        for secret in ["secret", "t0ken", "hunter2"] {
            assert!(!said.contains(secret), "{name}: {said}");
        }
        assert!(!said.contains("--source"), "{name}: the source is known: {said}");
        assert!(!said.contains("--builder-id"), "{name}: the builder is known: {said}");
    }
}
