use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

use super::{Peer, binary, free_port, isolated, run, seen, version_in};

/// A repository that git's own daemon serves to everybody on this machine.
pub struct GitDaemon {
    url: String,
    revision: String,
    _peer: Peer,
    _folder: TempDir,
}

impl GitDaemon {
    /// With one commit of these files on the branch `main`.
    pub fn start(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let repository = folder.path().join("shop.git");
        std::fs::create_dir(&repository).unwrap();
        let git = |line: &str| {
            let mut command = isolated(binary("git"), folder.path());
            command.current_dir(&repository).env("GIT_CONFIG_NOSYSTEM", "1");
            command.args(["-c", "user.name=Dev", "-c", "user.email=dev@acme.example"]);
            run(command.args(line.split(' '))).trim().to_owned()
        };
        git("init --quiet --initial-branch=main");
        for (name, text) in files {
            std::fs::write(repository.join(name), text).unwrap();
        }
        git("add .");
        git("commit --quiet --message=first");
        let revision = git("rev-parse HEAD");
        seen("git", version_in(&git("--version")));

        let port = free_port();
        // `git daemon` would put a process between, which outlives the one that is killed.
        let daemon = PathBuf::from(git("--exec-path")).join("git-daemon");
        let mut command = Command::new(daemon);
        command.env("HOME", folder.path()).arg(format!("--port={port}"));
        command.args(["--listen=127.0.0.1", "--export-all", "--reuseaddr"]);
        command.arg(format!("--base-path={}", folder.path().display()));
        let peer = Peer::start("git-daemon", &command, folder.path()).wait_for_port(port);
        let url = format!("git://127.0.0.1:{port}/shop.git");
        Self { url, revision, _peer: peer, _folder: folder }
    }

    /// `git://127.0.0.1:<port>/shop.git`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The commit at the top of `main`.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}
