//! What the work tree at hand says of itself, through `git`.
//!
//! The tree was filled by build steps, its configuration too, and this process holds a signing key:
//! git is started with an empty environment, may use no transport, and is not asked for changes
//! where the tree's own configuration would make it start programs (`filter.*`; `fsmonitor` is
//! switched off). Nothing that goes wrong here fails the signing.

use std::{
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Origin, is_revision, source_uri};

/// What git knows of a work tree.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Git {
    /// Its remote `origin`, its commit and its branch.
    pub origin: Origin,
    /// Whether tracked files differ from the commit, if that can be told.
    pub dirty: Option<bool>,
    /// What could not be read, for people.
    pub notes: Vec<String>,
}

/// Asks git about the work tree that `folder` is in.
pub fn read_git(folder: &Path) -> Git {
    let ask = |arguments: &[&str]| asked(folder, arguments);
    let mut git = Git::default();
    match ask(&["rev-parse", "HEAD"]) {
        Ok(head) => git.origin.revision = Some(head).filter(|head| is_revision(head)),
        Err(Unasked::Absent) => {
            git.notes.push("git is not installed here, so the work tree is not looked at".into());
            return git;
        }
        Err(Unasked::Refused(words)) => {
            if !words.contains("not a git repository") {
                git.notes.push(format!("git does not say what is checked out: {words}"));
            }
            return git;
        }
    }
    git.origin.reference = ask(&["symbolic-ref", "--quiet", "HEAD"]).ok();
    if let Ok(remote) = ask(&["config", "--get", "remote.origin.url"]) {
        git.origin.source = source_uri(&remote);
        if git.origin.source.is_none() {
            git.notes.push("the remote origin is no repository on a host".into());
        }
    }
    match ask(&["config", "--list", "--show-scope", "--name-only"]) {
        Ok(names) if names.lines().any(starts_programs) => git.notes.push(
            "whether files were changed is not looked at: the repository's own configuration \
             names programs (filter.*) that git would start"
                .into(),
        ),
        Ok(_) => {
            let changed = ask(&[
                "status",
                "--porcelain",
                "--untracked-files=no",
                "--ignore-submodules=dirty",
            ]);
            git.dirty = changed.ok().map(|changed| !changed.is_empty());
        }
        Err(_) => {}
    }
    git
}

/// Whether a line of `git config --show-scope` is of the tree and names a program for its files.
fn starts_programs(line: &str) -> bool {
    let (scope, name) = line.split_once('\t').unwrap_or(("local", line));
    matches!(scope, "local" | "worktree") && name.to_ascii_lowercase().starts_with("filter.")
}

enum Unasked {
    Absent,
    Refused(String),
}

fn asked(folder: &Path, arguments: &[&str]) -> Result<String, Unasked> {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "--no-optional-locks",
        ])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs([("LC_ALL", "C"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_ALLOW_PROTOCOL", "none")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let refused = |words: &str| Unasked::Refused(words.to_owned());
    let mut child = command.spawn().map_err(|_| Unasked::Absent)?;
    let out = drained(child.stdout.take());
    let err = drained(child.stderr.take());
    let done = finished(&mut child).ok_or_else(|| refused("it does not come to an end"))?;
    let text = |drain: thread::JoinHandle<String>| drain.join().unwrap_or_default();
    let (out, err) = (text(out), text(err));
    if done {
        Ok(out.trim_end().to_owned())
    } else {
        Err(refused(&crate::name::escape(err.lines().next().unwrap_or_default(), SHOWN)))
    }
}

/// Reads a pipe to its end, and keeps the beginning.
fn drained(pipe: Option<impl std::io::Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _cut = pipe.by_ref().take(MOST).read_to_end(&mut bytes);
            let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether the program ended well; `None` if it had to be stopped.
fn finished(child: &mut Child) -> Option<bool> {
    let end = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ended = child.kill();
                let _reaped = child.wait();
                return None;
            }
        }
    }
}

/// What git may know of our environment: never a key or a token.
const PASSED: [&str; 7] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_DIR",
    "GIT_WORK_TREE",
];

/// Longest time for one question.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most bytes of an answer.
const MOST: u64 = 256 * 1024;

/// How much of git's words a message shows.
const SHOWN: usize = 200;
