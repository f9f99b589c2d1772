use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::grafeas::version_by_folder;
use super::{Peer, Pki, binary, free_port, run, seen, version_in};

/// Distribution 2.8, as Debian ships it: no referrers API, so that evidence hangs on a fallback tag.
pub struct DockerRegistry {
    host: String,
    _peer: Peer,
    folder: TempDir,
}

impl DockerRegistry {
    /// Plain HTTP, open to everybody.
    pub fn start() -> Self {
        Self::start_with(TempDir::new().unwrap(), "", "")
    }

    /// TLS by an authority of its own (`folder()/ca.crt`), and basic authentication.
    pub fn start_private(user: &str, password: &str) -> Self {
        let folder = TempDir::new().unwrap();
        Pki::new(folder.path()).server("registry", &["127.0.0.1", "localhost"]);
        let htpasswd = run(Command::new("htpasswd").args(["-Bbn", user, password]));
        std::fs::write(folder.path().join("htpasswd"), htpasswd).unwrap();
        Self::start_with(
            folder,
            ", tls: {certificate: registry.crt, key: registry.key}",
            "auth: {htpasswd: {realm: test, path: htpasswd}}",
        )
    }

    fn start_with(folder: TempDir, tls: &str, auth: &str) -> Self {
        let port = free_port();
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: data}}, delete: {{enabled: true}}}}\nhttp: {{addr: \"{host}\"{tls}}}\n{auth}\n"
        );
        std::fs::write(folder.path().join("registry.yaml"), config).unwrap();
        let program = binary("docker-registry");
        let version = run(Command::new(&program).arg("--version"));
        let mut command = Command::new(program);
        command.args(["serve", "registry.yaml"]);
        let peer = Peer::start("docker-registry", &command, folder.path()).wait_for_port(port);
        seen("docker-registry", version_in(&version));
        Self { host, _peer: peer, folder }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where its files are, `ca.crt` among them if it is private.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A registry in memory, plain HTTP, whose referrers API is right.
pub struct OciServe {
    host: String,
    _peer: Peer,
    _folder: TempDir,
}

impl OciServe {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let host = format!("127.0.0.1:{port}");
        let program = binary("ociserve");
        let version = version_by_folder(&program);
        let mut command = Command::new(program);
        command.args(["-address", &host]);
        let peer = Peer::start("ociserve", &command, folder.path()).wait_for_port(port);
        seen("ociserve", &version);
        Self { host, _peer: peer, _folder: folder }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> &str {
        &self.host
    }
}
