//! The commands from a shell: what they print, where, and how they exit.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use countersign_kit::{Content, Grafeas, Key, Registry, image};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::configuration::{attesting, stores};

const NOTE: &str = "projects/build/notes/built";

/// A folder with a key, a configuration, and the peers that it names.
pub struct Desk {
    folder: TempDir,
    pub registry: Registry,
    pub grafeas: Grafeas,
    pub shop: Content,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self {
            folder: TempDir::new().unwrap(),
            registry: Registry::start(),
            grafeas: Grafeas::start(),
            shop: image("shop").build(),
        };
        desk.registry.put_image("acme/shop", "1.4", &desk.shop);
        let generated = desk.run(&[
            "keys",
            "generate",
            "--user",
            "Builder <b@acme.example>",
            "--out",
            "builder",
        ]);
        assert!(generated.status.success(), "{}", stderr(&generated));
        let (host, store) = (desk.registry.host(), desk.grafeas.url());
        desk.write(
            "countersign.yaml",
            &(stores(&store) + &attesting(&host, "builder", &format!("note: {NOTE}"))),
        );
        desk
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(arguments).envs(variables.iter().copied()).output().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("COUNTERSIGN_CONFIG")
            .env_remove("REGISTRY_USERNAME")
            .env_remove("REGISTRY_PASSWORD")
            .env("DOCKER_CONFIG", self.folder.path())
            .env("CI_KEY", fs::read_to_string(self.path("builder.key")).unwrap_or_default());
        command
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn by_tag(&self) -> String {
        format!("{}/acme/shop:1.4", self.registry.host())
    }

