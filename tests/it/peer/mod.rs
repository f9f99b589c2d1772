//! Real peers: programs that others wrote, started for one test and gone with it.
//!
//! Tests that use them are ignored by default; `.ci/run` installs the peers and runs those tests.
//! By hand: `COUNTERSIGN_PEERS=$(.ci/peers) cargo test --test it -- --ignored`.

mod apiserver;
mod buildkit;
mod controllers;
mod cosign;
mod git;
mod gpg;
mod grafeas;
mod image;
mod notation;
mod pki;
mod registries;

pub use apiserver::{Cluster, Outcome};
pub use buildkit::BuildKit;
pub use controllers::Controllers;
pub use cosign::{Carrier, Cosign};
pub use git::GitDaemon;
pub use gpg::GnuPg;
pub use grafeas::Grafeas;
pub use image::push_image;
pub use notation::Notation;
pub use pki::Pki;
pub use registries::{DockerRegistry, Ggcr, OciServe};

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running program; dropping it kills it.
pub struct Peer {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Peer {
    /// Starts `command` with its output in `folder/<name>.log`.
    ///
    /// The kernel kills it when the thread that started it ends, so that a test run which is itself
    /// killed leaves nothing behind; a peer must not outlive its test's thread.
    pub fn start(name: &'static str, command: &Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            bound.env(key, value.unwrap_or_default());
        }
        bound.current_dir(command.get_current_dir().unwrap_or(folder));
        bound.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = bound.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name, child, log }
    }

    /// Waits until `probe` is content; fails the test with the end of the log when the program
    /// ended or a minute went by.
    pub fn wait_until(mut self, mut probe: impl FnMut() -> bool) -> Self {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !probe() {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended with {status}:\n{}", self.name, self.log_tail());
            }
            assert!(Instant::now() < deadline, "{} is late:\n{}", self.name, self.log_tail());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    pub fn wait_for_port(self, port: u16) -> Self {
        self.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok())
    }

    /// The last lines that it wrote, for the message of a test that fails.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The peer's binary: from the folder that `.ci/peers` prints, else from `PATH`.
pub fn binary(name: &str) -> PathBuf {
    let folders = std::env::var_os("COUNTERSIGN_PEERS")
        .into_iter()
        .chain(std::env::var_os("PATH"))
        .flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {name}; run: export COUNTERSIGN_PEERS=$(.ci/peers)"))
}

/// A port of the loopback that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Runs a program to its end and returns what it printed; fails the test if it fails.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program to its end; what it printed, or complained of.
pub fn attempt(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Writes down, for the end of `.ci/run`, that this peer took part, and its version by its own word.
pub fn seen(name: &str, version: &str) {
    let Some(path) = std::env::var_os("COUNTERSIGN_PEERS_SEEN") else { return };
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(format!("{name} {}\n", version.trim()).as_bytes()).unwrap();
}

/// The first word of a program's output that starts with a digit, with or without a `v` before it.
fn version_in(text: &str) -> &str {
    let looks_right =
        |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    text.split_whitespace().find(looks_right).unwrap_or("of unknown version")
}

/// A command that sees none of the user's settings and credentials.
fn isolated(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", home).env("DOCKER_CONFIG", home).env("XDG_CONFIG_HOME", home);
    command
}
