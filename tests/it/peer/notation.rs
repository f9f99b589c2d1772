use std::{path::PathBuf, process::Command};

use countersign_kit::Notary;
use serde_json::json;
use tempfile::TempDir;

use super::{attempt, binary, isolated, run, seen, version_in};

/// Notation with a key and a certificate of its own, which it trusts everywhere.
pub struct Notation {
    home: TempDir,
}

impl Notation {
    pub fn new() -> Self {
        let notation = Self { home: TempDir::new().unwrap() };
        let version = run(notation.command().arg("version"));
        let (_, version) = version.split_once("Version:").unwrap();
        seen("notation", version_in(version));
        run(notation.command().args(["cert", "generate-test", "--default", "acme.example"]));
        let policy = json!({"version": "1.0", "trustPolicies": [{
            "name": "acme",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:acme.example"],
            "trustedIdentities": ["*"],
        }]});
        let file = notation.home.path().join("notation/trustpolicy.json");
        std::fs::write(file, policy.to_string()).unwrap();
        notation
    }

    /// The same with a key under a root, by an authority between them.
    pub fn certified() -> Self {
        let notation = Self::new();
        let chain = Notary::made(vec![
            Notary::leaf(),
            Notary::issuer("acme builders"),
            Notary::issuer("acme root"),
        ]);
        let home = notation.home.path().join("notation");
        let (key, certificates) = (home.join("certified.key"), home.join("certified.crt"));
        std::fs::write(&key, chain.secret_pem()).unwrap();
        std::fs::write(&certificates, chain.chain_pem()).unwrap();
        std::fs::write(notation.root(), chain.root_pem()).unwrap();
        let keys = json!({"default": "certified", "keys": [
            {"name": "certified", "keyPath": key, "certPath": certificates},
        ]});
        std::fs::write(home.join("signingkeys.json"), keys.to_string()).unwrap();
        notation
    }

    /// The root that it trusts.
    pub fn root(&self) -> PathBuf {
        self.home.path().join("notation/truststore/x509/ca/acme.example/acme.example.crt")
    }

    /// Signs an image, named by its digest.
    pub fn sign(&self, image: &str) {
        run(self.command().args(["sign", "--insecure-registry", image]));
    }

    /// Whether Notation accepts a signature of an image.
    pub fn verify(&self, image: &str) -> Result<String, String> {
        attempt(self.command().args(["verify", "--insecure-registry", image]))
    }

    fn command(&self) -> Command {
        isolated(binary("notation"), self.home.path())
    }
}
