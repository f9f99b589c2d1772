//! The filters that servers are asked to apply. They only save work: what comes is checked anyway.

use crate::{
    attest::grafeas::{ResourceUri, Version},
    name::{Digest, Repository},
};

/// Filters which together select all spellings of the image, each for a list of its own; `None`
/// asks for everything.
///
/// Artifact Analysis knows the field `resourceUrl` only. Of the open servers the reference ignores
/// filters and others know the field `resource.uri`, so they are asked for both; where that would
/// become too long a line, v1beta1 lists everything.
pub(super) fn filters(
    api: Version,
    repository: &Repository,
    digests: &[Digest],
) -> Vec<Option<String>> {
    let fields: &[&str] = match api {
        Version::V1 => &["resourceUrl"],
        Version::V1Beta1 => &["resourceUrl", "resource.uri"],
    };
    let mut filters = vec![String::new()];
    for digest in digests {
        for spelling in ResourceUri::spellings(repository, *digest) {
            for field in fields {
                let term = format!("{field}=\"{spelling}\"");
                match filters.last_mut() {
                    Some(filter) if filter.len() + term.len() <= LONGEST => {
                        if !filter.is_empty() {
                            filter.push_str(" OR ");
                        }
                        filter.push_str(&term);
                    }
                    _ => filters.push(term),
                }
            }
        }
    }
    if api == Version::V1Beta1 && filters.len() > 1 {
        return vec![None];
    }
    filters.into_iter().map(|filter| (!filter.is_empty()).then_some(filter)).collect()
}

/// Servers and proxies refuse lines much longer than this.
const LONGEST: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_all_spellings() {
        let repository = "registry.test/demo/app".parse().unwrap();
        let digest = Digest::sha256(b"");
        let v1 = filters(Version::V1, &repository, &[digest]);
        let want = format!(
            "resourceUrl=\"https://registry.test/demo/app@{digest}\" OR \
             resourceUrl=\"registry.test/demo/app@{digest}\""
        );
        assert_eq!(v1, [Some(want)]);
        let v1beta1 = filters(Version::V1Beta1, &repository, &[digest]);
        let filter = v1beta1[0].as_deref().unwrap();
        assert!(filter.contains(" OR resource.uri=\"registry.test/demo/app@"), "{filter}");
    }

    #[test]
    fn long_filters_become_several_or_none() {
        let repository = "registry.test/demo/app".parse().unwrap();
        let digests: Vec<_> = (0..40).map(|number: u8| Digest::sha256(&[number])).collect();
        let v1 = filters(Version::V1, &repository, &digests);
        assert!(v1.len() > 1);
        assert!(v1.iter().flatten().all(|filter| filter.len() <= LONGEST + 4));
        let terms = v1.iter().flatten().map(|filter| filter.matches("resourceUrl=").count());
        assert_eq!(terms.sum::<usize>(), 80);
        assert_eq!(filters(Version::V1Beta1, &repository, &digests), [None]);
    }
}
