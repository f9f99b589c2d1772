//! Where the signer knew an image under another name than we do.

use std::collections::BTreeSet;

use crate::name::{BadRepository, Pattern, Repository};

/// From patterns of where we know images to patterns of where the signer knew them.
#[derive(Clone, Debug, Default)]
pub struct IdentityMap(Vec<(Pattern, Pattern)>);

/// Why a map of names is none.
#[derive(Debug, thiserror::Error)]
pub enum BadIdentityMap {
    #[error(
        "{ours} and {theirs} have different wildcards; \
         both sides need the same ones in the same order"
    )]
    Wildcards { ours: Pattern, theirs: Pattern },
    #[error("{first} and {second} can match the same repository; make them exclude each other")]
    Overlap { first: Pattern, second: Pattern },
}

impl IdentityMap {
    /// Takes the entries together.
    ///
    /// # Errors
    /// [`BadIdentityMap`]: wildcards that differ between the sides, entries that overlap.
    pub fn new(entries: Vec<(Pattern, Pattern)>) -> Result<Self, BadIdentityMap> {
        for (at, (ours, theirs)) in entries.iter().enumerate() {
            if wildcards(ours) != wildcards(theirs) {
                let (ours, theirs) = (ours.clone(), theirs.clone());
                return Err(BadIdentityMap::Wildcards { ours, theirs });
            }
            if let Some((second, _)) =
                entries.iter().skip(at + 1).find(|(other, _)| overlap(ours, other))
            {
                let (first, second) = (ours.clone(), second.clone());
                return Err(BadIdentityMap::Overlap { first, second });
            }
        }
        Ok(Self(entries))
    }

    /// The name under which the signer must have known `repository`: where an entry matches only
    /// that entry's, else its own.
    ///
    /// # Errors
    /// What the wildcards matched makes no repository on the other side.
    pub fn signed_name(&self, repository: &Repository) -> Result<Repository, BadRepository> {
        for (ours, theirs) in &self.0 {
            let (name, mut dead) = (repository.as_str(), BTreeSet::new());
            if let Some(captured) = capture(&pieces(ours), name, &mut dead) {
                return fill(&pieces(theirs), &captured).parse();
            }
        }
        Ok(repository.clone())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A stretch of a pattern over `host/path`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    /// A host of only `*`: any host, its dots and port too.
    AnyHost,
    /// `*` within a host: characters of one label.
    InLabel,
    /// `*` within a path: characters of one part.
    InPart,
    /// `**`: whole parts, at least one.
    Parts,
}

impl Piece<'_> {
    /// Whether a wildcard may stand for this character.
    fn takes(self, character: char) -> bool {
        match self {
            Self::Text(_) => false,
            Self::AnyHost | Self::InPart => character != '/',
            Self::InLabel => !matches!(character, '/' | '.' | ':'),
            Self::Parts => true,
        }
    }
}

fn pieces(pattern: &Pattern) -> Vec<Piece<'_>> {
    let mut pieces = match pattern.host() {
        "*" => vec![Piece::AnyHost],
        host => split(host, Piece::InLabel),
    };
    for part in pattern.path().split('/') {
        pieces.push(Piece::Text("/"));
        match part {
            "**" => pieces.push(Piece::Parts),
            part => pieces.extend(split(part, Piece::InPart)),
        }
    }
    pieces
}

fn split<'a>(text: &'a str, wildcard: Piece<'a>) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    for (at, literal) in text.split('*').enumerate() {
        if at > 0 {
            pieces.push(wildcard);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
    }
    pieces
}

fn wildcards(pattern: &Pattern) -> Vec<Piece<'_>> {
    let mut pieces = pieces(pattern);
    pieces.retain(|piece| !matches!(piece, Piece::Text(_)));
    pieces
}

/// What each wildcard stands for where the pattern matches, the first ones as little as they can.
///
/// `dead` has how much was left of pieces and text where no match begins, so that each such place is
/// gone through once: a name of somebody's choice could take forever otherwise.
fn capture<'t>(
    pieces: &[Piece<'_>],
    text: &'t str,
    dead: &mut BTreeSet<(usize, usize)>,
) -> Option<Vec<&'t str>> {
    let [piece, rest @ ..] = pieces else {
        return text.is_empty().then(Vec::new);
    };
    if let Piece::Text(literal) = piece {
        return capture(rest, text.strip_prefix(literal)?, dead);
    }
    if !dead.insert((pieces.len(), text.len())) {
        return None;
    }
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        let (taken, after) = text.split_at(end);
        if !taken.chars().all(|character| piece.takes(character)) {
            return None;
        }
        let whole_parts = !taken.is_empty() && (after.is_empty() || after.starts_with('/'));
        if *piece == Piece::Parts && !whole_parts {
            continue;
        }
        if let Some(mut captured) = capture(rest, after, dead) {
            captured.insert(0, taken);
            return Some(captured);
        }
    }
    None
}

fn fill(pieces: &[Piece<'_>], captured: &[&str]) -> String {
    let mut captured = captured.iter();
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(literal) => literal,
            _ => captured.next().copied().unwrap_or_default(),
        })
        .collect()
}

/// Whether a repository may match both; says so too often rather than too seldom.
fn overlap(first: &Pattern, second: &Pattern) -> bool {
    meet(&pieces(first), &pieces(second))
}

