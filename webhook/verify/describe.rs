//! What a keyring holds, for `config check` and `keys inspect`.
//!
//! It says which parts would count now, by the same checks that a review makes, so that a key
//! which looks right and verifies nothing shows before it matters.

use std::{fmt, time::SystemTime};

use jiff::Timestamp;
use sequoia_openpgp::{
    Cert,
    cert::amalgamation::{
        ValidAmalgamation as _, ValidateAmalgamation as _, key::ErasedKeyAmalgamation,
    },
    packet::key::PublicParts,
    policy::StandardPolicy,
};

use super::{
    Key, KeyError,
    key::{certs, fingerprint},
    root::Root,
    standing::{expiry_of, is_dsa, lenient, revocation, system_time},
};
use crate::name::{Fingerprint, escape};

/// One certificate, PKIX key or root.
#[derive(Clone, Debug)]
pub struct KeyReport {
    pub fingerprint: Fingerprint,
    /// The file holds its secret half too.
    pub secret: bool,
    /// User IDs that are not revoked, the primary one first.
    pub users: Vec<String>,
    /// The primary key and its subkeys, or the PKIX key.
    pub parts: Vec<KeyPart>,
    /// What a person should know before relying on it.
    pub warnings: Vec<String>,
}

/// One key of a certificate.
#[derive(Clone, Debug)]
pub struct KeyPart {
    pub fingerprint: Fingerprint,
    pub algorithm: String,
    /// PKIX keys state no time.
    pub created: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    /// Its signatures count now.
    pub may_sign: bool,
    /// Why they do not, if that is why: it was revoked or retired.
    pub revoked: Option<String>,
}

/// What a file of public or secret keys holds: OpenPGP, or in PEM one PKIX key or roots of
/// certificates.
///
/// # Errors
/// [`KeyError`], as in loading it for an authority, except that secret keys are described.
pub fn inspect(bytes: &[u8], now: Timestamp) -> Result<Vec<KeyReport>, KeyError> {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"-----BEGIN ") && !text.starts_with(super::armor::BEGIN) {
        let certificates = text.starts_with(b"-----BEGIN CERTIFICATE-----");
        let keys = if certificates { Key::x509(bytes)? } else { vec![Key::pkix(bytes)?] };
        return Ok(keys.iter().map(|key| key.describe(now)).collect());
    }
    Ok(certs(bytes)?.iter().map(|cert| of_cert(cert, now)).collect())
}

impl Key {
    /// What this key is, and which parts of it would count now.
    pub fn describe(&self, now: Timestamp) -> KeyReport {
        match self {
            Self::OpenPgp(cert) => of_cert(cert, now),
            Self::X509(root) => of_root(root, now),
            Self::Pkix(key) => KeyReport {
                fingerprint: key.fingerprint(),
                secret: false,
                users: Vec::new(),
                parts: vec![KeyPart {
                    fingerprint: key.fingerprint(),
                    algorithm: key.kind(),
                    created: None,
                    expires: None,
                    may_sign: true,
                    revoked: None,
                }],
                warnings: Vec::new(),
            },
        }
    }
}

impl KeyReport {
    /// When the last part that signs now will no longer; absent: never, or none does.
    pub fn expires(&self) -> Option<Timestamp> {
        let signing = || self.parts.iter().filter(|part| part.may_sign);
        if signing().any(|part| part.expires.is_none()) {
            return None;
        }
        signing().filter_map(|part| part.expires).max()
    }
}

impl fmt::Display for KeyReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.secret { ", with its secret key" } else { "" };
        writeln!(formatter, "{}{secret}", self.fingerprint)?;
        for user in &self.users {
            writeln!(formatter, "  user     {user}")?;
        }
        for part in &self.parts {
            let does = if part.may_sign { "signs" } else { "does not sign" };
            write!(formatter, "  key      {} {} {does}", part.fingerprint, part.algorithm)?;
            match (&part.revoked, part.expires) {
                (Some(why), _) => writeln!(formatter, ", {why}")?,
                (None, Some(time)) => writeln!(formatter, ", until {time}")?,
                (None, None) => writeln!(formatter)?,
            }
        }
        for warning in &self.warnings {
            writeln!(formatter, "  warning  {warning}")?;
        }
        Ok(())
    }
}

