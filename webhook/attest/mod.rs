//! What evidence says, whatever carried it: payloads and the codecs of their carriers.
//!
//! ```text
//! source ──▶ Candidate ──▶ verify ──▶ Meaning
//!            Signed: who carried the signature over the bytes
//!            Meaning: what those bytes say, by the one table in `meaning`
//! ```
//!
//! Nothing here is trusted: a [`Candidate`] is only what somebody stored somewhere.

pub mod artifact;
pub mod buildkit;
mod candidate;
pub mod certificate;
mod compact;
mod dsse;
pub mod grafeas;
mod json;
mod jws;
pub mod manifesto;
mod meaning;
pub mod metadata;
pub mod notation;
pub mod oci;
mod referrer;
pub mod sigstore;
mod simple_signing;
pub mod sources;
mod statement;
mod target;
pub mod x509;

pub use candidate::{Candidate, RawSignature, Signed};
pub use compact::CompactJson;
pub use dsse::{BadEnvelope, Envelope, EnvelopeSignature, pae};
pub use json::{BadJson, parse_json};
pub use jws::{BadJws, Jws, JwsAlgorithm};
pub use meaning::{BadMeaning, Carrier, IN_TOTO, Meaning};
pub use referrer::{BadReferrer, SignedReferrer};
pub use simple_signing::{BadSimpleSigning, SimpleSigning, SimpleSigningKind};
pub use statement::{BadStatement, STATEMENT_TYPE, Statement, Subject, SubjectDigests};
pub use target::{BadTarget, Target};
