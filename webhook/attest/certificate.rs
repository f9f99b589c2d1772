//! Whom an X.509 certificate is for, in words for a person.
//!
//! Whoever signed with a certificate that counts for nobody learns from this which of their
//! identities it was.

use spki::{
    ObjectIdentifier,
    der::{
        Decode as _, Header, Reader, Result, SliceReader, Tag, TagNumber,
        asn1::{AnyRef, OctetStringRef, Utf8StringRef},
    },
};

use super::x509::ATTRIBUTES;

/// Subject (or the names that stand for it) and issuer of a certificate (RFC 5280 §4.1) in DER,
/// such as `https://ci.example/release, by the word of https://ci.example`.
///
/// Nothing is proven by it: not that anybody issued the certificate, nor that it is one at all.
pub fn describe(certificate: &[u8]) -> String {
    read(certificate).unwrap_or_else(|_| "a certificate that cannot be read".to_owned())
}

fn read(certificate: &[u8]) -> Result<String> {
    let mut reader = SliceReader::new(certificate)?;
    Header::decode(&mut reader)?; // Certificate
    Header::decode(&mut reader)?; // TBSCertificate
    if reader.peek_tag()?.is_context_specific() {
        AnyRef::decode(&mut reader)?; // version
    }
    AnyRef::decode(&mut reader)?; // serialNumber
    AnyRef::decode(&mut reader)?; // signature
    let issuer = name(AnyRef::decode(&mut reader)?)?;
    AnyRef::decode(&mut reader)?; // validity
    let subject = name(AnyRef::decode(&mut reader)?)?;
    AnyRef::decode(&mut reader)?; // subjectPublicKeyInfo
    let mut found = Extensions::default();
    if reader.peek_tag()? == EXTENSIONS {
        Header::decode(&mut reader)?;
        found.read(AnyRef::decode(&mut reader)?)?;
    }
    let whom = if found.names.is_empty() { subject } else { found.names.join(", ") };
    Ok(match found.vouched_by {
        Some(provider) => format!("{whom}, by the word of {provider}"),
        None => format!("{whom}, issued by {issuer}"),
    })
}

/// What its extensions say about its holder.
#[derive(Default)]
struct Extensions {
    /// Its alternative names.
    names: Vec<String>,
    /// Who told Fulcio the name: the issuer of the `OpenID` token.
    vouched_by: Option<String>,
}

impl Extensions {
    fn read(&mut self, extensions: AnyRef<'_>) -> Result<()> {
        let mut list = SliceReader::new(extensions.value())?;
        while !list.is_finished() {
            list.sequence(|extension| {
                let kind = ObjectIdentifier::decode(extension)?;
                if extension.peek_tag()? == Tag::Boolean {
                    bool::decode(extension)?; // critical
                }
                let value = OctetStringRef::decode(extension)?.as_bytes();
                match kind {
                    ALTERNATIVE_NAME => self.alternative_names(value)?,
                    FULCIO_ISSUER => self.vouched_by = Some(text(value)),
                    FULCIO_ISSUER_V2 => {
                        let provider = Utf8StringRef::from_der(value)?;
                        self.vouched_by = Some(provider.as_str().to_owned());
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn alternative_names(&mut self, value: &[u8]) -> Result<()> {
        let names = AnyRef::from_der(value)?;
        let mut names = SliceReader::new(names.value())?;
        while !names.is_finished() && self.names.len() < MOST_NAMES {
            let tag = names.peek_tag()?;
            let name = AnyRef::decode(&mut names)?.value();
            match tag {
                OTHER_NAME => self.names.push(other_name(name)?),
                MAIL | HOST | URI => self.names.push(text(name)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The text of a name of another kind, as Fulcio writes names of users.
fn other_name(name: &[u8]) -> Result<String> {
    let mut reader = SliceReader::new(name)?;
    ObjectIdentifier::decode(&mut reader)?;
    Header::decode(&mut reader)?;
    Ok(text(AnyRef::decode(&mut reader)?.value()))
}

/// A distinguished name, each part as `CN=value`, in its order.
fn name(name: AnyRef<'_>) -> Result<String> {
    let mut parts = Vec::new();
    let mut sets = SliceReader::new(name.value())?;
    while !sets.is_finished() && parts.len() < MOST_NAMES {
        let set = AnyRef::decode(&mut sets)?;
        let mut attributes = SliceReader::new(set.value())?;
        while !attributes.is_finished() && parts.len() < MOST_NAMES {
            parts.push(attributes.sequence(|attribute| {
                let kind = ObjectIdentifier::decode(attribute)?;
                let value = text(AnyRef::decode(attribute)?.value());
                Ok(match ATTRIBUTES.iter().find(|(known, _)| *known == kind) {
                    Some((_, short)) => format!("{short}={value}"),
                    None => format!("{kind}={value}"),
                })
            })?);
        }
    }
    Ok(parts.join(", "))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N3 };
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
