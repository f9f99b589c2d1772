//! A shell with keys, a configuration and a registry.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use countersign_kit::{Content, Key, Registry, image, keyring_armored};
use serde_json::Value;
use tempfile::TempDir;

use crate::configuration::{authority, configuration};

/// A folder with the keys of QA (two people), one of a stranger, and a configuration by which QA
/// signs off.
pub struct Desk {
    pub registry: Registry,
    pub shop: Content,
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self {
            registry: Registry::start(),
            shop: image("shop").build(),
            folder: TempDir::new().unwrap(),
        };
        desk.registry.put_image("acme/shop", "latest", &desk.shop);
        let keys = ["ann", "bob", "stranger"]
            .map(|name| Key::generate(&format!("{name} <{name}@acme.example>")));
        let [ann, bob, stranger] = &keys;
        for (name, key) in [("ann", ann), ("bob", bob), ("stranger", stranger)] {
            desk.write(&format!("{name}.key"), key.secret_armored());
            desk.write(&format!("{name}.asc"), key.certificate_armored());
        }
        desk.write("qa.asc", keyring_armored(&[ann, bob]));
        let (host, qa) = (desk.registry.host(), authority("qa", "attests: [metadata/approval]"));
        desk.write(
            "countersign.yaml",
            configuration(
                &[&host],
                &qa,
                "approved",
                "{use: approved, parameters: {authorities: [qa]}}",
            ),
        );
        desk.write("yes.json", "{\"approved\": true}");
        desk
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `127.0.0.1:<port>/acme/shop`
    pub fn image(&self) -> String {
        format!("{}/acme/shop", self.registry.host())
    }

    /// `countersign metadata …`; `IMAGE` stands for [`Self::image`].
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[], b"")
    }

    pub fn run_with(&self, line: &str, variables: &[(&str, &str)], stdin: &[u8]) -> Ran {
        let line = line.replace("IMAGE", &self.image());
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("metadata")
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("DOCKER_CONFIG", self.folder.path())
            .env_remove("REGISTRY_USERNAME")
            .env_remove("REGISTRY_PASSWORD")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads no stdin may be gone.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        Ran(child.wait_with_output().unwrap())
    }

    /// Whether the webhook would admit the image, and what it says.
    pub fn verify(&self) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["verify", &self.image(), "--config", "countersign.yaml"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let ran = Ran(output);
        (ran.code() == 0, ran.stdout() + &ran.stderr())
    }
}

/// What a command did.
pub struct Ran(Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0.stdout
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout(), self.stderr()))
    }

    /// Fails the test unless it went well.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self
    }

    /// Fails the test unless it failed with this code and, among others, these words.
    #[track_caller]
    pub fn bad(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code(), code, "{}{}", self.stdout(), self.stderr());
        assert!(self.stderr().contains(words), "{words}: {}", self.stderr());
        assert!(!self.stderr().contains("panicked"), "{}", self.stderr());
        self
    }
}
