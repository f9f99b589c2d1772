//! Requirements of podman's `policy.json`, which Portieris has too: whose signature an image needs,
//! and under which name.
//!
//! <https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Translation, draft::Authority};
use crate::name::escape;

/// Which name of the image the signed one is compared with, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SignedIdentity {
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    #[serde(alias = "matchExactReference")]
    ExactReference {
        docker_reference: String,
    },
    #[serde(alias = "matchExactRepository")]
    ExactRepository {
        docker_repository: String,
    },
    RemapIdentity {
        prefix: String,
        signed_prefix: String,
    },
}

/// The images that a scope means.
#[derive(Clone, Debug)]
pub struct Scope {
    /// As the other tool writes it; empty is everything.
    pub name: String,
    /// Our patterns; empty is everything.
    pub images: Vec<String>,
    /// Whether the patterns mean more than the scope does, which names a tag or a digest.
    pub widened: bool,
}

impl Scope {
    /// Everything.
    pub fn all() -> Self {
        Self { name: String::new(), images: Vec::new(), widened: false }
    }

    /// A scope of `policy.json`: a host, a namespace, a repository, `*.` before a domain. A tag or
    /// digest is left out with a remark, since patterns name repositories.
    pub fn new(name: &str, translation: &mut Translation) -> Self {
        let plain = repository(name);
        let widened = plain.len() < name.len();
        if widened {
            translation.remark(format!(
                "{}: patterns name repositories, so this is for all of {}",
                escape(name, 200),
                escape(plain, 200)
            ));
        }
        let below = format!("{plain}/**");
        let images = match plain {
            "" => Vec::new(),
            host if !host.contains('/') => vec![below],
            repository => vec![repository.to_owned(), below],
        };
        Self { name: name.to_owned(), images, widened }
    }

    /// Whether every image of `other` is one of this scope too.
    pub fn covers(&self, other: &Self) -> bool {
        let below = |scope: &str| other.name.starts_with(&format!("{scope}/"));
        match self.name.strip_prefix("*.") {
            Some(domain) => {
                let host = other.name.split('/').next().unwrap_or_default();
                self.name != other.name && host.ends_with(&format!(".{domain}"))
            }
            None => self.name.is_empty() && !other.name.is_empty() || below(&self.name),
        }
    }

    /// What is told where everything of the scope was let in, and it names a tag or a digest.
    pub fn cannot_accept(&self) -> String {
        format!(
            "{}: one tag or digest cannot be let in alone, so the repository is kept out; name the \
             digest under `exceptions`",
            self.shown()
        )
    }

    /// What people read for it.
    pub fn shown(&self) -> String {
        if self.name.is_empty() { "everything".into() } else { escape(&self.name, 200) }
    }
}

impl SignedIdentity {
    /// Makes `authority` expect the name that this says, for the images of `scope`.
    pub fn apply(&self, scope: &Scope, authority: &mut Authority, translation: &mut Translation) {
        let shown = scope.shown();
        match self {
            Self::MatchRepository => {}
            Self::MatchExact | Self::MatchRepoDigestOrExact => translation.remark(format!(
                "{shown}: the tag in a signed name is not compared, the repository and the digest are"
            )),
            Self::ExactRepository { docker_repository } => {
                exactly(docker_repository, scope, authority, translation);
            }
            Self::ExactReference { docker_reference } => {
                exactly(docker_reference, scope, authority, translation);
            }
            Self::RemapIdentity { prefix, signed_prefix } => {
                authority.identities = remapped(prefix, signed_prefix);
            }
        }
    }
}

/// The signed name is always this one.
fn exactly(name: &str, scope: &Scope, authority: &mut Authority, translation: &mut Translation) {
    match scope.images.as_slice() {
        [repository, _] => {
            authority.identities = [(repository.clone(), repository_of(name))].into();
        }
        _ => translation.remark(format!(
            "{}: that every image is signed as {} cannot be said of more than one repository; \
             each must be signed under its own name",
            scope.shown(),
            escape(name, 200)
        )),
    }
}

fn remapped(prefix: &str, signed_prefix: &str) -> BTreeMap<String, String> {
    let below = (format!("{prefix}/**"), format!("{signed_prefix}/**"));
    let itself = (prefix.to_owned(), signed_prefix.to_owned());
    let names_repositories = prefix.contains('/') && signed_prefix.contains('/');
    std::iter::once(below).chain(names_repositories.then_some(itself)).collect()
}

fn repository_of(name: &str) -> String {
    repository(name).to_owned()
}

/// `name` without a tag or a digest.
fn repository(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') && repository.contains('/') => repository,
        _ => name,
    }
}
