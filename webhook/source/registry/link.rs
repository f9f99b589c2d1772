//! `Link`: where the next page is.

use url::Url;

/// The target of the first link with `rel="next"` in a header by RFC 8288, resolved against `base`.
///
/// # Errors
/// If the target is no URL.
pub(super) fn next(header: &str, base: &Url) -> Result<Option<Url>, url::ParseError> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        let (parameters, following) = after.split_once('<').unwrap_or((after, ""));
        if parameters.split([';', ',']).any(is_next) {
            return base.join(target).map(Some);
        }
        rest = after
            .get(after.len() - following.len() - usize::from(!following.is_empty())..)
            .unwrap_or_default();
    }
    Ok(None)
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("rel")
        && value.trim().trim_matches('"').split(' ').any(|one| one.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a header is made of, the next page is a target that stands in it.
        #[test]
        fn p8_headers_of_any_kind_are_read(
            parts in proptest::collection::vec(
                prop_oneof![
                    "<[ -~]{0,8}>",
                    r#"; ?rel="?(next|prev|last next)"?"#,
                    "[<>;,=\" ]",
                    "[ -~]{1,4}",
                    "[\u{80}-\u{ff}]",
                ],
                0..40,
            ),
        ) {
            let (header, base) = (parts.concat(), Url::parse("https://r.example/v2/").unwrap());
            if let Ok(Some(found)) = next(&header, &base) {
                let opened = header.split_inclusive('<').scan(0, |end, part| {
                    *end += part.len();
                    header.get(*end..)
                });
                let mut targets = opened.filter_map(|rest| rest.split_once('>'));
                prop_assert!(targets.any(|(target, _)| base.join(target).as_ref() == Ok(&found)));
            }
        }
    }

    #[test]
    fn the_next_page_is_found() {
        let base: Url = "https://r.example/v2/a/referrers/x?n=1".parse().unwrap();
        for (name, header, want) in [
            (
                "relative",
                r#"</v2/a/referrers/x?n=2>; rel="next""#,
                Some("https://r.example/v2/a/referrers/x?n=2"),
            ),
            ("absolute", "<https://o.example/x>;rel=next", Some("https://o.example/x")),
            (
                "query alone",
                r#"<?n=3>; rel="next""#,
                Some("https://r.example/v2/a/referrers/x?n=3"),
            ),
            ("second", r#"</1>; rel="prev", </2>; rel="last NEXT""#, Some("https://r.example/2")),
            ("other parameters", r#"</2>; title="x"; rel="next""#, Some("https://r.example/2")),
            ("none", r#"</1>; rel="prev""#, None),
            ("no target", r#"rel="next""#, None),
            ("open", r#"</1; rel="next""#, None),
            ("empty", "", None),
        ] {
            let got = next(header, &base).unwrap();
            assert_eq!(got.as_ref().map(Url::as_str), want, "{name}");
        }
        assert!(next(r#"<https://[>; rel="next""#, &base).is_err());
    }
}
