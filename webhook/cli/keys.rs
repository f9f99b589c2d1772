//! `countersign keys`: OpenPGP keys for a first try, and what a keyring holds.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    config::LARGEST_FILE,
    sign::{GeneratedKey, generate_key},
    verify,
};

use super::{
    Failure, input, output,
    secret::{self, Source},
};

/// Make an OpenPGP key for a first try, or see what a keyring holds.
#[derive(Debug, clap::Subcommand)]
pub enum Keys {
    Generate(Generate),
    Inspect(Inspect),
}

/// Make a key pair: OUT.key is the secret, OUT.asc the certificate
///
/// An Ed25519 key that may sign and nothing else, valid for two years. Keep the secret in CI's
/// secret store; the certificate is what the webhook is given. An existing file is not overwritten.
///
/// Example: countersign keys generate --user "Acme builder <builder@acme.example>" --out builder
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Generate {
    /// Who signs with it, as OpenPGP user IDs say it
    #[arg(long, value_name = "NAME <ADDRESS>")]
    user: String,
    /// Path of both files, without the ending
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Encrypt the secret: a file with the passphrase, `env:NAME` or `-`
    #[arg(long, value_name = "FILE|env:NAME|-")]
    passphrase: Option<Source>,
}

/// Tell what a keyring or a public key holds, and until when it can be used
///
/// Prints fingerprints, users, the parts that may sign, expiry and revocation.
///
/// Example: countersign keys inspect builder.asc
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Inspect {
    /// A certificate or keyring, armored or binary, or a PEM public key
    file: PathBuf,
}

impl Keys {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Generate(command) => command.run(),
            Self::Inspect(command) => command.run(),
        }
    }
}

impl Generate {
    fn run(self) -> Result<ExitCode, Failure> {
        secret::guard()?;
        let passphrase = self.passphrase.map(|source| source.passphrase()).transpose()?;
        let now = Timestamp::now();
        let GeneratedKey { secret, certificate, fingerprint } =
            generate_key(&self.user, passphrase, Some(LIFE), now).map_err(Failure::of)?;
        let (key, cert) = (with_ending(&self.out, "key"), with_ending(&self.out, "asc"));
        create(&key, 0o600, &secret)?;
        create(&cert, 0o644, &certificate)?;
        output::data(&fingerprint.to_string());
        output::say(&format!("wrote {} (secret) and {}", key.display(), cert.display()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Inspect {
    fn run(self) -> Result<ExitCode, Failure> {
        let named = self.file.display();
        let bytes = input::read(&self.file, LARGEST_FILE)
            .map_err(|error| Failure::failed(format!("cannot read {named}"), error))?;
        let now = Timestamp::now();
        let held = verify::describe::inspect(&bytes, now)
            .map_err(|error| Failure::failed(format!("{named} cannot be used"), error))?;
        for key in held {
            output::data(&key.to_string());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `builder` and `key` make `builder.key`; dots in the name are part of it.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Failure::failed(format!("cannot write {}", path.display()), error))
}

/// How long a key made for a try is valid: long enough for a pilot, short enough to be thought of.
const LIFE: Duration = Duration::from_hours(2 * 365 * 24);
