//! Which namespaces a policy or an exception is for.

use std::{fmt, str::FromStr};

/// A namespace, or several by `*`, which stands for any characters: `prod-*`.
///
/// ```
/// use countersign::admission::NamespacePattern;
///
/// let pattern: NamespacePattern = "prod-*".parse().unwrap();
/// assert!(pattern.matches("prod-shop") && !pattern.matches("dev-shop"));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NamespacePattern(String);

impl NamespacePattern {
    /// Whether `namespace` is one of those meant.
    pub fn matches(&self, namespace: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == namespace };
        let Some(mut left) = namespace.strip_prefix(first) else { return false };
        // The last part must end the name; those before it stand where they are first found.
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return left.ends_with(part);
            }
            let Some((_, after)) = left.split_once(part) else { return false };
            left = after;
        }
        true
    }
}

impl FromStr for NamespacePattern {
    type Err = BadNamespacePattern;

    fn from_str(text: &str) -> Result<Self, BadNamespacePattern> {
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'*');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(known) {
            return Err(BadNamespacePattern(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NamespacePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is no pattern of namespaces.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "\"{0}\" is no namespace; write at most {LONGEST} of a to z, 0 to 9 and -, and * for any of them"
)]
pub struct BadNamespacePattern(String);

/// The longest name of a namespace.
const LONGEST: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_any_characters() {
        for (pattern, namespace, want) in [
            ("prod", "prod", true),
            ("prod", "prod-shop", false),
            ("prod-*", "prod-", true),
            ("prod-*", "prod", false),
            ("*", "", true),
            ("*-shop", "prod-shop", true),
            ("*-shop", "prod-shop-2", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "acb", false),
            ("a*bc*bc", "abc", false),
            ("a*bc*bc", "abcbc", true),
            ("a*a", "a", false),
        ] {
            let parsed: NamespacePattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(namespace), want, "{pattern} on {namespace}");
        }
    }

    #[test]
    fn what_no_namespace_can_be_is_refused() {
        for text in ["", "Prod", "prod/shop", "prod ?", &"a".repeat(64)] {
            let error = text.parse::<NamespacePattern>().unwrap_err().to_string();
            assert!(error.contains("is no namespace"), "{text}: {error}");
        }
    }
}
