//! `WWW-Authenticate`: what a registry wants to see.

use http::{HeaderMap, header::WWW_AUTHENTICATE};
use url::Url;

/// The first challenge that we can answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Challenge {
    /// User name and password with each request.
    Basic,
    /// A token from a token service.
    Bearer { realm: Url, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads all challenges of all headers and takes the first that is one of ours and whole.
    ///
    /// ```text
    /// WWW-Authenticate: Negotiate, Bearer realm="https://auth.example/token",service="r"
    /// ```
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse)
            .find_map(|(scheme, parameters)| Self::known(&scheme, parameters))
    }

    fn known(scheme: &str, parameters: Vec<(String, String)>) -> Option<Self> {
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut found = (None, None, None);
        for (name, value) in parameters {
            match name.to_ascii_lowercase().as_str() {
                "realm" => found.0 = found.0.or(Some(value)),
                "service" => found.1 = found.1.or(Some(value)),
                "scope" => found.2 = found.2.or(Some(value)),
                _ => {}
            }
        }
        let realm = found.0?.parse().ok()?;
        Some(Self::Bearer { realm, service: found.1, scope: found.2 })
    }
}

/// The challenges of one header by RFC 7235, §4.1: schemes with parameters, all separated by commas,
/// so that only a word without `=` after it begins a challenge. What follows a mistake is dropped.
fn parse(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header.trim_start_matches(SEPARATORS);
    while let Some((word, after)) = token(rest) {
        let value = after.trim_start_matches(BLANKS).strip_prefix('=');
        match (value, challenges.last_mut()) {
            (None, _) => {
                challenges.push((word.to_owned(), Vec::new()));
                rest = after;
            }
            (Some(value), Some((_, parameters))) => {
                let Some((value, after)) = text(value.trim_start_matches(BLANKS)) else { break };
                parameters.push((word.to_owned(), value));
                rest = after;
            }
            (Some(_), None) => break,
        }
        rest = rest.trim_start_matches(SEPARATORS);
    }
    challenges
}

/// A value: quoted, with `\` before a sign that stands for itself, or a token. Tokens may hold what
/// only token68 may, since some registries quote nothing.
fn text(input: &str) -> Option<(String, &str)> {
    let Some(quoted) = input.strip_prefix('"') else {
        let end = input.find([',', ' ', '\t']).unwrap_or(input.len());
        let (value, rest) = input.split_at_checked(end)?;
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut signs = quoted.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => return Some((value, signs.as_str())),
            '\\' => value.push(signs.next()?),
            other => value.push(other),
        }
    }
    None
}

/// A token of RFC 7230, and what follows it.
fn token(input: &str) -> Option<(&str, &str)> {
    let is_token = |sign: char| sign.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(sign);
    let end = input.find(|sign| !is_token(sign)).unwrap_or(input.len());
    input.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

const BLANKS: [char; 2] = [' ', '\t'];
const SEPARATORS: [char; 3] = [' ', '\t', ','];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a header is made of, it is read to its end, and nothing comes out of it that did
        /// not stand there.
        #[test]
        fn p8_headers_of_any_kind_are_read(
            parts in proptest::collection::vec(
                prop_oneof![
                    "(Bearer|Basic|Negotiate) ",
                    "(realm|service|scope) ?= ?",
                    "https://a.example/t",
                    r#"[",\\= \t]"#,
                    "[ -~]{1,4}",
                    "[\u{80}-\u{ff}]",
                ],
                0..40,
            ),
        ) {
            let header = parts.concat();
            for (scheme, parameters) in parse(&header) {
                prop_assert!(header.contains(&scheme));
                for (name, value) in parameters {
                    prop_assert!(header.contains(&name));
                    prop_assert!(value.chars().all(|sign| header.contains(sign)));
                }
            }
        }
    }

    #[test]
    fn registries_say_what_they_want() {
        for (name, headers, want) in [
            ("basic", vec![r#"Basic realm="lab""#], "basic"),
            (
                "bearer",
                vec![
                    r#"Bearer realm="https://a.example/t",service="r",scope="repository:a/b:pull,push""#,
                ],
                "https://a.example/t r repository:a/b:pull,push",
            ),
            (
                "own query",
                vec![r#"Bearer realm="https://a.example/t?x=1""#],
                "https://a.example/t?x=1",
            ),
            (
                "names in any case",
                vec![r#"BEARER Realm="https://a.example/t", SERVICE=r"#],
                "https://a.example/t r",
            ),
            (
                "several in one header",
                vec![r#"Negotiate, Basic realm="a, b", Bearer realm="https://a.example/t""#],
                "basic",
            ),
            (
                "several headers",
                vec!["Negotiate", r#"Bearer realm="https://a.example/t""#],
                "https://a.example/t",
            ),
            ("token68 before", vec![r#"Negotiate oRkw==, Basic realm="x""#], "basic"),
            (
                "escapes",
                vec![r#"Bearer realm="https://a.example/t",service="a\"b\\c""#],
                r#"https://a.example/t a"b\c"#,
            ),
            (
                "blanks around =",
                vec![r#"Bearer realm = "https://a.example/t" , service = r"#],
                "https://a.example/t r",
            ),
            (
                "repeated realm",
                vec![r#"Bearer realm="https://a.example/t",realm="https://evil.example/""#],
                "https://a.example/t",
            ),
            (
                "realm unquoted",
                vec!["Bearer realm=https://a.example/t,service=r"],
                "https://a.example/t r",
            ),
            ("no realm, then basic", vec![r#"Bearer service="r", Basic realm="x""#], "basic"),
            ("realm that is no URL", vec![r#"Bearer realm="lab""#], "none"),
            ("open quote", vec![r#"Bearer realm="https://a.example/t"#], "none"),
            ("nothing", vec![], "none"),
            ("commas", vec![",, ,"], "none"),
            ("parameter without scheme", vec![r#"realm="https://a.example/t""#], "none"),
        ] {
            let headers: HeaderMap = headers
                .into_iter()
                .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()))
                .collect();
            let got = match Challenge::of(&headers) {
                None => "none".to_owned(),
                Some(Challenge::Basic) => "basic".to_owned(),
                Some(Challenge::Bearer { realm, service, scope }) => {
                    [Some(realm.to_string()), service, scope]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join(" ")
                }
            };
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn challenges_of_real_registries() {
        for (file, want) in [
            ("challenge-basic-distribution2.http", Challenge::Basic),
            (
                "challenge-bearer-distribution2.http",
                Challenge::Bearer {
                    realm: "https://localhost:5013/token/".parse().unwrap(),
                    service: Some("lab-registry".into()),
                    scope: Some("repository:ci/app:pull".into()),
                },
            ),
        ] {
            let path = format!("{}/fixtures/oci/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            let value =
                text.lines().find_map(|line| line.strip_prefix("www-authenticate: ")).unwrap();
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value.parse().unwrap())]);
            assert_eq!(Challenge::of(&headers), Some(want), "{file}");
        }
    }
}
