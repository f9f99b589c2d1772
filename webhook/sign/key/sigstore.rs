//! Private keys as cosign encrypts them: scrypt and secretbox around PKCS#8.

use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305, aead::Aead as _};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Passphrase, SigningKeyError};

/// The PKCS#8 inside, in DER.
///
/// # Errors
/// Another passphrase, or another way to encrypt than cosign's.
pub(super) fn open(
    json: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
    let locked: Locked = serde_json::from_slice(json).map_err(|_| SigningKeyError::PemLock)?;
    let key = locked.key(passphrase).ok_or(SigningKeyError::PemLock)?;
    let nonce: [u8; 24] = decode(&locked.cipher.nonce)
        .and_then(|nonce| nonce.try_into().ok())
        .ok_or(SigningKeyError::PemLock)?;
    let sealed = decode(&locked.ciphertext).ok_or(SigningKeyError::PemLock)?;
    XSalsa20Poly1305::new((&*key).into())
        .decrypt(&nonce.into(), sealed.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| SigningKeyError::WrongPemPassphrase)
}

#[derive(Deserialize)]
struct Locked {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Parameters,
    salt: String,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl Locked {
    fn key(&self, passphrase: &Passphrase) -> Option<Zeroizing<[u8; 32]>> {
        let Parameters { n, r, p } = self.kdf.params;
        let known = self.kdf.name == "scrypt" && self.cipher.name == "nacl/secretbox";
        if !known || !n.is_power_of_two() || n > MOST_N || r > MOST_R || p > MOST_P {
            return None;
        }
        let log_n = u8::try_from(n.ilog2()).ok()?;
        let parameters = scrypt::Params::new(log_n, r, p, 32).ok()?;
        let salt = decode(&self.kdf.salt)?;
        let mut key = Zeroizing::new([0; 32]);
        passphrase
            .with(|passphrase| scrypt::scrypt(passphrase, &salt, &parameters, &mut *key))
            .ok()?;
        Some(key)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}

/// Sixteen times cosign's; more would cost gigabytes of memory.
const MOST_N: u32 = 1 << 20;
const MOST_R: u32 = 8;
const MOST_P: u32 = 16;