    pub fn by_digest(&self) -> String {
        format!("{}/acme/shop@{}", self.registry.host(), self.shop.digest())
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn signed_to_both_places_verified_and_never_twice() {
    let desk = Desk::new();
    let image = desk.by_digest();
    let denied = desk.run(&["verify", &image, "--config", "countersign.yaml"]);
    assert_eq!(denied.status.code(), Some(1), "{}", stderr(&denied));
    assert!(stdout(&denied).contains("(attested.missing)"), "{}", stdout(&denied));
    let unknown = format!("note: the store grafeas knows no {NOTE}");
    assert!(stderr(&denied).contains(&unknown), "{}", stderr(&denied));

    let store = desk.grafeas.url();
    let sign = [
        "sign",
        &image,
        "--key",
        "env:CI_KEY",
        "--store",
        &store,
        "--note",
        NOTE,
        "--create-note",
        "--attach",
    ];
    let signed = desk.run(&sign);
    assert!(signed.status.success(), "{}", stderr(&signed));
    assert_eq!(stdout(&signed).lines().count(), 2, "{}", stdout(&signed));

    let again = desk.run(&sign);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(stdout(&again), "", "nothing is published twice");
    assert_eq!(stderr(&again).matches("unchanged: ").count(), 2, "{}", stderr(&again));
    assert_eq!(desk.grafeas.occurrences().len(), 1);

    let arguments = ["verify", &desk.by_tag(), "--config", "countersign.yaml", "-o", "json"];
    let verified = desk.run(&arguments);
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
    let rows: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(rows[0]["allowed"], true);
    assert_eq!(rows[0]["reference"], image);
    assert_eq!(rows[0]["attestations"].as_array().unwrap().len(), 2);
    assert_eq!(rows[0]["lookups"]["grafeas"], "found");
    assert_eq!(rows[0]["notes"], json!([]), "the note is there now");

    let evidence = desk.run(&["evidence", &image, "--config", "countersign.yaml"]);
    assert!(evidence.status.success(), "{}", stderr(&evidence));
    let input: Value = serde_json::from_slice(&evidence.stdout).unwrap();
    assert_eq!(input["images"][0]["attestations"][0]["authority"], "builder");
    let problems = crate::schema::problems(countersign::policy::INPUT_SCHEMA, "input", &input);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn a_statement_is_signed_and_found() {
    let desk = Desk::new();
    let config = fs::read_to_string(desk.path("countersign.yaml")).unwrap();
    let attests = "attests: [\"https://slsa.dev/provenance/v1\"], note:";
    desk.write("countersign.yaml", &config.replace("note:", attests));
    desk.write("provenance.json", r#"{"buildDefinition": {"buildType": "make"}}"#);
    let (image, store) = (desk.by_digest(), desk.grafeas.url());
    let signed = desk.run(&[
        "sign",
        &image,
        "--key",
        "builder.key",
        "--predicate",
        "provenance.json",
        "--type",
        "provenance",
        "--attach",
        "--store",
        &store,
        "--note",
        NOTE,
        "--create-note",
    ]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let evidence = desk.run(&["evidence", &image, "--config", "countersign.yaml"]);
    let input: Value = serde_json::from_slice(&evidence.stdout).unwrap();
    let attestations = input["images"][0]["attestations"].as_array().unwrap();
    assert_eq!(attestations.len(), 2, "{input:#}");
    for attestation in attestations {
        assert_eq!(attestation["predicate"]["buildDefinition"]["buildType"], "make");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_right_exit_code() {
    let desk = Desk::new();
    let (image, tag) = (desk.by_digest(), desk.by_tag());
    desk.write("empty.key", "");
    desk.write("typo.yaml", "regsitries: {}\nunmatched: deny\n");
    let expired = Key::options("Old <old@acme.example>").expired().generate();
    desk.write("expired.key", &expired.secret_armored());
    let unreachable = "http://127.0.0.1:1";
    for (name, arguments, code, want) in [
        ("no command", &[][..], 2, "Usage: countersign"),
        (
            "a tag",
            &["sign", &tag, "--key", "builder.key", "--attach"],
            2,
            "is a tag, which may move",
        ),
        ("no manifest", &["verify", "-f", "gone.yaml", "--config", "countersign.yaml"], 2, "gone"),
        ("nowhere to", &["sign", &image, "--key", "builder.key"], 2, "give --attach, or --store"),
        (
            "no key file",
            &["sign", &image, "--key", "none.key", "--attach"],
            1,
            "cannot read the key from none.key",
        ),
        ("an empty key", &["sign", &image, "--key", "empty.key", "--attach"], 1, "no secret key"),
        (
            "a certificate",
            &["sign", &image, "--key", "builder.asc", "--attach"],
            1,
            "without its secret key",
        ),
        ("an expired key", &["sign", &image, "--key", "expired.key", "--attach"], 1, "has expired"),
        (
            "no store",
            &["sign", &image, "--key", "builder.key", "--store", unreachable, "--note", NOTE],
            1,
            "could not be reached",
        ),
        (
            "no note",
            &[
                "sign",
                &image,
                "--key",
                "builder.key",
                "--store",
                &desk.grafeas.url(),
                "--note",
                NOTE,
            ],
            1,
            "make it with --create-note",
        ),
        (
            "no such type",
            &[
                "sign",
                &image,
                "--key",
                "builder.key",
                "--attach",
                "--predicate",
                "p",
                "--type",
                "provenence",
            ],
            2,
            "is no predicate type",
        ),
        (
            "no config",
            &["verify", &image, "--config", "none.yaml"],
            2,
            "error: none.yaml: cannot be read",
        ),
        ("a typo", &["config", "check", "typo.yaml"], 2, "registries"),
        ("a key as a keyring", &["keys", "inspect", "empty.key"], 1, "empty.key cannot be used"),
    ] {
        let output = desk.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(want), "{name}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{name}: {}", stderr(&output));
    }
}

#[test]
fn secrets_are_for_their_owner_and_not_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let mode = fs::metadata(desk.path("builder.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = desk.run(&["keys", "generate", "--user", "B", "--out", "builder"]);
    assert_eq!(again.status.code(), Some(1), "{}", stderr(&again));
    let inspected = desk.run(&["keys", "inspect", "builder.asc"]);
    assert!(stdout(&inspected).contains("Builder <b@acme.example>"), "{}", stdout(&inspected));
}

#[test]
fn manifests_are_judged_where_they_lie() {
    let desk = Desk::new();
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\n\
         spec: {{template: {{spec: {{containers: [{{name: shop, image: \"{}\"}}]}}}}}}\n",
        desk.by_tag()
    );
    desk.write("deploy.yaml", &manifest);
    let denied = desk.run(&["verify", "-f", "deploy.yaml", "--config", "countersign.yaml"]);
    assert_eq!(denied.status.code(), Some(1), "{}", stderr(&denied));
    assert!(
        stdout(&denied).contains("spec.template.spec.containers[0].image"),
        "{}",
        stdout(&denied)
    );
}

#[test]
fn every_page_of_help_has_an_example_that_parses() {
    use clap::CommandFactory as _;
    let mut examples = 0;
    for command in countersign::cli::Cli::command().get_subcommands() {
        let nested: Vec<_> = command.get_subcommands().collect();
        for leaf in if nested.is_empty() { vec![command] } else { nested } {
            let help = leaf.get_long_about().map(ToString::to_string).unwrap_or_default();
            let lines = help.lines().filter_map(|line| line.trim().strip_prefix("Example: "));
            let before = examples;
            for line in lines {
                must_parse(line);
                examples += 1;
            }
            assert!(examples > before, "{} has no example", leaf.get_name());
        }
    }
    assert!(examples >= 20, "{examples}");
}

/// Fails the test unless a line of documentation is a command of ours with its arguments.
#[track_caller]
pub fn must_parse(line: &str) {
    use clap::Parser as _;
    let whole = line
        .replace("sha256:3b1c…", &format!("sha256:{}", "3b".repeat(32)))
        .replace("$IMAGE@$DIGEST", &format!("r.example/a@sha256:{}", "3b".repeat(32)))
        .replace("$GRAFEAS", "https://grafeas.example");
    if let Err(error) = countersign::cli::Cli::try_parse_from(shell_words(&whole)) {
        panic!("{line}: {error}");
    }
}

/// Splits a line as a shell does, as far as the examples need: quotes, and what a comment or a
/// redirection ends.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split(['"', '\'']).enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            if word.starts_with(['#', '>', '|']) {
                return words;
            }
            words.push(word.to_owned());
        }
    }
    words
}