fn of_cert(cert: &Cert, now: Timestamp) -> KeyReport {
    let parts: Vec<_> = cert.keys().map(|key| of_key(cert, &key, now)).collect();
    let mut warnings = Vec::new();
    let strict = StandardPolicy::at(system_time(now));
    let valid = |policy: &StandardPolicy<'_>| cert.with_policy(policy, system_time(now)).is_ok();
    if valid(&lenient()) && !valid(&strict) {
        warnings.push(
            "its self-signatures use an algorithm that is no longer accepted, like SHA-1, so \
             what it signs is `signature.weak`; make the key sign itself anew"
                .to_owned(),
        );
    }
    if !parts.iter().any(|part| part.may_sign) {
        warnings.push("no part of it signs now, so nothing that it signed counts".to_owned());
    }
    KeyReport {
        fingerprint: fingerprint(&cert.fingerprint()),
        secret: cert.is_tsk(),
        users: user_ids(cert, now),
        parts,
        warnings,
    }
}

fn of_root(root: &Root, now: Timestamp) -> KeyReport {
    let (from, until) = (root.certificate.not_before, root.certificate.not_after);
    let valid = from <= now && now <= until;
    let warning = "it is not valid now, so nothing that is signed under it counts";
    KeyReport {
        fingerprint: root.fingerprint(),
        secret: false,
        users: vec![root.subject().to_string()],
        parts: vec![KeyPart {
            fingerprint: root.fingerprint(),
            algorithm: format!("X.509 {}", root.kind()),
            created: Some(from),
            expires: Some(until),
            may_sign: valid,
            revoked: None,
        }],
        warnings: Vec::from_iter((!valid).then(|| warning.to_owned())),
    }
}

fn of_key(cert: &Cert, key: &ErasedKeyAmalgamation<'_, PublicParts>, now: Timestamp) -> KeyPart {
    let now = system_time(now);
    let time = |at: SystemTime| Timestamp::try_from(at).ok();
    let revoked = match revocation(cert, key, now) {
        Err(hard) => Some(hard.detail),
        Ok(Some(at)) => Some(match time(at) {
            Some(at) => format!("retired at {at}"),
            None => "retired".to_owned(),
        }),
        Ok(None) => None,
    };
    let strict = StandardPolicy::at(now);
    let signs = key.clone().with_policy(&strict, now).is_ok_and(|valid| {
        valid.for_signing() && valid.alive().is_ok() && valid.valid_cert().alive().is_ok()
    });
    let bits = key.key().mpis().bits();
    KeyPart {
        fingerprint: fingerprint(&key.key().fingerprint()),
        algorithm: bits.map_or_else(
            || key.key().pk_algo().to_string(),
            |bits| format!("{} {bits}", key.key().pk_algo()),
        ),
        created: time(key.key().creation_time()),
        expires: expiry_of(key, now).and_then(time),
        may_sign: signs && revoked.is_none() && !is_dsa(key.key().pk_algo()),
        revoked,
    }
}

/// The user IDs of a certificate that are not revoked, the primary one first.
pub(super) fn user_ids(cert: &Cert, now: Timestamp) -> Vec<String> {
    let policy = lenient();
    let Ok(valid) = cert.with_policy(&policy, system_time(now)) else {
        return Vec::new();
    };
    valid
        .userids()
        .revoked(false)
        .take(MAX_USERS)
        .map(|user| escape(&String::from_utf8_lossy(user.userid().value()), 256))
        .collect()
}

/// More user IDs than people have.
const MAX_USERS: usize = 16;
