use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

use super::{attempt, binary, isolated, run, seen, version_in};

/// cosign with a folder for its keys, which have no passwords; it talks to registries alone.
pub struct Cosign {
    home: TempDir,
}

/// Where cosign leaves what it signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// As a referrer, a bundle of Sigstore's.
    Bundle,
    /// Under the tags `sha256-<hex>.sig` and `sha256-<hex>.att`, as before version 3.
    Tags,
}

/// Neither a transparency log nor a signing configuration, which would come from the network.
const SIGN: [&str; 3] = ["--yes", "--use-signing-config=false", "--tlog-upload=false"];

impl Cosign {
    pub fn new() -> Self {
        let cosign = Self { home: TempDir::new().unwrap() };
        let version = run(cosign.command().arg("version"));
        let (_, version) = version.split_once("GitVersion:").unwrap();
        seen("cosign", version_in(version));
        cosign
    }

    /// Makes a pair `<name>.key`, `<name>.pub`.
    pub fn generate(&self, name: &str) {
        run(self.command().args(["generate-key-pair", "--output-key-prefix", name]));
    }

    /// Makes the same of a private key in PEM.
    pub fn import(&self, name: &str, pem: &str) {
        std::fs::write(self.path("imported.pem"), pem).unwrap();
        let import = ["import-key-pair", "--key", "imported.pem", "--output-key-prefix", name];
        run(self.command().args(import));
    }

    /// Signs an image, named by its digest.
    pub fn sign(&self, key: &str, carrier: Carrier, image: &str) {
        let key = format!("{key}.key");
        let mut command = self.command();
        command.arg("sign").args(SIGN).args(carrier.flag()).args(["--key", &key, image]);
        run(&mut command);
    }

    /// Signs a statement about an image, of a type by cosign's name for it.
    pub fn attest(&self, key: &str, carrier: Carrier, kind: &str, predicate: &str, image: &str) {
        std::fs::write(self.path("predicate.json"), predicate).unwrap();
        let key = format!("{key}.key");
        let mut command = self.command();
        command.arg("attest").args(SIGN).args(carrier.flag()).args(["--key", &key]);
        run(command.args(["--type", kind, "--predicate", "predicate.json", image]));
    }

    /// Whether cosign accepts a signature of an image by this key.
    pub fn verify(&self, key: &str, carrier: Carrier, image: &str) -> Result<String, String> {
        attempt(self.verifying("verify", key, carrier).arg(image))
    }

    /// Whether cosign accepts a statement of this type about an image by this key.
    pub fn verify_attestation(
        &self,
        key: &str,
        carrier: Carrier,
        kind: &str,
        image: &str,
    ) -> Result<String, String> {
        let mut command = self.verifying("verify-attestation", key, carrier);
        attempt(command.args(["--type", kind, image]))
    }

    /// A file among its keys.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn verifying(&self, how: &str, key: &str, carrier: Carrier) -> Command {
        let mut command = self.command();
        command.arg(how).args(carrier.flag());
        command.args(["--insecure-ignore-tlog=true", "--key", &format!("{key}.pub")]);
        command
    }

    fn command(&self) -> Command {
        let mut command = isolated(binary("cosign"), self.home.path());
        command.current_dir(self.home.path()).env("COSIGN_PASSWORD", "");
        command
    }
}

impl Carrier {
    fn flag(self) -> Option<&'static str> {
        (self == Self::Tags).then_some("--new-bundle-format=false")
    }
}
