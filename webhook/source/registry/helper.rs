//! Credential helpers: the programs that keep what `docker login` was told.
//!
//! They are run for a person's own commands only. A helper gets the name of the server on stdin
//! and writes what it has to stdout, which is bounded in bytes and time.

use std::{
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{credential::Credential, host::HUB};
use crate::{
    name::escape,
    source::{error::CredentialError, landed, secret::Secret},
};

/// What the helper `name` has for the registry `host`; `None` if it says that it has nothing. It is
/// some other program, so it does not inherit the variables `hidden`, which hold secrets of ours.
///
/// # Errors
/// [`CredentialError::Helper`].
pub(super) async fn ask(
    name: &str,
    host: &str,
    hidden: &[String],
) -> Result<Option<Credential>, CredentialError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let program = format!("docker-credential-{}", escape(name, SHOWN));
    if !name.chars().all(plain) {
        return Err(CredentialError::Helper {
            program,
            what: "is no name of a program".to_owned(),
        });
    }
    // As `docker login` files it.
    let server = if host == HUB { "https://index.docker.io/v1/" } else { host }.to_owned();
    let mut command = Command::new(&program);
    for name in hidden {
        command.env_remove(name);
    }
    landed(spawn_blocking(move || run(command, &server, PATIENCE)))
        .await
        .and_then(read)
        .map_err(|what| CredentialError::Helper { program, what })
}

/// What the program writes; `None` where it says that it has nothing.
fn run(
    mut command: Command,
    server: &str,
    patience: Duration,
) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot be run: {error}"))?;
    let end = Instant::now() + patience;
    let (say, heard) = mpsc::channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let server = server.to_owned();
    // Whoever reads or writes may wait for as long as the program likes.
    thread::spawn(move || {
        let written = stdin.map(|mut stdin| stdin.write_all(server.as_bytes()));
        let mut answer = Zeroizing::new(Vec::new());
        let read = stdout.map(|stdout| stdout.take(LARGEST).read_to_end(&mut answer));
        // One that ends without reading has its reason, which its answer gives.
        drop((written, read));
        let _ = say.send(answer);
    });
    let answer = heard.recv_timeout(patience);
    let status = loop {
        match child.try_wait() {
            Ok(None) if answer.is_ok() && Instant::now() < end => thread::sleep(TICK),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not answer within {patience:?}"));
            }
            Ok(Some(status)) => break status,
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    };
    let answer = answer.map_err(|_| "ended without an answer".to_owned())?;
    if status.success() {
        return Ok(Some(answer));
    }
    let said = String::from_utf8_lossy(&answer);
    if said.contains("credentials not found") {
        return Ok(None);
    }
    Err(format!("failed with {status}: {}", escape(said.trim(), SHOWN)))
}

fn read(answer: Option<Zeroizing<Vec<u8>>>) -> Result<Option<Credential>, String> {
    let Some(answer) = answer else { return Ok(None) };
    let kept: Kept = serde_json::from_slice(&answer)
        .map_err(|_| "answers what is no JSON with Username and Secret".to_owned())?;
    let Kept { username, secret } = kept;
    if secret.reveal().is_empty() {
        return Ok(None);
    }
    Ok(Some(match username.as_str() {
        "<token>" => Credential::IdentityToken(secret),
        _ => Credential::Password { username, password: secret },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    username: String,
    secret: Secret,
}

/// Some helpers ask a person for a passphrase first.
const PATIENCE: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_millis(10);

/// Bytes of an answer.
const LARGEST: u64 = 64 * 1024;

/// How much of outside text an error quotes.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn p8_a_helper_has_a_deadline_and_a_cap() {
        let folder = tempfile::tempdir().unwrap();
        let end = Duration::from_millis(300);
        for (name, script, patience, want) in [
            ("hangs", "exec sleep 600", end, "did not answer within 300ms"),
            ("closes and hangs", "exec >&-; exec sleep 600", end, "did not answer within 300ms"),
            ("leaves one behind", "sleep 5 & exit 1", end, "ended without an answer"),
            ("writes without end", "exec cat /dev/zero", PATIENCE, "failed with signal: 13"),
        ] {
            let program = folder.path().join("helper");
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let error = run(Command::new(program), "r.example", patience).unwrap_err();
            assert!(error.starts_with(want), "{name}: {error}");
        }
    }
}
