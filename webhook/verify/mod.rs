//! Who said it: authorities, keyrings, signatures.
//!
//! ```text
//! Candidate ──Trust::open──▶ Opened ──Trust::judge──▶ Judged { verified, rejected }
//!            signatures only          keys now, scope, identity
//! ```
//!
//! [`Trust::open`] is dear and depends on nothing but the keys, so its result may be kept.
//! [`Trust::judge`] is cheap and runs on every review: what a key may do changes with time, and
//! what a signature is for depends on the image.

mod again;
mod armor;
mod authority;
mod certified;
mod chain;
mod claim;
pub mod describe;
mod golang;
mod identity;
mod judge;
mod key;
mod keys;
mod maker;
mod material;
mod message;
pub mod oids;
mod open;
mod payload;
mod pkix;
mod root;
mod scope;
mod standing;
mod stated;
mod subject;
mod trust;
mod verified;

pub use authority::{AfterExpiry, Attests, Authority, BadAttests, Identity, LayersCheckedBy};
pub use claim::ClaimedSigner;
pub use identity::{BadIdentityMap, IdentityMap};
pub use key::{Key, KeyError, fingerprint as openpgp_fingerprint};
pub use open::Opened;
pub use subject::{BadTrustedIdentity, TrustedIdentity};
pub use trust::{Trust, TrustError};
pub use verified::{
    Image, Judged, Layers, LayersUnchecked, Level, Rejection, Signer, SubjectImage, Verified,
};
