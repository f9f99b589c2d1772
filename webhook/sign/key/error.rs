//! Why there is nothing to sign with.

use std::fmt;

use crate::{
    name::{Fingerprint, escape},
    verify::KeyError,
};

/// Why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error(
        "no secret key, neither OpenPGP nor PEM; export one with \
         `gpg --armor --export-secret-keys FINGERPRINT`"
    )]
    NoKey,
    #[error(
        "it is a certificate without its secret key; \
         export that with `gpg --armor --export-secret-keys FINGERPRINT`"
    )]
    PublicOnly,
    #[error("it is a public key in PEM; give the private key that belongs to it")]
    PublicPem,
    #[error("{count} secret keys in one file; export only the one to sign with")]
    Several { count: usize },
    #[error("key {fingerprint} has expired; extend it and hand the certificate to the verifiers")]
    Expired { fingerprint: Fingerprint },
    #[error("key {fingerprint} is revoked; sign with another")]
    Revoked { fingerprint: Fingerprint },
    #[error(
        "key {fingerprint} has no part that can sign and is strong enough; \
         make a signing key, as `countersign keys generate` does"
    )]
    NotForSigning { fingerprint: Fingerprint },
    #[error("the signing part of key {fingerprint} is not in the file, only its public half is")]
    NoSecret { fingerprint: Fingerprint },
    #[error("key {fingerprint} is locked; give its passphrase with `--passphrase`")]
    Locked { fingerprint: Fingerprint },
    #[error("the passphrase does not unlock key {fingerprint}")]
    WrongPassphrase { fingerprint: Fingerprint },
    #[error("the key in PEM is locked; give its passphrase with `--passphrase`")]
    LockedPem,
    #[error("the passphrase does not unlock the key in PEM")]
    WrongPemPassphrase,
    #[error(
        "it is locked in a way that is not read here; rewrite it with \
         `openssl pkcs8 -topk8 -in KEY -out NEW`"
    )]
    PemLock,
    #[error(
        "a private key in PEM that is neither RSA, nor ECDSA on P-256, P-384 or P-521, nor Ed25519"
    )]
    PemKind,
    #[error(transparent)]
    Public(#[from] KeyError),
    #[error(
        "a key in PEM signs no OpenPGP message, which is how simple signing is attached to an image; \
         attest a statement with `--predicate` and `--type`, or use an OpenPGP key"
    )]
    PemMessage,
    #[error("image IDs are signed with OpenPGP keys alone; sign them with one")]
    PemImageId,
    #[error(
        "a user needs a name without control characters, like \"Acme builder <ci@acme.example>\""
    )]
    User,
    #[error("`gpg` cannot be started; install GnuPG, or give the key as a file")]
    NoGpg(#[source] std::io::Error),
    #[error("gpg has no key {name}; `gpg --list-secret-keys` lists those that it has")]
    NotInGpg { name: String },
    #[error(
        "gpg has only the public half of key {fingerprint}; \
         `gpg --list-secret-keys` lists the keys that it can sign with"
    )]
    NoSecretInGpg { fingerprint: Fingerprint },
    #[error("gpg reaches no agent; start one with `gpgconf --launch gpg-agent`")]
    NoAgent,
    #[error(
        "gpg cannot ask for the passphrase of key {fingerprint} here; give it with `--passphrase`, \
         or to the agent beforehand with gpg-preset-passphrase"
    )]
    NoPinentry { fingerprint: Fingerprint },
    #[error("gpg signed nothing with key {fingerprint}")]
    Gpg {
        fingerprint: Fingerprint,
        #[source]
        source: SigningFault,
    },
    #[error("the key made no signature")]
    Signing(#[source] SigningFault),
}

impl SigningKeyError {
    pub(in crate::sign) fn fault(error: impl fmt::Display) -> Self {
        Self::Signing(SigningFault::new(error))
    }
}

/// A fault of the cryptographic library or of gpg, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SigningFault(String);

impl SigningFault {
    pub(super) fn new(error: impl fmt::Display) -> Self {
        Self(escape(&error.to_string(), LONGEST))
    }
}

/// Of a fault's own words, in characters.
const LONGEST: usize = 500;
