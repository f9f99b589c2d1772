//! What an X.509 certificate says, as far as signatures by its key ask for it.
//!
//! RFC 5280 §4. Nothing is proven by it; who issued it, `verify` finds out.

use jiff::Timestamp;
use spki::{
    ObjectIdentifier,
    der::{
        Decode as _, Error, ErrorKind, Reader, Result, SliceReader, Tag, TagNumber,
        asn1::{AnyRef, BitStringRef, GeneralizedTime, OctetStringRef, UtcTime},
    },
};

/// The members of a certificate that are asked for.
#[derive(Clone, Debug)]
pub struct X509 {
    /// The name of who issued it, in DER.
    pub issuer: Vec<u8>,
    /// The name of whom it is for, in DER,
    pub subject: Vec<u8>,
    /// and taken apart, in its order.
    pub attributes: Vec<Attribute>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Its `SubjectPublicKeyInfo`, in DER.
    pub key: Vec<u8>,
    pub basic_constraints: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    /// The purposes of its extended key usage, if it has that.
    pub purposes: Option<Vec<ObjectIdentifier>>,
    /// Its other extensions, each with what is in it.
    pub others: Vec<(ObjectIdentifier, Vec<u8>)>,
}

/// One attribute of a name. A value in another alphabet than UTF-8's is none.
pub type Attribute = (ObjectIdentifier, Option<String>);

/// Whether it is of an authority.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BasicConstraints {
    pub critical: bool,
    pub authority: bool,
    /// How many authorities may stand between it and a key, if it says so.
    pub between: Option<u8>,
}

/// What its key may be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyUsage {
    pub critical: bool,
    /// `digitalSignature` is 0x8000, the next one half of it, and so on.
    pub bits: u16,
}

impl X509 {
    /// Takes a certificate of version 3 apart, as strictly as DER is.
    ///
    /// # Errors
    /// It is none.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let certificate = reader.sequence(|whole| {
            let certificate = whole.sequence(to_be_signed)?;
            AnyRef::decode(whole)?; // signatureAlgorithm
            AnyRef::decode(whole)?; // signature
            Ok(certificate)
        })?;
        reader.finish(certificate)
    }
}

fn to_be_signed<'a, R: Reader<'a>>(reader: &mut R) -> Result<X509> {
    if reader.peek_tag()? != VERSION || AnyRef::decode(reader)?.value() != VERSION_3 {
        return Err(ErrorKind::Value { tag: VERSION }.into());
    }
    AnyRef::decode(reader)?; // serialNumber
    AnyRef::decode(reader)?; // signature
    let issuer = reader.tlv_bytes()?.to_vec();
    let (not_before, not_after) = reader.sequence(|times| Ok((time(times)?, time(times)?)))?;
    let subject = reader.tlv_bytes()?.to_vec();
    let mut certificate = X509 {
        attributes: attributes(&subject)?,
        issuer,
        subject,
        not_before,
        not_after,
        key: reader.tlv_bytes()?.to_vec(),
        basic_constraints: None,
        key_usage: None,
        purposes: None,
        others: Vec::new(),
    };
    while !reader.is_finished() {
        let tag = reader.peek_tag()?;
        let value = AnyRef::decode(reader)?;
        if tag == EXTENSIONS {
            certificate.extensions(value.value())?;
        }
    }
    Ok(certificate)
}

impl X509 {
    fn extensions(&mut self, list: &[u8]) -> Result<()> {
        let mut seen = Vec::new();
        let mut reader = SliceReader::new(list)?;
        reader.sequence(|list| {
            while !list.is_finished() {
                let (kind, critical, value) = list.sequence(|extension| {
                    let kind = ObjectIdentifier::decode(extension)?;
                    let critical =
                        extension.peek_tag()? == Tag::Boolean && bool::decode(extension)?;
                    Ok((kind, critical, OctetStringRef::decode(extension)?.as_bytes()))
                })?;
                if seen.contains(&kind) {
                    return Err(ErrorKind::Value { tag: EXTENSIONS }.into());
                }
                seen.push(kind);
                match kind {
                    BASIC_CONSTRAINTS => {
                        self.basic_constraints = Some(constraints(critical, value)?);
                    }
                    KEY_USAGE => {
                        self.key_usage = Some(KeyUsage { critical, bits: bits(value)? });
                    }
                    EXTENDED_KEY_USAGE => self.purposes = Some(Vec::from_der(value)?),
                    _ => self.others.push((kind, value.to_vec())),
                }
            }
            Ok(())
        })?;
        reader.finish(())
    }
}

fn constraints(critical: bool, value: &[u8]) -> Result<BasicConstraints> {
    let mut reader = SliceReader::new(value)?;
    let constraints = reader.sequence(|inner| {
        let authority =
            !inner.is_finished() && inner.peek_tag()? == Tag::Boolean && bool::decode(inner)?;
        let between = if inner.is_finished() { None } else { Some(u8::decode(inner)?) };
        Ok(BasicConstraints { critical, authority, between })
    })?;
    reader.finish(constraints)
}

fn bits(value: &[u8]) -> Result<u16> {
    let bits = BitStringRef::from_der(value)?;
    match bits.raw_bytes() {
        [first] => Ok(u16::from_be_bytes([*first, 0])),
        [first, second] => Ok(u16::from_be_bytes([*first, *second])),
        _ => Err(ErrorKind::Length { tag: Tag::BitString }.into()),
    }
}

fn time<'a, R: Reader<'a>>(reader: &mut R) -> Result<Timestamp> {
    let since = match reader.peek_tag()? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    let seconds = i64::try_from(since.as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| Error::from(ErrorKind::DateTime))
}

/// The attributes of a name in DER.
///
/// # Errors
/// It is none.
pub fn attributes(name: &[u8]) -> Result<Vec<Attribute>> {
    let mut found = Vec::new();
    let name = AnyRef::from_der(name)?;
    let mut sets = SliceReader::new(name.value())?;
    while !sets.is_finished() {
        let set = AnyRef::decode(&mut sets)?;
        let mut list = SliceReader::new(set.value())?;
        while !list.is_finished() {
            found.push(list.sequence(|attribute| {
                let kind = ObjectIdentifier::decode(attribute)?;
                let value = AnyRef::decode(attribute)?;
                Ok((kind, text(value)))
            })?);
        }
    }
    Ok(found)
}

fn text(value: AnyRef<'_>) -> Option<String> {
    let plain = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
    let bytes = plain.contains(&spki::der::Tagged::tag(&value)).then(|| value.value())?;
    str::from_utf8(bytes).ok().map(str::to_owned)
}

const VERSION: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N0 };
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N3 };

/// The DER of the number that stands for it.
const VERSION_3: [u8; 3] = [0x02, 0x01, 0x02];

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// The attributes that names usually have (RFC 4514 §3).
pub const ATTRIBUTES: [(ObjectIdentifier, &str); 9] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.5"), "SERIALNUMBER"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.9"), "STREET"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
    (ObjectIdentifier::new_unwrap("2.5.4.17"), "POSTALCODE"),
];
