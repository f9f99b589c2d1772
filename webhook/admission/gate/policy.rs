//! A policy: where it applies, the rules that must be content, and what a complaint leads to.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    admission::NamespacePattern,
    attest::sources::{BUILT_IN, INDEX, REFERRERS},
    name::{Pattern, Repository},
    policy::Rule,
    source::MissingParent,
    verify::{Level, Trust},
};

/// One entry of `policies`.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name, which every denial begins with.
    pub name: String,
    /// For which namespaces; all if absent.
    pub namespaces: Option<Vec<NamespacePattern>>,
    /// For which images; all if absent.
    pub images: Option<Vec<Pattern>>,
    /// All of these must be content.
    pub rules: Vec<PolicyRule>,
    /// What a complaint leads to.
    pub mode: Mode,
    /// Which digests of an index attestations may be of.
    pub platforms: Platforms,
}

/// A rule of a policy, and whose word it can use.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// How people know it: the library's name or the package.
    pub name: String,
    /// The compiled rule.
    pub rule: Rule,
    /// Whose attestations it can look at.
    pub uses: Uses,
}

/// Whose attestations a rule can look at: lookups that could hold none of them need not succeed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Uses {
    /// No evidence at all: it reads names only.
    Nothing,
    /// Attestations of these authorities.
    Authorities(Vec<Arc<str>>),
    /// Metadata by these authorities, which only the registry has.
    Metadata(Vec<Arc<str>>),
    /// Records, which only the stores have that the configuration names for them.
    Records,
    /// Whatever there is, records too.
    Everything,
}

impl Uses {
    /// Whether attestations by the authority of this name can matter.
    pub fn covers(&self, authority: &str) -> bool {
        match self {
            Self::Nothing | Self::Records => false,
            Self::Authorities(names) | Self::Metadata(names) => {
                names.iter().any(|name| **name == *authority)
            }
            Self::Everything => true,
        }
    }
}

impl PolicyRule {
    /// Whether it looks at statements in indexes, whoever's signature covers them. Rules about
    /// authorities look only at those that an authority's signature covers.
    pub fn reads_statements(&self) -> bool {
        self.uses == Uses::Everything && self.rule.reads().statements
    }

    /// Whether it could look at what a store would keep under this note or project.
    pub fn misses(&self, missing: &MissingParent, trust: &Trust) -> bool {
        match &self.uses {
            Uses::Nothing | Uses::Metadata(_) => false,
            Uses::Authorities(names) => missing.note.as_ref().is_none_or(|note| {
                let mut authorities = trust.authorities().iter();
                authorities.any(|one| names.contains(&one.name) && one.note.as_ref() == Some(note))
            }),
            Uses::Records | Uses::Everything => true,
        }
    }
}

/// What a complaint of a policy leads to; the strictest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// A denial.
    Enforce,
    /// A warning for who asked, and a note in the audit log.
    Warn,
    /// A note in the audit log.
    Audit,
}

/// Which digests attestations of an image with an index may be of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Platforms {
    /// The index that the Pod names.
    Index,
    /// The manifest of the platform.
    Every,
    /// Either.
    #[default]
    IndexOrEvery,
}

impl Platforms {
    /// Whether an attestation of this level counts for an image that has an index.
    pub fn count(self, level: Level) -> bool {
        match self {
            Self::Index => level == Level::Index,
            Self::Every => level != Level::Index,
            Self::IndexOrEvery => true,
        }
    }

    /// As the configuration spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Every => "every",
            Self::IndexOrEvery => "index-or-every",
        }
    }
}

impl Policy {
    /// Whether it applies to images in `namespace` at all.
    pub fn in_namespace(&self, namespace: &str) -> bool {
        self.namespaces
            .as_ref()
            .is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(namespace)))
    }

    /// Whether it applies to images of `repository`.
    pub fn of_images(&self, repository: &Repository) -> bool {
        self.images
            .as_ref()
            .is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(repository)))
    }

    /// Whether more evidence can only help an image before all of its rules (P5).
    pub fn needs_presence(&self) -> bool {
        self.rules.iter().all(|rule| rule.rule.needs_presence())
    }

    /// Those of the `known` sources that can hold what its rules look at, those of
    /// `with_records` for their records.
    pub fn sources(
        &self,
        trust: &Trust,
        known: &[Arc<str>],
        with_records: &[Arc<str>],
    ) -> BTreeSet<Arc<str>> {
        let mut sources = BTreeSet::new();
        for rule in &self.rules {
            let authorities = trust.authorities().iter();
            match &rule.uses {
                Uses::Nothing => {}
                Uses::Authorities(names) => {
                    authorities
                        .filter(|authority| names.contains(&authority.name))
                        .for_each(|authority| add(&mut sources, authority, known));
                }
                Uses::Metadata(names) => {
                    let registry: Vec<_> =
                        known.iter().filter(|name| is_referrers(name)).cloned().collect();
                    authorities
                        .filter(|authority| names.contains(&authority.name))
                        .for_each(|authority| add(&mut sources, authority, &registry));
                }
                Uses::Records => sources.extend(with_records.iter().cloned()),
                Uses::Everything => {
                    authorities.for_each(|authority| add(&mut sources, authority, known));
                    sources.extend(with_records.iter().cloned());
                    sources.extend(known.iter().filter(|name| is_referrers(name)).cloned());
                    if rule.reads_statements() {
                        sources.extend(known.iter().filter(|name| &***name == INDEX).cloned());
                    }
                }
            }
        }
        sources
    }
}

fn is_referrers(source: &Arc<str>) -> bool {
    &**source == REFERRERS
}

/// Adds the sources that an authority's attestations may come from.
fn add(sources: &mut BTreeSet<Arc<str>>, authority: &crate::verify::Authority, known: &[Arc<str>]) {
    for name in known {
        if &**name == INDEX {
            if authority.covers_statements() || authority.takes_envelopes(name) {
                sources.insert(Arc::clone(name));
            }
            continue;
        }
        let is_store = !BUILT_IN.contains(&&**name);
        if authority.takes_from(name) && (!is_store || authority.note.is_some()) {
            sources.insert(Arc::clone(name));
        }
    }
}
