//! The secret keys that a command signs with.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::sign::{AgentKey, Passphrase, Signer, SigningKeyError};

use super::super::{
    Failure,
    secret::{BadSource, Source},
    terminal,
};

/// Which keys sign.
#[derive(Debug, clap::Args)]
pub struct KeyArguments {
    /// The secret key: a file, `env:NAME` (armored text), `-` (stdin), or `gpg:FINGERPRINT` (of your
    /// gpg-agent, smart cards too); OpenPGP, or a private key in PEM; repeat for several
    #[arg(long, value_name = "FILE|env:NAME|-|gpg:FINGERPRINT")]
    key: Vec<KeySource>,
    /// The keys' passphrase: a file, `env:NAME`, or `-`
    #[arg(long, value_name = "FILE|env:NAME|-")]
    passphrase: Option<Source>,
}

/// Where a secret key is.
#[derive(Clone, Debug)]
enum KeySource {
    /// Somewhere it can be read.
    Read(Source),
    /// In gpg's keeping, by the fingerprint of the key or of a subkey.
    Gpg(String),
}

impl KeyArguments {
    /// The keys, unlocked, in the order of the command line, each once.
    pub fn load(&self) -> Result<Vec<Signer>, Failure> {
        let stdin = self.key.iter().filter(|key| matches!(key, KeySource::Read(Source::Stdin)));
        if stdin.count() + usize::from(self.passphrase == Some(Source::Stdin)) > 1 {
            return Err(Failure::usage("stdin holds one secret; give the others in another way"));
        }
        let passphrase = self.passphrase.as_ref().map(Source::passphrase).transpose()?;
        let now = Timestamp::now();
        let mut signers: Vec<Signer> = Vec::new();
        for source in &self.key {
            let signer = source.load(passphrase.as_ref(), now)?;
            if signers.iter().all(|known| known.fingerprint() != signer.fingerprint()) {
                signers.push(signer);
            }
        }
        Ok(signers)
    }
}

impl KeySource {
    fn load(&self, passphrase: Option<&Passphrase>, now: Timestamp) -> Result<Signer, Failure> {
        let cannot = |error: SigningKeyError| {
            Failure::failed(format!("the key from {self} cannot sign"), error)
        };
        match self {
            Self::Gpg(fingerprint) => AgentKey::open(fingerprint, passphrase.cloned(), now)
                .map(Signer::Agent)
                .map_err(cannot),
            Self::Read(source) => {
                let bytes = source.bytes("key")?;
                match Signer::load(&bytes, passphrase, now) {
                    Err(SigningKeyError::Locked { .. } | SigningKeyError::LockedPem)
                        if terminal::can_ask() =>
                    {
                        let asked =
                            terminal::passphrase(&format!("passphrase of the key from {self}: "))?;
                        Signer::load(&bytes, Some(&asked), now).map_err(cannot)
                    }
                    outcome => outcome.map_err(cannot),
                }
            }
        }
    }
}

impl FromStr for KeySource {
    type Err = BadKeySource;

    fn from_str(text: &str) -> Result<Self, BadKeySource> {
        let Some(fingerprint) = text.strip_prefix("gpg:") else {
            return Ok(Self::Read(text.parse()?));
        };
        let hex: String = fingerprint.chars().filter(|c| *c != ' ').collect();
        let whole = matches!(hex.len(), 40 | 64) && hex.chars().all(|c| c.is_ascii_hexdigit());
        if whole { Ok(Self::Gpg(hex.to_uppercase())) } else { Err(BadKeySource::Fingerprint) }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(source) => source.fmt(out),
            Self::Gpg(fingerprint) => write!(out, "gpg:{fingerprint}"),
        }
    }
}

/// What names no key.
#[derive(Debug, thiserror::Error)]
enum BadKeySource {
    #[error(transparent)]
    Source(#[from] BadSource),
    #[error(
        "`gpg:` must be followed by a whole fingerprint of 40 or 64 digits; \
         `gpg --list-secret-keys --with-subkey-fingerprint` prints them"
    )]
    Fingerprint,
}
