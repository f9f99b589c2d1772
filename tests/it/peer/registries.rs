use std::{path::Path, process::Command};

use tempfile::TempDir;

use super::{Peer, Pki, binary, free_port, grafeas::version_by_folder, run, seen, version_in};

/// Distribution 2.8, as Debian ships it: no referrers API, so that evidence hangs on a fallback tag.
pub struct DockerRegistry {
    host: String,
    _peer: Peer,
    tokens: Option<TokenServer>,
    folder: TempDir,
}

/// Distribution's token service. It gives each user what lies under `<user>/`, and nothing else.
struct TokenServer {
    realm: String,
    _peer: Peer,
}

impl DockerRegistry {
    /// Plain HTTP, open to everybody.
    pub fn start() -> Self {
        Self::start_with(TempDir::new().unwrap(), "", "")
    }

    /// TLS by an authority of its own (`folder()/ca.crt`), and basic authentication.
    pub fn start_private(user: &str, password: &str) -> Self {
        let folder = private_folder(user, password);
        Self::start_with(folder, TLS, "auth: {htpasswd: {realm: test, path: htpasswd}}")
    }

    /// As [`Self::start_private`], with tokens from a service on another port.
    pub fn start_with_tokens(user: &str, password: &str) -> Self {
        let folder = private_folder(user, password);
        let tokens = TokenServer::start(folder.path());
        let auth = format!(
            "auth: {{token: {{realm: \"{}\", service: registry, issuer: test, rootcertbundle: tokens.crt}}}}",
            tokens.realm
        );
        Self { tokens: Some(tokens), ..Self::start_with(folder, TLS, &auth) }
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
        Self { host, _peer: peer, tokens: None, folder }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where tokens come from, as the registry says.
    pub fn realm(&self) -> Option<&str> {
        self.tokens.as_ref().map(|tokens| tokens.realm.as_str())
    }

    /// Where its files are, `ca.crt` among them if it is private.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

const TLS: &str = ", tls: {certificate: registry.crt, key: registry.key}";

fn private_folder(user: &str, password: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    Pki::new(folder.path()).server("registry", &["127.0.0.1", "localhost"]);
    let htpasswd = run(Command::new("htpasswd").args(["-Bbn", user, password]));
    std::fs::write(folder.path().join("htpasswd"), htpasswd).unwrap();
    folder
}

impl TokenServer {
    fn start(folder: &Path) -> Self {
        // A key in the one encoding that it reads, and its certificate, by which the registry knows
        // the tokens.
        let openssl = |arguments: &str| {
            run(Command::new("openssl").args(arguments.split(' ')).current_dir(folder))
        };
        openssl("ecparam -name prime256v1 -genkey -noout -out tokens.key");
        openssl("req -x509 -new -key tokens.key -subj /CN=tokens -days 2 -out tokens.crt");
        let port = free_port();
        let program = binary("token-server");
        let version = version_by_folder(&program);
        let mut command = Command::new(program);
        command.args(["-addr", &format!("127.0.0.1:{port}"), "-issuer", "test", "-realm", "test"]);
        command.args(["-key", "tokens.key", "-passwd", "htpasswd"]);
        command.args(["-tlscert", "registry.crt", "-tlskey", "registry.key"]);
        let peer = Peer::start("token-server", &command, folder).wait_for_port(port);
        seen("token-server", &version);
        Self { realm: format!("https://127.0.0.1:{port}/token/"), _peer: peer }
    }
}

/// A registry in memory, plain HTTP, whose referrers API is right.
pub struct OciServe(InMemory);

impl OciServe {
    pub fn start() -> Self {
        Self(InMemory::start("ociserve"))
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> &str {
        &self.0.host
    }
}

/// go-containerregistry's registry in memory, plain HTTP. Its referrers API lists artifacts by the
/// type of their config and without annotations, filters nothing, and a push is not told that its
/// subject was understood.
pub struct Ggcr(InMemory);

impl Ggcr {
    pub fn start() -> Self {
        Self(InMemory::start("ggcr"))
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> &str {
        &self.0.host
    }
}

/// One of the programs under `tests/peers/` that are a registry behind a listener.
struct InMemory {
    host: String,
    _peer: Peer,
    _folder: TempDir,
}

impl InMemory {
    fn start(name: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let host = format!("127.0.0.1:{port}");
        let program = binary(name);
        let version = version_by_folder(&program);
        let mut command = Command::new(program);
        command.args(["-address", &host]);
        let peer = Peer::start(name, &command, folder.path()).wait_for_port(port);
        seen(name, &version);
        Self { host, _peer: peer, _folder: folder }
    }
}
