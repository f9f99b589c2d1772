//! Notation's signatures, which are read as far as to say whose they are.
//!
//! They are JSON web signatures by X.509 certificates (notaryproject/specifications,
//! `signature-envelope-jws.md`). No configuration here names certificate authorities, so none of
//! them can count; whoever signed learns so.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{Signed, certificate::describe};
use crate::name::Code;

/// What a referrer of Notation's is called in `artifactType`.
pub const ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";

/// A signature of Notation's, with the holder of its certificate, as far as that can be read.
pub fn read(media_type: &str, bytes: &[u8]) -> Signed {
    let envelope: Option<Envelope> =
        if media_type == JWS { serde_json::from_slice(bytes).ok() } else { None };
    let leaf = envelope.and_then(|envelope| envelope.header.x5c.into_iter().next());
    let holder = match leaf.and_then(|leaf| STANDARD.decode(leaf).ok()) {
        Some(certificate) => describe(&certificate),
        None => "a certificate that cannot be read".to_owned(),
    };
    let detail = format!("made with a certificate ({holder}), and certificates are not verified");
    Signed::Unsupported { format: "notation", code: Code::SignatureCertificate, detail }
}

#[derive(Deserialize)]
struct Envelope {
    header: Header,
}

#[derive(Deserialize)]
struct Header {
    x5c: Vec<String>,
}

/// The other envelope that Notation writes, COSE, is not read at all.
const JWS: &str = "application/jose+json";