fn meet(first: &[Piece<'_>], second: &[Piece<'_>]) -> bool {
    match (first, second) {
        ([], []) => true,
        ([Piece::Text(one), one_rest @ ..], [Piece::Text(other), other_rest @ ..]) => {
            let common = one.len().min(other.len());
            if one.as_bytes().get(..common) != other.as_bytes().get(..common) {
                return false;
            }
            // Patterns are ASCII, so that every byte is a boundary.
            let tail = |text: &str| text.get(common..).unwrap_or_default().to_owned();
            let (one, other) = (tail(one), tail(other));
            meet(&with_text(&one, one_rest), &with_text(&other, other_rest))
        }
        ([Piece::Text(_), ..], [_, ..]) => meet(second, first),
        ([wildcard, after @ ..], _) => {
            meet(after, second) || step(second, *wildcard).is_some_and(|rest| meet(first, &rest))
        }
        ([], [Piece::Text(_), ..]) => false,
        ([], [_, after @ ..]) => meet(first, after),
    }
}

/// What is left of a pattern when a wildcard of another has taken its first character or piece.
fn step<'a>(pieces: &[Piece<'a>], wildcard: Piece<'_>) -> Option<Vec<Piece<'a>>> {
    match pieces {
        [] => None,
        [Piece::Text(text), rest @ ..] => {
            let mut characters = text.chars();
            wildcard.takes(characters.next()?).then(|| with_text(characters.as_str(), rest))
        }
        [_, rest @ ..] => Some(rest.to_vec()),
    }
}

fn with_text<'a>(text: &'a str, rest: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let text = (!text.is_empty()).then_some(Piece::Text(text));
    text.into_iter().chain(rest.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> Result<IdentityMap, BadIdentityMap> {
        let parse = |text: &str| text.parse::<Pattern>().unwrap();
        IdentityMap::new(entries.iter().map(|(a, b)| (parse(a), parse(b))).collect())
    }

    #[test]
    fn p4_what_wildcards_matched_is_carried_over() {
        for (ours, theirs, image, want) in [
            (
                "registry.example/acme/**",
                "build.internal/acme/**",
                "registry.example/acme/shop",
                "build.internal/acme/shop",
            ),
            (
                "registry.example/acme/**",
                "build.internal/**",
                "registry.example/acme/a/b/c",
                "build.internal/a/b/c",
            ),
            (
                "registry.example/acme/**",
                "build.internal/acme/**",
                "registry.example/acme-evil/x",
                "registry.example/acme-evil/x",
            ),
            (
                "registry.example/*/prod-*",
                "build.internal/*/ci-*",
                "registry.example/a/prod-b",
                "build.internal/a/ci-b",
            ),
            (
                "registry.example/shop",
                "build.internal/ci/shop",
                "registry.example/shop",
                "build.internal/ci/shop",
            ),
            (
                "*.registry.example/**",
                "*.build.internal/**",
                "eu.registry.example/a",
                "eu.build.internal/a",
            ),
            ("*/acme/**", "*/**", "a.b:5000/acme/x", "a.b:5000/x"),
            (
                "registry.example/**/shop",
                "build.internal/**/shop",
                "registry.example/a/shop/shop",
                "build.internal/a/shop/shop",
            ),
            ("docker.io/*", "build.internal/hub/*", "nginx", "build.internal/hub/nginx"),
        ] {
            let map = map(&[(ours, theirs)]).unwrap();
            let name = map.signed_name(&image.parse().unwrap()).unwrap();
            assert_eq!(name.to_string(), want, "{ours} to {theirs}: {image}");
        }
    }

    #[test]
    fn p8_names_that_almost_match_take_no_longer() {
        let ours = format!("registry.example/**/{}x", "*-".repeat(20));
        let theirs = ours.replace("registry", "build");
        let map = map(&[(&ours, &theirs)]).unwrap();
        for (name, path, matches) in [
            ("no end", format!("a/{}y", "a-".repeat(100)), false),
            ("an end", format!("a/{}x", "a-".repeat(100)), true),
            ("in a deeper part", format!("a/{}y/{}x", "a-".repeat(60), "b-".repeat(20)), true),
        ] {
            let image: Repository = format!("registry.example/{path}").parse().unwrap();
            let host = if matches { "build" } else { "registry" };
            let want = format!("{host}.example/{path}");
            assert_eq!(map.signed_name(&image).unwrap().to_string(), want, "{name}");
        }
    }

    #[test]
    fn maps_that_are_none() {
        for (name, entries, want) in [
            (
                "apart",
                &[("a.example/x/**", "b.example/**"), ("a.example/y/**", "b.example/**")][..],
                None,
            ),
            (
                "a star beside",
                &[("a.example/x-*", "b.example/*"), ("a.example/y-*", "b.example/*")],
                None,
            ),
            ("other wildcard", &[("a.example/**", "b.example/*")], Some("different wildcards")),
            ("wildcard missing", &[("a.example/*", "b.example/x")], Some("different wildcards")),
            ("other order", &[("a.example/*/**", "b.example/**/*")], Some("different wildcards")),
            (
                "the same",
                &[("a.example/x", "b.example/x"), ("a.example/x", "b.example/y")],
                Some("can match the same"),
            ),
            (
                "within",
                &[("a.example/**", "b.example/**"), ("a.example/x", "b.example/y")],
                Some("can match the same"),
            ),
            (
                "crossing",
                &[("a.example/x-*", "b.example/*"), ("a.example/*-y", "b.example/*")],
                Some("can match the same"),
            ),
            (
                "hosts",
                &[("*.example/x", "*.example/y"), ("a.example/x", "b.example/z")],
                Some("can match the same"),
            ),
            (
                "deep",
                &[("a.example/**/x", "b.example/**"), ("a.example/y/**", "b.example/**")],
                Some("can match the same"),
            ),
        ] {
            match (map(entries), want) {
                (Ok(_), None) => {}
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
