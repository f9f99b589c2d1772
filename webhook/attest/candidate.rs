//! Evidence as it was found: where, and which bytes carry which signature.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Envelope, Jws, notation};
use crate::name::{Code, NoteName};

/// One piece of evidence that somebody stored for an image. Nothing in it is proven.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it was found: the name of a store, or one of [`super::sources`].
    pub source: Arc<str>,
    /// What it is called there, for people: an occurrence, `repository@digest`, a path.
    pub name: String,
    /// The note that an occurrence stands under; it narrows an authority's scope, nothing more.
    pub note: Option<NoteName>,
    /// When the store says that it recorded this.
    pub recorded_at: Option<Timestamp>,
    /// The signature or signatures and what carries them.
    pub signed: Signed,
}

impl Candidate {
    /// Evidence that stands under no note, and whose source does not say when it got it.
    pub fn new(source: impl Into<Arc<str>>, name: impl Into<String>, signed: Signed) -> Self {
        let (source, name) = (source.into(), name.into());
        Self { source, name, note: None, recorded_at: None, signed }
    }
}

/// How signature and payload travel together.
#[derive(Clone, Debug)]
pub enum Signed {
    /// One signed OpenPGP message with the payload inside: binary, armored whatever the label
    /// says, or base64 around armor.
    OpenPgpMessage(Bytes),
    /// A detached OpenPGP signature over an image ID, as ocibuilder writes it.
    OpenPgpDetached(Bytes),
    /// Signatures over the payload's own bytes. Each is a PKIX one, or an OpenPGP message whose
    /// literal is the payload once more.
    Raw { payload: Bytes, signatures: Vec<RawSignature> },
    /// A DSSE envelope: the signatures cover payload type and payload together.
    Dsse(Envelope),
    /// Any of these beside a certificate, which is for `holder` if one believes it. Where none of
    /// our keys made the signatures, that is why.
    Certified { holder: String, signed: Box<Self> },
    /// A DSSE envelope around a statement about the value that travels beside it.
    Metadata { envelope: Envelope, value: Bytes },
    /// A JSON web signature of Notation's, with the certificates of its key.
    Jws(Box<Jws>),
    /// Something that we recognize but do not verify. It is reported, so that its owner learns
    /// why it does not count.
    Unsupported { format: &'static str, code: Code, detail: String },
}

/// One of the signatures over a payload that travels beside them.
#[derive(Clone, Debug)]
pub struct RawSignature {
    pub bytes: Bytes,
    /// A hint which key made it, never proof.
    pub key_id: Option<String>,
}

impl Signed {
    /// The word for this carrier in `attestations[].format` and `rejected[].format`.
    pub fn format(&self) -> &'static str {
        match self {
            Self::OpenPgpMessage(_) => "openpgp",
            Self::OpenPgpDetached(_) => "openpgp-detached",
            Self::Raw { .. } => "raw",
            Self::Dsse(_) | Self::Metadata { .. } => "dsse",
            Self::Certified { signed, .. } => signed.format(),
            Self::Jws(_) => notation::FORMAT,
            Self::Unsupported { format, .. } => format,
        }
    }
}
