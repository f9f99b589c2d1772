//! Whose signatures a command believes, if it is told.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    config::{Config, LARGEST_FILE, Purpose},
    verify::{Attests, Authority, Key, Trust},
};

use super::super::{Failure, config, input};

/// Whose signatures count.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct TrustArguments {
    /// Believe the authorities of this configuration of the webhook
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Believe the keys in this file: OpenPGP certificates, or a public key in PEM
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

impl TrustArguments {
    /// The authorities; `None` where nobody was named, so that nothing is verified.
    pub fn load(&self) -> Result<Option<Arc<Trust>>, Failure> {
        match (&self.config, &self.keyring) {
            (Some(file), _) => {
                let loaded = Config::load(file, Purpose::Inspect)
                    .map_err(|errors| config::refused(&errors))?;
                Ok(Some(Arc::clone(loaded.trust())))
            }
            (None, Some(file)) => keyring(file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// The keys of a file as one authority for all metadata.
fn keyring(file: &Path) -> Result<Arc<Trust>, Failure> {
    let named = file.display();
    let bytes = input::read(file, LARGEST_FILE)
        .map_err(|error| Failure::failed(format!("cannot read {named}"), error))?;
    let pkix = bytes.starts_with(b"-----BEGIN PUBLIC KEY");
    let keys = if pkix { Key::pkix(&bytes).map(|key| vec![key]) } else { Key::openpgp(&bytes) };
    let keys = keys.map_err(|error| Failure::failed(format!("{named} cannot be used"), error))?;
    let mut authority = Authority::new("keyring", keys);
    authority.attests = vec![Attests::AnyMetadata];
    Ok(Arc::new(Trust::new(vec![authority]).map_err(Failure::of)?))
}
