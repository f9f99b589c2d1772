//! What cosign writes beside an image: layers under its `.sig` and `.att` tags, and bundles.
//!
//! Specified by sigstore/cosign (`specs/SIGNATURE_SPEC.md`, `specs/BUNDLE_SPEC.md`) and
//! sigstore/protobuf-specs. Tekton Chains writes the same. A certificate beside a signature is a
//! hint like any other: where a key that is known here made the signature it counts, and where none
//! did, the certificate says to a person whose it is.

mod bundle;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    BadEnvelope, Envelope, RawSignature, Signed, artifact::ENVELOPE_LAYER, certificate::describe,
};

pub use bundle::{BadBundle, read_bundle};

/// What a referrer that holds a bundle is called in `artifactType`, and its one layer.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What referrers are called that hold the same layers as the tags do, as an experiment of
/// cosign 2.
pub const LAYERED: [&str; 2] = [
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.cosign.artifact.att.v1+json",
];

/// The ends of the tags under which cosign keeps signatures and attestations.
pub const TAGS: [&str; 2] = ["sig", "att"];

/// The types of the layers that cosign signs.
pub const LAYERS: [&str; 2] = [SIMPLE_SIGNING_LAYER, ENVELOPE_LAYER];

/// Why a layer is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum BadLayer {
    /// Not one of the layers that cosign signs.
    #[error("its layer is of type {0:?}, which is none that cosign signs")]
    MediaType(String),
    /// A payload without the signature that should be annotated.
    #[error("its layer has no signature in {SIGNATURE}")]
    Unsigned,
    /// No DSSE envelope.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
}

/// What a layer under one of cosign's tags carries.
///
/// # Errors
/// The layer is of another type, has no signature, or is not what its type says.
pub fn read_layer(
    media_type: &str,
    annotations: &BTreeMap<String, String>,
    bytes: Bytes,
) -> Result<Signed, BadLayer> {
    let signed = match media_type {
        SIMPLE_SIGNING_LAYER => {
            let signature = annotations.get(SIGNATURE).filter(|text| !text.is_empty());
            let signature = signature.and_then(|text| STANDARD.decode(text).ok());
            let bytes_of_it = signature.ok_or(BadLayer::Unsigned)?.into();
            let signatures = vec![RawSignature { bytes: bytes_of_it, key_id: None }];
            Signed::Raw { payload: bytes, signatures }
        }
        ENVELOPE_LAYER => Signed::Dsse(Envelope::parse(&bytes)?),
        other => return Err(BadLayer::MediaType(other.to_owned())),
    };
    Ok(match annotations.get(CERTIFICATE).filter(|pem| !pem.trim().is_empty()) {
        Some(pem) => certified(CertificateDer::from_pem_slice(pem.as_bytes()).as_deref(), signed),
        None => signed,
    })
}

/// A signature beside which a certificate stands.
fn certified<E>(certificate: Result<&[u8], E>, signed: Signed) -> Signed {
    let holder = describe(certificate.unwrap_or_default());
    Signed::Certified { holder, signed: Box::new(signed) }
}

const SIMPLE_SIGNING_LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_the_layers_type_decides_what_it_carries() {
        let annotated = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let envelope = r#"{"payloadType":"t","payload":"","signatures":[{"sig":"AA=="}]}"#;
        let simple = SIMPLE_SIGNING_LAYER;
        for (name, media_type, annotations, bytes, want) in [
            ("signature", simple, annotated(&[(SIGNATURE, "AA==")]), "{}", Ok("raw")),
            ("attestation", ENVELOPE_LAYER, annotated(&[(SIGNATURE, "")]), envelope, Ok("dsse")),
            (
                "certificate empty, as Chains leaves it",
                simple,
                annotated(&[(SIGNATURE, "AA=="), (CERTIFICATE, "")]),
                "{}",
                Ok("raw"),
            ),
            (
                "certificate unreadable",
                simple,
                annotated(&[(SIGNATURE, "AA=="), (CERTIFICATE, "x")]),
                "{}",
                Ok("a certificate that cannot be read"),
            ),
            ("unsigned", simple, annotated(&[]), "{}", Err("has no signature")),
            ("empty", simple, annotated(&[(SIGNATURE, "")]), "{}", Err("has no signature")),
            ("no base64", simple, annotated(&[(SIGNATURE, "!")]), "{}", Err("has no signature")),
            ("no envelope", ENVELOPE_LAYER, annotated(&[]), "{}", Err("no DSSE envelope")),
            ("an SBOM", "text/spdx+json", annotated(&[]), "{}", Err("none that cosign signs")),
        ] {
            let read = read_layer(media_type, &annotations, bytes.into());
            let read = read.map(|signed| match signed {
                Signed::Certified { holder, .. } => holder,
                other => other.format().to_owned(),
            });
            match (read, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{name}"),
                (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
