//! Reason codes.

use std::{fmt, str::FromStr};

use super::serial::as_text;

/// The stable word for why something was denied, rejected or not checked.
///
/// People meet them in denial texts, operators in metrics, programs in `--output json`; none is
/// ever renamed. Rules have codes of their own beside these.
///
/// ```
/// use countersign::name::Code;
///
/// assert_eq!(Code::SignatureUnknownKey.as_str(), "signature.unknown-key");
/// assert!(Code::RegistryUnreachable.retryable());
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Code {
    /// The image reference does not parse.
    ImageReference,
    /// Its registry or repository is not in `registries.allow`.
    ImageRefused,
    /// An image of a Pod names no digest at `/validate`.
    ImageUnpinned,
    /// Its digest, or that of a platform of it that can run, is under `revoked`.
    ImageRevoked,
    /// The registry says that there is no such manifest.
    ImageNotFound,
    /// What the registry sent does not hash to the digest that was asked for.
    ImageDigestMismatch,
    /// No image manifest or index that we know, or an index of which nothing can run here.
    ImageUnsupported,
    /// The registry did not answer in time.
    RegistryUnreachable,
    /// The registry answered 401 or 403 to the credentials that we have.
    RegistryUnauthorized,
    /// The registry answered 429, after waiting too.
    RegistryLimited,
    /// The registry's answer is not the protocol.
    RegistryInvalid,
    /// The registry's token realm is on a host that may not see the credentials.
    RegistryRealmRefused,
    /// The registry redirected to where a request must not go.
    RegistryRedirectRefused,
    /// The host resolved to an address that is not for the public, and is not configured.
    RegistryAddressRefused,
    /// The Grafeas server did not answer in time.
    StoreUnreachable,
    /// The Grafeas server answered 401 or 403 to the credentials that we have.
    StoreUnauthorized,
    /// The Grafeas server answered 429, after waiting too.
    StoreLimited,
    /// The Grafeas server's answer is not the protocol.
    StoreInvalid,
    /// A cap on bytes, pages or count was hit; the text names the cap.
    EvidenceTooMuch,
    /// Not parsable, or more than one message or literal.
    SignatureMalformed,
    /// The signature does not verify.
    SignatureInvalid,
    /// No authority has the key.
    SignatureUnknownKey,
    /// Made with a certificate that no authority trusts, or that is not verified here.
    SignatureCertificate,
    /// The signature is past its own expiry.
    SignatureExpired,
    /// Made with a hash or key that policy no longer accepts.
    SignatureWeak,
    /// The signer's certificate or subkey has expired.
    KeyExpired,
    /// The signer's certificate or subkey is revoked.
    KeyRevoked,
    /// The signer's certificate does not let this key sign.
    KeyNotForSigning,
    /// Signed, but not a payload that we know.
    PayloadMalformed,
    /// Signed, but about another digest.
    PayloadOtherImage,
    /// Signed, but about another repository.
    PayloadOtherRepository,
    /// A signature over an image ID whose layers nobody compares.
    PayloadLayersUnbound,
    /// Signed by the authority's key, but under another note.
    ScopeNote,
    /// Signed by the authority's key, but of a type that it may not attest.
    ScopeType,
    /// Signed by the authority's key, but from a source that is not its.
    ScopeSource,
    /// Signed by the authority's key, but of a digest that `platforms` does not count.
    ScopePlatform,
    /// A rule failed.
    PolicyError,
    /// A rule has no result.
    PolicyUndefined,
    /// A rule took too long.
    PolicyTimeout,
    /// A rule used too much memory.
    PolicyMemory,
    /// The review is not one that can be judged.
    ReviewInvalid,
    /// The review has more bytes or images than the limits allow.
    ReviewTooLarge,
    /// The review's time ran out.
    ReviewDeadline,
    /// No enforcing policy matches the image, and `unmatched` is `deny`.
    ReviewUnmatched,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 44] = [
        Self::ImageReference,
        Self::ImageRefused,
        Self::ImageUnpinned,
        Self::ImageRevoked,
        Self::ImageNotFound,
        Self::ImageDigestMismatch,
        Self::ImageUnsupported,
        Self::RegistryUnreachable,
        Self::RegistryUnauthorized,
        Self::RegistryLimited,
        Self::RegistryInvalid,
        Self::RegistryRealmRefused,
        Self::RegistryRedirectRefused,
        Self::RegistryAddressRefused,
        Self::StoreUnreachable,
        Self::StoreUnauthorized,
        Self::StoreLimited,
        Self::StoreInvalid,
        Self::EvidenceTooMuch,
        Self::SignatureMalformed,
        Self::SignatureInvalid,
        Self::SignatureUnknownKey,
        Self::SignatureCertificate,
        Self::SignatureExpired,
        Self::SignatureWeak,
        Self::KeyExpired,
        Self::KeyRevoked,
        Self::KeyNotForSigning,
        Self::PayloadMalformed,
        Self::PayloadOtherImage,
        Self::PayloadOtherRepository,
        Self::PayloadLayersUnbound,
        Self::ScopeNote,
        Self::ScopeType,
        Self::ScopeSource,
        Self::ScopePlatform,
        Self::PolicyError,
        Self::PolicyUndefined,
        Self::PolicyTimeout,
        Self::PolicyMemory,
        Self::ReviewInvalid,
        Self::ReviewTooLarge,
        Self::ReviewDeadline,
        Self::ReviewUnmatched,
    ];

    /// The code as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImageReference => "image.reference",
            Self::ImageRefused => "image.refused",
            Self::ImageUnpinned => "image.unpinned",
            Self::ImageRevoked => "image.revoked",
            Self::ImageNotFound => "image.not-found",
            Self::ImageDigestMismatch => "image.digest-mismatch",
            Self::ImageUnsupported => "image.unsupported",
            Self::RegistryUnreachable => "registry.unreachable",
            Self::RegistryUnauthorized => "registry.unauthorized",
            Self::RegistryLimited => "registry.limited",
            Self::RegistryInvalid => "registry.invalid",
            Self::RegistryRealmRefused => "registry.realm-refused",
            Self::RegistryRedirectRefused => "registry.redirect-refused",
            Self::RegistryAddressRefused => "registry.address-refused",
            Self::StoreUnreachable => "store.unreachable",
            Self::StoreUnauthorized => "store.unauthorized",
            Self::StoreLimited => "store.limited",
            Self::StoreInvalid => "store.invalid",
            Self::EvidenceTooMuch => "evidence.too-much",
            Self::SignatureMalformed => "signature.malformed",
            Self::SignatureInvalid => "signature.invalid",
            Self::SignatureUnknownKey => "signature.unknown-key",
            Self::SignatureCertificate => "signature.certificate",
            Self::SignatureExpired => "signature.expired",
            Self::SignatureWeak => "signature.weak",
            Self::KeyExpired => "key.expired",
            Self::KeyRevoked => "key.revoked",
            Self::KeyNotForSigning => "key.not-for-signing",
            Self::PayloadMalformed => "payload.malformed",
            Self::PayloadOtherImage => "payload.other-image",
            Self::PayloadOtherRepository => "payload.other-repository",
            Self::PayloadLayersUnbound => "payload.layers-unbound",
            Self::ScopeNote => "scope.note",
            Self::ScopeType => "scope.type",
            Self::ScopeSource => "scope.source",
            Self::ScopePlatform => "scope.platform",
            Self::PolicyError => "policy.error",
            Self::PolicyUndefined => "policy.undefined",
            Self::PolicyTimeout => "policy.timeout",
            Self::PolicyMemory => "policy.memory",
            Self::ReviewInvalid => "review.invalid",
            Self::ReviewTooLarge => "review.too-large",
            Self::ReviewDeadline => "review.deadline",
            Self::ReviewUnmatched => "review.unmatched",
        }
    }

    /// Whether the same request may succeed a little later: such denials are answered with 503,
    /// provided that nothing else in the review is final.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RegistryUnreachable
                | Self::RegistryLimited
                | Self::StoreUnreachable
                | Self::StoreLimited
                | Self::ReviewDeadline
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

as_text!(Code);

/// A word that is none of the codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of the reason codes of the documentation")]
pub struct UnknownCode;
