//! A folder with everything that `serve.yaml` and `minimal.yaml` name.

use std::{fs, path::PathBuf, time::Duration};

use countersign::config::{Config, Purpose};
use countersign_kit::{Ca, Key, PkixKey, keyring};

pub const SERVE: &str = include_str!("../../../fixtures/config/serve.yaml");
pub const MINIMAL: &str = include_str!("../../../fixtures/config/minimal.yaml");
pub const REVIEWED: &str = include_str!("../../../fixtures/config/reviewed.rego");

/// The folder, which goes away with it, and the keys in it.
pub struct Folder {
    folder: tempfile::TempDir,
    pub builder: Key,
    pub qa: Key,
}

impl Folder {
    /// With both files as written, and new keys and certificates.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (builder, qa, legacy) = (key("builder"), key("qa"), key("legacy"));
        let new = Self { folder, builder, qa };
        let ca = Ca::new();
        let (server, client) = (ca.server(&["countersign.countersign.svc"]), ca.client("gate"));
        for name in ["tls/client-ca.crt", "tls/registry-ca.crt", "tls/grafeas-ca.crt"] {
            new.write(name, ca.pem());
        }
        for folder in ["", "tls/"] {
            new.write(&format!("{folder}tls.crt"), &server.certificate);
            new.write(&format!("{folder}tls.key"), &server.key);
        }
        new.write("tls/grafeas-client.crt", &client.certificate);
        new.write("tls/grafeas-client.key", &client.key);
        new.write("creds/config.json", r#"{"auths": {}}"#);
        new.write("creds/password", "not a secret");
        new.write("keys/builder.asc", new.builder.certificate_armored());
        new.write("keys/legacy.asc", keyring(&[&legacy]));
        for file in ["qa.asc", "keys/qa.asc"] {
            new.write(file, new.qa.certificate_armored());
        }
        new.write("keys/qa.pem", PkixKey::generate().public_pem());
        new.write("policies/reviewed.rego", REVIEWED);
        new.write("serve.yaml", SERVE);
        new.write("minimal.yaml", MINIMAL);
        new
    }

    /// Where a file of that name is.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file there.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Loads a file; on failure all errors with their causes, the folder's own path left out.
    pub fn load(&self, name: &str) -> Result<Config, Vec<String>> {
        Config::load(&self.at(name), Purpose::Serve).map_err(|errors| {
            let folder = format!("{}/", self.folder.path().display());
            errors.to_string().replace(&folder, "").lines().map(str::to_owned).collect()
        })
    }
}

/// A certificate that holds for years.
pub fn key(name: &str) -> Key {
    let user = format!("{name} <{name}@acme.example>");
    let day = Duration::from_hours(24);
    Key::options(&user).age(day).expires_after(day * 1000).generate()
}
