//! Whom an X.509 certificate is for, in words for a person.
//!
//! Whoever signed with a certificate that counts for nobody learns from this which of their
//! identities it was.

use spki::{
    ObjectIdentifier,
    der::{
        Decode as _, Header, Reader, Result, SliceReader, Tag, TagNumber,
        asn1::{AnyRef, Utf8StringRef},
    },
};

use super::x509::{ATTRIBUTES, Attribute, X509, attributes};

/// Subject (or the names that stand for it) and issuer of a certificate (RFC 5280 §4.1) in DER,
/// such as `https://ci.example/release, by the word of https://ci.example`.
///
/// Nothing is proven by it: not that anybody issued the certificate, nor that it is one at all.
pub fn describe(certificate: &[u8]) -> String {
    read(certificate).unwrap_or_else(|_| "a certificate that cannot be read".to_owned())
}

fn read(certificate: &[u8]) -> Result<String> {
    let certificate = X509::from_der(certificate)?;
    let (mut names, mut vouched_by) = (Vec::new(), None);
    for (kind, value) in &certificate.others {
        match *kind {
            ALTERNATIVE_NAME => names = alternative_names(value)?,
            // Who told Fulcio the name: the issuer of the OpenID token.
            FULCIO_ISSUER => vouched_by = Some(text(value)),
            FULCIO_ISSUER_V2 => {
                vouched_by = Some(Utf8StringRef::from_der(value)?.as_str().to_owned());
            }
            _ => {}
        }
    }
    let whom = if names.is_empty() { name(&certificate.attributes) } else { names.join(", ") };
    Ok(match vouched_by {
        Some(provider) => format!("{whom}, by the word of {provider}"),
        None => format!("{whom}, issued by {}", name(&attributes(&certificate.issuer)?)),
    })
}

fn alternative_names(value: &[u8]) -> Result<Vec<String>> {
    let names = AnyRef::from_der(value)?;
    let mut names = SliceReader::new(names.value())?;
    let mut found = Vec::new();
    while !names.is_finished() && found.len() < MOST_NAMES {
        let tag = names.peek_tag()?;
        let name = AnyRef::decode(&mut names)?.value();
        match tag {
            OTHER_NAME => found.push(other_name(name)?),
            MAIL | HOST | URI => found.push(text(name)),
            _ => {}
        }
    }
    Ok(found)
}

/// The text of a name of another kind, as Fulcio writes names of users.
fn other_name(name: &[u8]) -> Result<String> {
    let mut reader = SliceReader::new(name)?;
    ObjectIdentifier::decode(&mut reader)?;
    Header::decode(&mut reader)?;
    Ok(text(AnyRef::decode(&mut reader)?.value()))
}

/// A distinguished name, each part as `CN=value`, in its order.
fn name(attributes: &[Attribute]) -> String {
    let parts = attributes.iter().take(MOST_NAMES).map(|(kind, value)| {
        let value = value.as_deref().unwrap_or("?");
        match ATTRIBUTES.iter().find(|(known, _)| known == kind) {
            Some((_, short)) => format!("{short}={value}"),
            None => format!("{kind}={value}"),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const OTHER_NAME: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N0 };
const MAIL: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber::N1 };
const HOST: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber::N2 };
const URI: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber::N6 };

const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const FULCIO_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const FULCIO_ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");

/// More names than a person reads.
const MOST_NAMES: usize = 8;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn the_holder_of_a_certificate_is_named() {
        let plain = DistinguishedName::new();
        let mut person = DistinguishedName::new();
        person.push(DnType::OrganizationName, "Acme");
        person.push(DnType::CommonName, "ci");
        let uri = vec![SanType::URI("https://ci.example/release".try_into().unwrap())];
        let old = (&[1, 3, 6, 1, 4, 1, 57264, 1, 1][..], b"https://id.example".to_vec());
        let new = (&[1, 3, 6, 1, 4, 1, 57264, 1, 8][..], b"\x0c\x12https://id.example".to_vec());
        for (name, subject, names, extensions, want) in [
            ("subject", &person, vec![], vec![], "O=Acme, CN=ci, issued by O=Acme, CN=ci"),
            ("names", &person, uri.clone(), vec![], "https://ci.example/release, issued by O=Acme"),
            (
                "Fulcio",
                &plain,
                uri.clone(),
                vec![old],
                "https://ci.example/release, by the word of https://id.example",
            ),
            (
                "Fulcio, newer",
                &plain,
                uri,
                vec![new],
                "https://ci.example/release, by the word of https://id.example",
            ),
        ] {
            let mut params = CertificateParams::default();
            params.distinguished_name = subject.clone();
            params.subject_alt_names = names;
            params.custom_extensions = extensions
                .into_iter()
                .map(|(oid, value)| CustomExtension::from_oid_content(oid, value))
                .collect();
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let told = describe(certificate.der());
            assert!(told.starts_with(want), "{name}: {told}");
            for at in 0..certificate.der().len() {
                let mut broken = certificate.der().to_vec();
                broken[at] ^= 0xff;
                let _any_text = describe(&broken);
            }
        }
        assert_eq!(describe(b"x"), "a certificate that cannot be read");
    }
}
