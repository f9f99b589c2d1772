//! Whom certificates are for, and whom of them an authority trusts.

use std::{fmt, str::FromStr};

use spki::ObjectIdentifier;

use crate::{
    attest::x509::{ATTRIBUTES, Attribute},
    name::escape,
};

/// The name in a certificate that one of an authority's roots stands behind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject(Vec<Attribute>);

/// Some of the certificates under a root, as `trustedIdentities` of Notation's trust policies name
/// them: `x509.subject: C=US, ST=WA, O=acme-rockets.io`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedIdentity(Vec<(ObjectIdentifier, String)>);

/// A text that names no certificates.
#[derive(Debug, thiserror::Error)]
pub enum BadTrustedIdentity {
    #[error("{0:?} is no trusted identity; write it as x509.subject: C=US, O=acme.example")]
    Kind(String),
    #[error("`*` is every certificate under the roots; leave `trustedIdentities` out to mean that")]
    Any,
    #[error("{0:?} is no attribute of a name that is known here; write C=…, ST=…, O=…, CN=…")]
    Attribute(String),
    #[error("{0} stands twice in one trusted identity; name it once")]
    Twice(String),
    #[error("{0:?} ends in the middle of an escape; write a backslash as two")]
    Escape(String),
}

impl Subject {
    pub fn new(attributes: Vec<Attribute>) -> Self {
        Self(attributes)
    }

    /// Bytes that it points to.
    pub fn weight(&self) -> usize {
        let text = |value: &Option<String>| value.as_ref().map_or(0, String::capacity);
        size_of_val(&*self.0) + self.0.iter().map(|(_, value)| text(value)).sum::<usize>()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (kind, value)) in self.0.iter().take(MOST_SHOWN).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let value = value.as_deref().map_or_else(|| "?".to_owned(), |value| escape(value, 128));
            match ATTRIBUTES.iter().find(|(known, _)| known == kind) {
                Some((_, short)) => write!(formatter, "{comma}{short}={value}")?,
                None => write!(formatter, "{comma}{kind}={value}")?,
            }
        }
        Ok(())
    }
}

impl TrustedIdentity {
    /// Whether a subject is one of these: it has each attribute, once and with that very value.
    pub fn is(&self, subject: &Subject) -> bool {
        self.0.iter().all(|(wanted, value)| {
            let mut found = subject.0.iter().filter(|(kind, _)| kind == wanted);
            let first = found.next().and_then(|(_, value)| value.as_ref());
            first == Some(value) && found.next().is_none()
        })
    }
}

impl FromStr for TrustedIdentity {
    type Err = BadTrustedIdentity;

    fn from_str(text: &str) -> Result<Self, BadTrustedIdentity> {
        if text == "*" {
            return Err(BadTrustedIdentity::Any);
        }
        let kind = || BadTrustedIdentity::Kind(escape(text, 128));
        let subject = text.strip_prefix("x509.subject:").ok_or_else(kind)?;
        let mut wanted: Vec<(ObjectIdentifier, String)> = Vec::new();
        for part in split(subject) {
            let bad = || BadTrustedIdentity::Attribute(escape(part.trim(), 128));
            let (name, value) = part.split_once('=').ok_or_else(bad)?;
            let name = name.trim().to_ascii_uppercase();
            let name = if name == "S" { "ST" } else { &name };
            let (kind, short) =
                ATTRIBUTES.iter().find(|(_, short)| *short == name).ok_or_else(bad)?;
            let value = unescape(value.trim())?;
            if value.is_empty() {
                return Err(bad());
            }
            if wanted.iter().any(|(known, _)| known == kind) {
                return Err(BadTrustedIdentity::Twice((*short).to_owned()));
            }
            wanted.push((*kind, value));
        }
        Ok(Self(wanted))
    }
}

/// What stands between commas and plus signs that no backslash stands before.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        if !escaped && matches!(character, ',' | '+') {
            parts.push(text.get(from..at).unwrap_or_default());
            from = at + 1;
        }
        escaped = !escaped && character == '\\';
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

fn unescape(text: &str) -> Result<String, BadTrustedIdentity> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let end = || BadTrustedIdentity::Escape(escape(text, 128));
        plain.push(characters.next().ok_or_else(end)?);
    }
    Ok(plain)
}

/// More attributes than a person reads.
const MOST_SHOWN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(parts: &[(&str, &str)]) -> Subject {
        let kind = |name: &str| ATTRIBUTES.iter().find(|(_, short)| *short == name).unwrap().0;
        Subject(parts.iter().map(|(name, value)| (kind(name), Some((*value).to_owned()))).collect())
    }

    #[test]
    fn p3_each_attribute_that_is_given_must_be_that_of_the_subject() {
        let acme = subject(&[("C", "US"), ("ST", "WA"), ("O", "Acme, Inc."), ("CN", "builder")]);
        let two = subject(&[("C", "US"), ("O", "Acme"), ("O", "Evil")]);
        for (name, text, of, want) in [
            ("all", r"x509.subject: C=US, ST=WA, O=Acme\, Inc., CN=builder", &acme, true),
            ("some", r"x509.subject:C=US,O=Acme\, Inc.", &acme, true),
            ("in another order", "x509.subject: CN=builder, c=US, S=WA", &acme, true),
            ("another value", "x509.subject: C=US, ST=OR", &acme, false),
            ("in other case", "x509.subject: C=us", &acme, false),
            ("a part of the value", "x509.subject: O=Acme", &acme, false),
            ("one that it has not", "x509.subject: C=US, OU=x", &acme, false),
            ("twice in the subject", "x509.subject: O=Acme", &two, false),
            ("twice, the other one", "x509.subject: O=Evil", &two, false),
        ] {
            assert_eq!(text.parse::<TrustedIdentity>().unwrap().is(of), want, "{name}");
        }
        let unreadable = Subject(vec![(ATTRIBUTES[0].0, None)]);
        assert!(!"x509.subject: CN=?".parse::<TrustedIdentity>().unwrap().is(&unreadable));
        assert_eq!(acme.to_string(), "C=US, ST=WA, O=Acme, Inc., CN=builder");
    }

    #[test]
    fn identities_that_are_none() {
        for (text, want) in [
            ("*", "leave `trustedIdentities` out"),
            ("C=US", "no trusted identity"),
            ("x509.subject:", "no attribute"),
            ("x509.subject: C=", "no attribute"),
            ("x509.subject: C=US,", "no attribute"),
            ("x509.subject: X=y", "\"X=y\" is no attribute"),
            ("x509.subject: C=US, C=DE", "C stands twice"),
            (r"x509.subject: C=US\", "in the middle of an escape"),
        ] {
            let bad = text.parse::<TrustedIdentity>().unwrap_err().to_string();
            assert!(bad.contains(want), "{text}: {bad}");
        }
    }
}
