//! The secret keys that a command signs with.

use jiff::Timestamp;

use crate::sign::SigningKey;

use super::super::{Failure, secret::Source};

/// Which keys sign.
#[derive(Debug, clap::Args)]
pub struct KeyArguments {
    /// The secret key: a file, `env:NAME` (armored text), or `-` (stdin); repeat for several
    #[arg(long, value_name = "FILE|env:NAME|-", required = true)]
    key: Vec<Source>,
    /// The key's passphrase: a file, `env:NAME`, or `-`
    #[arg(long, value_name = "FILE|env:NAME|-")]
    passphrase: Option<Source>,
}

impl KeyArguments {
    /// The keys, unlocked, in the order of the command line.
    pub fn load(&self) -> Result<Vec<SigningKey>, Failure> {
        let passphrase = self.passphrase.as_ref().map(Source::passphrase).transpose()?;
        let now = Timestamp::now();
        let load = |source: &Source| {
            let bytes = source.bytes("key")?;
            SigningKey::load(&bytes, passphrase.as_ref(), now).map_err(|error| {
                Failure::failed(format!("the key from {source} cannot sign"), error)
            })
        };
        self.key.iter().map(load).collect()
    }
}
