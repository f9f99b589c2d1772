//! What Notation hangs on an image.

use super::{BadJws, Jws, Signed};
use crate::name::Code;

/// What a referrer of Notation's is called in `artifactType`.
pub const ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";

/// The layer of a JSON web signature.
pub const JWS: &str = "application/jose+json";

/// A signature of Notation's. Of its two envelopes COSE is not read.
///
/// # Errors
/// [`BadJws`]: the other envelope is not in order.
pub fn read(media_type: &str, bytes: &[u8]) -> Result<Signed, BadJws> {
    if media_type == JWS {
        return Ok(Signed::Jws(Box::new(Jws::parse(bytes)?)));
    }
    let detail = format!(
        "it is in an envelope of type {media_type:?}; sign with `notation sign --signature-format \
         jws`"
    );
    Ok(Signed::Unsupported { format: FORMAT, code: Code::SignatureCertificate, detail })
}

/// The word for these in `format`, and for what they attest.
pub const FORMAT: &str = "notation";
