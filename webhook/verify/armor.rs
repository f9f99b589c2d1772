//! Taking OpenPGP data out of the text it may travel in.
//!
//! Kritis and Voucher write signed messages under the label of a detached signature, and old
//! Kritis wraps the armor in base64 once more (`grafeas.md`'s four wrappings). So the label is
//! ignored and the packets decide; but there is exactly one block, with nothing around it.

use std::{borrow::Cow, io::Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sequoia_openpgp::armor;

/// Why data is no one block of OpenPGP.
#[derive(Debug, thiserror::Error)]
pub enum BadArmor {
    #[error("it is empty")]
    Empty,
    #[error("{size} bytes, at most {MAX_SIZE} are read")]
    TooLarge { size: usize },
    #[error("it is neither OpenPGP packets, nor ASCII armor, nor base64 of that")]
    Unknown,
    #[error("it is a clear-signed text; sign with `gpg --sign`, not `--clearsign`")]
    ClearSigned,
    #[error("its ASCII armor is broken")]
    Broken,
    #[error("it has more than one block of ASCII armor, or text around it")]
    Surrounded,
}

/// The packets inside `data`, whether binary, armored, or base64 around armor.
///
/// # Errors
/// [`BadArmor`].
pub fn unwrap(data: &[u8]) -> Result<Cow<'_, [u8]>, BadArmor> {
    match data.first() {
        None => Err(BadArmor::Empty),
        Some(_) if data.len() > MAX_SIZE => Err(BadArmor::TooLarge { size: data.len() }),
        // The first byte of a packet has the highest bit set, that of a text has not.
        Some(0x80..) => Ok(Cow::Borrowed(data)),
        Some(_) => {
            let text = data.trim_ascii();
            if text.starts_with(BEGIN) {
                return dearmor(text).map(Cow::Owned);
            }
            let packed: Vec<u8> =
                text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let inner = STANDARD.decode(packed).map_err(|_| BadArmor::Unknown)?;
            let inner = inner.trim_ascii();
            if !inner.starts_with(BEGIN) {
                return Err(BadArmor::Unknown);
            }
            dearmor(inner).map(Cow::Owned)
        }
    }
}

/// Whether this can be nothing but OpenPGP in some wrapping; a PKIX signature is binary.
pub fn is_wrapped(data: &[u8]) -> bool {
    let text = data.trim_ascii();
    text.starts_with(BEGIN) || text.starts_with(BEGIN_IN_BASE64)
}

/// Reads one block of armor that is all there is.
pub fn dearmor(text: &[u8]) -> Result<Vec<u8>, BadArmor> {
    if text.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----") {
        return Err(BadArmor::ClearSigned);
    }
    let begins = text.windows(BEGIN.len()).filter(|window| *window == BEGIN).count();
    let last = text.split(|byte| *byte == b'\n').next_back().unwrap_or_default();
    if begins != 1 || !last.trim_ascii().starts_with(b"-----END PGP") {
        return Err(BadArmor::Surrounded);
    }
    let mut packets = Vec::new();
    armor::Reader::from_bytes(text, armor::ReaderMode::Tolerant(None))
        .read_to_end(&mut packets)
        .map_err(|_| BadArmor::Broken)?;
    Ok(packets)
}

pub const BEGIN: &[u8] = b"-----BEGIN PGP ";

/// How base64 of [`BEGIN`] starts.
const BEGIN_IN_BASE64: &[u8] = b"LS0tLS1CRUdJTiBQR1Ag";

/// The largest wrapped message that is read; podman's cap per signature is the same.
const MAX_SIZE: usize = 4 * 1024 * 1024;
