//! Why there is no connection, as far as TLS tells.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What stood in the way of a connection. Reads on after whom we asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreached {
    /// No address, no route, nobody there, or it broke.
    #[error("could not be reached; check its name, and that it is up")]
    Connection,
    #[error("has a certificate that has expired; have it renewed, or set the clock here right")]
    Expired,
    #[error(
        "has a certificate that is not valid yet; set the clock right, here or where it was made"
    )]
    NotYet,
    #[error(
        "has a certificate of an authority that is not trusted here; configure that authority as \
         its `ca`"
    )]
    Issuer,
    #[error(
        "has a certificate for another name; ask for it by a name that is in the certificate, or \
         have this one put in"
    )]
    OtherName,
    #[error("has a certificate that cannot be relied on; have another one made for it")]
    Certificate,
    #[error("asks for a client certificate, or for another one; configure one that it trusts")]
    Client,
    #[error("does not speak TLS; set `plainHttp` for it if it is to be asked without")]
    NoTls,
}

impl Unreached {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(tls) = inner.downcast_ref() {
                return Self::of_tls(tls);
            }
            // An I/O error passes over what it wraps when asked for its source.
            let wrapped = inner.downcast_ref().and_then(io::Error::get_ref);
            cause = wrapped.map_or_else(|| inner.source(), |wrapped| Some(wrapped));
        }
        Self::Connection
    }

    fn of_tls(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(why) => Self::of_certificate(why),
            TlsError::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateExpired,
            ) => Self::Client,
            TlsError::InvalidMessage(_) => Self::NoTls,
            _ => Self::Connection,
        }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYet
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            // By a bad signature: an authority of the same name, made anew with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Issuer,
            _ => Self::Certificate,
        }
    }
}
