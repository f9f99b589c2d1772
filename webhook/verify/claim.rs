//! Whose signatures say they are, before anything is verified.
//!
//! Good for finding things and for telling people; never for deciding anything.

use bytes::Bytes;
use sequoia_openpgp::{Fingerprint as Issuer, KeyID, packet::Signature};

use super::{
    message::{self, Message},
    root::fingerprint,
};
use crate::{
    attest::{Signed, x509::X509},
    name::Fingerprint,
};

/// The names that one signature gives the key that made it: its OpenPGP issuers, the key id or
/// the certificate beside it. None of them is proven; a signature may give none, as PKIX ones do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimedSigner(Vec<String>);

impl ClaimedSigner {
    /// Of each signature that `signed` carries.
    pub fn all_of(signed: &Signed) -> Vec<Self> {
        match signed {
            Signed::OpenPgpMessage(bytes) => of_message(bytes, None),
            Signed::OpenPgpDetached(bytes) => of_detached(bytes, None),
            Signed::Raw { signatures, .. } => signatures
                .iter()
                .flat_map(|one| of_message(&one.bytes, one.key_id.as_deref()))
                .collect(),
            Signed::Dsse(envelope) | Signed::Metadata { envelope, .. } => envelope
                .signatures()
                .iter()
                .flat_map(|one| of_detached(&one.signature, one.key_id.as_deref()))
                .collect(),
            Signed::Certified { signed, .. } => Self::all_of(signed),
            Signed::Jws(jws) => vec![of_certificate(jws.chain.first())],
            Signed::Unsupported { .. } => vec![Self(Vec::new())],
        }
    }

    /// Whether it says that the key of this fingerprint made it: by the whole of it, or by the 16
    /// digits of an OpenPGP key id.
    pub fn is(&self, fingerprint: &Fingerprint) -> bool {
        let whole = fingerprint.to_string().to_ascii_uppercase();
        let short = match fingerprint {
            Fingerprint::V4(_) => whole.get(whole.len() - SHORT..),
            Fingerprint::V6(_) => whole.get(..SHORT),
            Fingerprint::Pkix(_) => None,
        };
        self.0.iter().any(|name| *name == whole || short == Some(name))
    }
}

/// By the certificate beside it, or the key in that.
fn of_certificate(der: Option<&Bytes>) -> ClaimedSigner {
    let Some(der) = der else { return ClaimedSigner(Vec::new()) };
    let key = X509::from_der(der).ok().map(|certificate| fingerprint(&certificate.key));
    let names = [Some(fingerprint(der)), key].into_iter().flatten();
    ClaimedSigner(names.map(|name| plain(&name.to_string())).collect())
}

/// One claim for each signature; one that claims nothing, where there is none to be read.
fn of_message(bytes: &[u8], key_id: Option<&str>) -> Vec<ClaimedSigner> {
    of_packets(Message::parse(bytes).map(|message| message.signatures), key_id)
}

fn of_detached(bytes: &[u8], key_id: Option<&str>) -> Vec<ClaimedSigner> {
    of_packets(message::detached(bytes), key_id)
}

fn of_packets<E>(
    signatures: Result<Vec<Signature>, E>,
    key_id: Option<&str>,
) -> Vec<ClaimedSigner> {
    let key_id = key_id.map(plain);
    let Ok(signatures) = signatures else {
        return vec![ClaimedSigner(key_id.into_iter().collect())];
    };
    let claim = |signature: &Signature| {
        let whole = signature.issuer_fingerprints().map(Issuer::to_hex);
        let short = signature.issuers().map(KeyID::to_hex);
        ClaimedSigner(whole.chain(short).chain(key_id.clone()).collect())
    };
    signatures.iter().map(claim).collect()
}

/// A key id as fingerprints are compared here.
fn plain(key_id: &str) -> String {
    let bare = key_id.strip_prefix("sha256:").unwrap_or(key_id);
    bare.to_ascii_uppercase()
}

/// Digits of an OpenPGP key id.
const SHORT: usize = 16;
