//! Peers in process: an OCI registry and a Grafeas server that speak real HTTP on 127.0.0.1,
//! with latency, faults and lies on demand, and builders for everything that goes into them.
//!
//! Used by tests, benches and the demo. It does not depend on `countersign`: what it makes and
//! signs is made without the product's help, so that the two cannot agree on an error.
//!
//! # Peers
//! [`Registry`], [`Grafeas`], [`TokenService`] and [`Peer`] (any function) each run on a thread of
//! their own until dropped, so that tests need no runtime for them. All are [`Peer`]s:
//! - where: [`Peer::host`], [`Peer::localhost`] (the same under another name), [`Peer::url`];
//!   how: [`Listen`] (plain, TLS by a [`Ca`], client certificates, a fixed port);
//! - what went wrong: [`Peer::fault`] with [`On`] (which requests) and [`Fault`] (what happens),
//!   [`Peer::latency`], [`Peer::stop`], back to normal with [`Peer::heal`];
//! - what was asked: [`Peer::requests`], [`Peer::count`] by [`Kind`], [`Request::mentions`] for
//!   secrets that went astray, [`round_trips`] for the longest chain of requests.
//!
//! # Contents
//! [`image()`], [`index()`] and [`artifact()`] build a [`Content`], the same bytes each time. Put it
//! into a registry with [`Registry::put_image`], [`Registry::put`] or [`Registry::attach`]. Move a
//! tag with [`Registry::tag`]. [`attestation_pgp`] and its neighbors are occurrences for
//! [`Grafeas::put`]; [`Quirks`] are what real servers get wrong.
//!
//! # Signatures
//! [`Key::generate`], or [`Key::options`] for one that is old, expired, of version 6, that may not
//! sign; [`Key::revoked`]. [`Key::sign_message`], [`Key::sign_detached`], or [`Key::signing`] for
//! any other wrapping. [`PkixKey`] is ECDSA in PEM. [`forms`] has evidence of each carrier, and
//! [`Form::hang`] puts it there. Payloads: [`simple_signing`], [`statement`],
//! [`signed_statement`] (DSSE). [`review`] is what the API server posts.
//!
//! ```
//! use countersign_kit::{
//!     Fault, Grafeas, Key, Kind, On, Registry, artifact, attestation_pgp, image, simple_signing,
//! };
//! # use std::time::Duration;
//! let (registry, grafeas) = (Registry::start(), Grafeas::start());
//! let shop = image("shop").build();
//! registry.put_image("acme/shop", "1.4", &shop);
//! let repository = format!("{}/acme/shop", registry.host());
//!
//! // The image, attested in both places.
//! let key = Key::generate("Acme builder <builder@acme.example>");
//! let payload = simple_signing(&repository, &shop.digest());
//! let uri = format!("https://{repository}@{}", shop.digest());
//! grafeas.put_note("projects/acme/notes/qa");
//! let signed = key.sign_message_armored(&payload);
//! let note = "projects/acme/notes/qa";
//! grafeas.put("projects/acme", attestation_pgp(&uri, note, &signed, &key.fingerprint()));
//! let attestation = artifact("application/vnd.countersign.attestation.v1")
//!     .subject(&shop)
//!     .inline("application/vnd.countersign.simple-signing.v1+pgp", key.sign_message(&payload));
//! registry.attach("acme/shop", &attestation.build());
//!
//! // A registry that is slow, and lies about the first manifest it is asked for.
//! registry.latency(Duration::from_millis(20));
//! registry.fault(On::kind(Kind::Manifest).first(1), Fault::padded());
//! assert_eq!(registry.count(Kind::Manifest), 0);
//! ```

mod engine;
mod form;
mod grafeas;
mod image;
mod key;
mod payload;
mod peer;
mod registry;
mod review;
mod tls;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

pub use engine::{Engine, EngineKind};
pub use form::{Carrier, Evidence, Form, Keys, NAMED, Spot, forms, occurrence_pgp, occurrence_v1};
pub use grafeas::{
    Grafeas, Quirks, attestation_generic, attestation_pgp, attestation_v1, build_occurrence,
    occurrence, vulnerability_occurrence,
};
pub use image::{Artifact, Content, Image, Index, artifact, image, index, tar};
pub use key::{Key, KeyOptions, Notary, PkixKey, Revocation, Signing, keyring, keyring_armored};
pub use payload::{
    IN_TOTO, envelope, pae, signed_statement, simple_signing, simple_signing_of, statement,
};
pub use peer::{Answer, Fault, Kind, Listen, On, Peer, Request, Rewrite, round_trips};
pub use registry::{Auth, Referrers, Registry, RegistryOptions, TokenService, Users};
pub use review::{Review, review};
pub use tls::{Ca, Certificate};

/// `sha256:` and the hex digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        text.extend(
            [byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)])),
        );
    }
    text
}

/// Standard base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of standard base64, if it is that.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The media type of the empty descriptor.
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
