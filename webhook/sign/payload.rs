//! The bytes that are signed: simple signing and in-toto statements.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    name::PinnedImage,
    verify::{Attests, Verified},
};

/// What is said about an image.
#[derive(Clone, Debug)]
pub enum Claim {
    /// "This is the image": the payload of podman and Kritis.
    SimpleSigning,
    /// An in-toto statement around a predicate.
    Statement {
        /// What kind of predicate it is.
        predicate_type: PredicateType,
        /// The predicate, as the file had it.
        predicate: Value,
    },
    /// "This is the configuration", of an image that is named by its ID: the payload of ocibuilder.
    ImageId,
}

impl Claim {
    /// The predicate type as policies see it: `simple-signing` or the statement's URI.
    pub fn predicate_type(&self) -> &str {
        match self {
            Self::SimpleSigning => "simple-signing",
            Self::ImageId => "image-id",
            Self::Statement { predicate_type, .. } => predicate_type.as_str(),
        }
    }

    /// A statement of that type, whatever the type is.
    pub(super) fn statement(predicate_type: &str, predicate: Value) -> Self {
        Self::Statement { predicate_type: PredicateType(predicate_type.to_owned()), predicate }
    }

    /// The predicate as text, empty where there is none: tells two statements of one type apart.
    pub(super) fn predicate_text(&self) -> String {
        match self {
            Self::SimpleSigning | Self::ImageId => String::new(),
            Self::Statement { predicate, .. } => predicate.to_string(),
        }
    }

    /// What an authority must attest for this claim to count.
    pub fn attests(&self) -> Attests {
        match self {
            Self::SimpleSigning => Attests::SimpleSigning,
            Self::ImageId => Attests::ImageId,
            Self::Statement { predicate_type, .. } => {
                Attests::Predicate(predicate_type.as_str().to_owned())
            }
        }
    }

    /// Whether `verified` says just this; when it was said does not matter.
    pub fn is_said_by(&self, verified: &Verified) -> bool {
        verified.predicate_type() == self.predicate_type()
            && match self {
                Self::SimpleSigning | Self::ImageId => true,
                Self::Statement { predicate, .. } => verified.predicate() == predicate,
            }
    }

    /// The bytes to sign for `image`. They bind digest, repository, type and, for simple signing,
    /// which has no other place for it, the time.
    pub fn payload(&self, image: &PinnedImage, now: Timestamp) -> Vec<u8> {
        let repository = image.repository.to_string();
        match self {
            Self::SimpleSigning => json!({
                "critical": {
                    "identity": {"docker-reference": repository},
                    "image": {"docker-manifest-digest": image.digest.to_string()},
                    "type": "atomic container signature",
                },
                "optional": {"creator": CREATOR, "timestamp": now.as_second()},
            }),
            Self::ImageId => return image.digest.to_string().into_bytes(),
            Self::Statement { predicate_type, predicate } => {
                statement(image, predicate_type, predicate)
            }
        }
        .to_string()
        .into_bytes()
    }
}

/// An in-toto statement v1 about one image.
pub(super) fn statement(
    image: &PinnedImage,
    predicate_type: &PredicateType,
    predicate: &Value,
) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "name": image.repository.to_string(),
            "digest": {image.digest.algorithm(): image.digest.hex()},
        }],
        "predicateType": predicate_type.as_str(),
        "predicate": predicate,
    })
}

/// The `optional.creator` of our simple signatures.
const CREATOR: &str = concat!("countersign ", env!("CARGO_PKG_VERSION"));

/// A predicate type: a URI, or one of the short names that the field uses for some.
///
/// ```
/// use countersign::sign::PredicateType;
///
/// let kind: PredicateType = "provenance".parse().unwrap();
/// assert_eq!(kind.as_str(), "https://slsa.dev/provenance/v1");
/// assert!("provenence".parse::<PredicateType>().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PredicateType(String);

impl PredicateType {
    /// SLSA provenance v1.
    pub fn provenance() -> Self {
        Self(PROVENANCE.to_owned())
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PredicateType {
    type Err = BadPredicateType;

    fn from_str(text: &str) -> Result<Self, BadPredicateType> {
        if let Some((_, uri)) = SHORT_NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*uri).to_owned()));
        }
        match url::Url::parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(BadPredicateType(text.to_owned())),
        }
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A predicate type that is neither a URI nor a short name.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no predicate type; give a URI such as https://slsa.dev/provenance/v1, or one of \
     provenance, provenance-v0.2, vulnerabilities, sbom, spdx, cyclonedx"
)]
pub struct BadPredicateType(String);

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

const SHORT_NAMES: [(&str, &str); 6] = [
    ("provenance", PROVENANCE),
    ("provenance-v0.2", "https://slsa.dev/provenance/v0.2"),
    ("vulnerabilities", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("sbom", "https://spdx.dev/Document"),
    ("spdx", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
];
