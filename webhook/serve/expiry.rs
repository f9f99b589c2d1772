//! Until when a certificate is valid, for the metric that warns of its end.

use jiff::Timestamp;
use spki::der::{
    Decode as _, Header, Reader as _, SliceReader, Tag,
    asn1::{AnyRef, GeneralizedTime, UtcTime},
};

/// `notAfter` of an X.509 certificate (RFC 5280 §4.1) in DER; `None` if it cannot be found.
///
/// Nothing is decided by it: whether a certificate is valid, the caller judges.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let seconds = read(certificate).ok()?;
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

fn read(certificate: &[u8]) -> spki::der::Result<u64> {
    let mut reader = SliceReader::new(certificate)?;
    Header::decode(&mut reader)?; // Certificate
    Header::decode(&mut reader)?; // TBSCertificate
    if reader.peek_tag()?.is_context_specific() {
        AnyRef::decode(&mut reader)?; // version
    }
    AnyRef::decode(&mut reader)?; // serialNumber
    AnyRef::decode(&mut reader)?; // signature
    AnyRef::decode(&mut reader)?; // issuer
    Header::decode(&mut reader)?; // validity
    AnyRef::decode(&mut reader)?; // notBefore
    let end = match reader.peek_tag()? {
        Tag::UtcTime => UtcTime::decode(&mut reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(&mut reader)?.to_unix_duration(),
    };
    Ok(end.as_secs())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_validity_is_found() {
        for (year, want) in [(2030, "2030-06-01T00:00:00Z"), (2060, "2060-06-01T00:00:00Z")] {
            let mut params = CertificateParams::new(vec!["gate".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 6, 1);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(not_after(certificate.der()), Some(want.parse().unwrap()), "{year}");
        }
        assert_eq!(not_after(b"no certificate"), None);
        assert_eq!(not_after(&[]), None);
    }
}
