use std::process::Command;

use tempfile::TempDir;

use super::{Peer, binary, free_port, seen};

/// The Grafeas reference server with its store in memory. It speaks v1beta1 only, ignores filters,
/// and a page token past the end kills it: a test that probes tokens needs one of its own.
pub struct Grafeas {
    address: String,
    _peer: Peer,
    _folder: TempDir,
}

impl Grafeas {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let config = format!(
            "grafeas: {{api: {{address: \"{address}\", certfile: , keyfile: , cafile: }}, storage_type: memstore}}"
        );
        std::fs::write(folder.path().join("grafeas.yaml"), config).unwrap();
        let program = binary("grafeas-server");
        let version = version_by_folder(&program);
        let mut command = Command::new(program);
        command.args(["--config", "grafeas.yaml"]);
        let peer = Peer::start("grafeas-server", &command, folder.path()).wait_for_port(port);
        seen("grafeas-server", &version);
        Self { address, _peer: peer, _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Some peers cannot be asked; `.ci/peers` keeps each in a folder `<name>-<version>-<key>`.
pub fn version_by_folder(program: &std::path::Path) -> String {
    let real = program.canonicalize().unwrap();
    let folder = real.parent().and_then(|path| path.file_name()).unwrap_or_default();
    let folder = folder.to_string_lossy().into_owned();
    folder.rsplit('-').nth(1).unwrap_or("of unknown version").to_owned()
}
