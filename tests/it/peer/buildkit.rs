use std::{path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use super::{Peer, attempt, binary, grafeas::version_by_folder, isolated, run, seen};

/// `BuildKit`'s daemon with a store of its own, and `buildctl` to ask it. Needs root.
pub struct BuildKit {
    address: String,
    _peer: Peer,
    folder: TempDir,
}

impl BuildKit {
    /// A daemon that pushes to these registries over plain HTTP.
    pub fn start(registries: &[&str]) -> Self {
        // A socket's path has to fit into some 100 bytes: no deep folder.
        let folder = tempfile::Builder::new().prefix("buildkit").tempdir_in("/tmp").unwrap();
        let mut config = format!(
            "root = \"{}/root\"\n[worker.containerd]\nenabled = false\n[worker.oci]\nenabled = true\nsnapshotter = \"native\"\n",
            folder.path().display()
        );
        for host in registries {
            config.push_str(&format!("[registry.\"{host}\"]\nhttp = true\n"));
        }
        std::fs::write(folder.path().join("buildkitd.toml"), config).unwrap();
        let address = format!("unix://{}/socket", folder.path().display());
        let program = binary("buildkitd");
        let version = version_by_folder(&program);
        let mut command = isolated(program, folder.path());
        command.args(["--config", "buildkitd.toml", "--addr", &address]);
        let peer = Peer::start("buildkitd", &command, folder.path()).wait_until(|| {
            let mut workers = Command::new(binary("buildctl"));
            attempt(workers.args(["--addr", &address, "debug", "workers"])).is_ok()
        });
        seen("buildkitd", &version);
        Self { address, _peer: peer, folder }
    }

    /// Builds with the Dockerfile frontend and these arguments of `buildctl build`; returns what it
    /// wrote with `--metadata-file`.
    pub fn build(&self, arguments: &[&str]) -> Value {
        let metadata = self.folder.path().join("metadata.json");
        let mut command = isolated(binary("buildctl"), self.folder.path());
        command.args(["--addr", &self.address, "build", "--progress", "plain"]);
        command.args(["--frontend", "dockerfile.v0", "--metadata-file"]).arg(&metadata);
        run(command.args(arguments));
        serde_json::from_slice(&std::fs::read(metadata).unwrap()).unwrap()
    }

    /// As [`Self::build`], with this folder as context.
    pub fn build_folder(&self, context: &Path, arguments: &[&str]) -> Value {
        let locals = ["context", "dockerfile"].map(|name| format!("{name}={}", context.display()));
        let [context, dockerfile] = &locals;
        self.build(&[&["--local", context, "--local", dockerfile], arguments].concat())
    }
}
