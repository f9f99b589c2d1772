//! One page of a list of occurrences.

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// `{"occurrences":[…],"nextPageToken":"…"}`; an empty list is `{}`.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// The occurrences, each still to be read, so that a broken one blocks no other.
    pub occurrences: Vec<&'a RawValue>,
    /// Asks for the next page; empty on the last one.
    pub next_page_token: String,
    /// The server says that it could not reach all of its parts: the list has gaps.
    pub partial: bool,
}

/// The answer is no list of occurrences.
#[derive(Debug, thiserror::Error)]
#[error("the answer is no list of occurrences")]
pub struct PageError(#[source] serde_json::Error);

impl<'a> Page<'a> {
    /// Reads a list response.
    ///
    /// # Errors
    /// [`PageError`] for anything else, other JSON objects included: an error page or a stranger's
    /// answer must never be read as an empty list.
    pub fn parse(body: &'a [u8]) -> Result<Self, PageError> {
        serde_json::from_slice(body).map_err(PageError)
    }
}

impl<'de> Deserialize<'de> for Page<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PageVisitor)
    }
}

struct PageVisitor;

impl<'de> Visitor<'de> for PageVisitor {
    type Value = Page<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of occurrences")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Page<'de>, A::Error> {
        let mut page = Page::default();
        while let Some(member) = members.next_key::<String>()? {
            match member.as_str() {
                "occurrences" if page.occurrences.is_empty() => {
                    page.occurrences =
                        members.next_value::<Option<Vec<&RawValue>>>()?.unwrap_or_default();
                }
                "nextPageToken" | "next_page_token" if page.next_page_token.is_empty() => {
                    page.next_page_token =
                        members.next_value::<Option<String>>()?.unwrap_or_default();
                }
                "unreachable" => {
                    let places: Option<Vec<IgnoredAny>> = members.next_value()?;
                    page.partial |= places.is_some_and(|places| !places.is_empty());
                }
                other => {
                    return Err(A::Error::custom(format_args!("unexpected member {other:?}")));
                }
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_only_a_list_is_a_list() {
        let lists = [
            ("{}", 0, ""),
            (r#"{"occurrences":null,"nextPageToken":null}"#, 0, ""),
            (r#"{"occurrences":[{},7],"nextPageToken":"4"}"#, 2, "4"),
            (r#"{"next_page_token":"x"}"#, 0, "x"),
        ];
        for (body, count, token) in lists {
            let page = Page::parse(body.as_bytes()).unwrap_or_else(|e| panic!("{body}: {e}"));
            assert_eq!((page.occurrences.len(), page.next_page_token.as_str()), (count, token));
            assert!(!page.partial, "{body}");
        }
        let others = [
            "",
            "[]",
            "null",
            "<html>",
            r#"{"status":"ok"}"#,
            r#"{"code":5,"message":"Not Found"}"#,
            r#"{"occurrences":{}}"#,
            r#"{"occurrences":[{}],"occurrences":[]}"#,
            r#"{"occurrences":[]} {}"#,
        ];
        for body in others {
            assert!(Page::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn p5_a_list_with_gaps_says_so() {
        assert!(Page::parse(br#"{"unreachable":["projects/p/locations/eu"]}"#).unwrap().partial);
        assert!(!Page::parse(br#"{"unreachable":[]}"#).unwrap().partial);
    }
}
