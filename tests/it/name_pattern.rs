//! Patterns over repositories, and what they must not match.

use countersign::name::{Pattern, Repository};
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn repository(text: &str) -> Repository {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn matching() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "registry.example/org/*",
            &["registry.example/org/x", "REGISTRY.EXAMPLE/org/x"],
            &[
                "registry.example/org-evil/x",
                "registry.example/org",
                "registry.example/org/x/y",
                "registry.example/x/org/y",
                "registry.example:5000/org/x",
                "evil.registry.example/org/x",
                "registry.example.evil.example/org/x",
                "evil.example/registry.example/org/x",
                "registry-example/org/x",
                "registryxexample.com/org/x",
                "org/x",
            ],
        ),
        (
            "registry.example/org",
            &["registry.example/org"],
            &["registry.example/org-evil", "registry.example/org/x", "registry.example/or"],
        ),
        (
            "registry.example/acme/**",
            &["registry.example/acme/shop", "registry.example/acme/a/b/c"],
            &["registry.example/acme", "registry.example/acme-evil/x", "registry.example/x/acme/y"],
        ),
        (
            "registry.example/**",
            &["registry.example/a", "registry.example/a/b"],
            &["other.example/a", "registry.example.org/a", "a.registry.example/a"],
        ),
        (
            "registry.example/**/prod",
            &["registry.example/a/prod", "registry.example/a/b/prod"],
            &["registry.example/prod", "registry.example/a/prod/b", "registry.example/a/prod-x"],
        ),
        (
            "registry.example/*/shop",
            &["registry.example/a/shop"],
            &["registry.example/a/b/shop", "registry.example/shop"],
        ),
        (
            "registry.example/team-*/s*p",
            &["registry.example/team-a/shop", "registry.example/team-a-b/sp"],
            &["registry.example/team/shop", "registry.example/team-a/x/shop"],
        ),
        (
            "*.example/org/*",
            &["a.example/org/x"],
            &[
                "a.b.example/org/x",
                "attacker.com/x.example/org/x",
                "a.example:5000/org/x",
                "example.com/org/x",
            ],
        ),
        ("prod-*.example:*/a", &["prod-1.example:5000/a"], &["prod-1.example/a"]),
        ("*/acme/*", &["a.b.example:1/acme/x", "docker.io/acme/x"], &["a.example/x/acme/y"]),
        ("**", &["nginx", "registry.example:5000/a/b/c"], &[]),
        ("docker.io/library/*", &["nginx", "docker.io/nginx", "index.docker.io/nginx"], &["a/b"]),
        ("docker.io/nginx", &["nginx", "library/nginx"], &["nginx-evil", "acme/nginx"]),
        ("docker.io/*", &["nginx"], &["acme/nginx"]),
        ("docker.io/**", &["nginx", "acme/nginx"], &["registry-1.docker.io/library/nginx"]),
        ("Registry.EXAMPLE/a", &["registry.example/a"], &["registry.example/b"]),
        ("FOO/a", &["Foo/a"], &["foo/a", "docker.io/foo/a"]),
        ("127.0.0.1:5000/**", &["127.0.0.1:5000/a"], &["127.0.0.1/a", "127.0.0.1:50001/a"]),
        ("[::1]:5000/*", &["[::1]:5000/a"], &["[::2]:5000/a"]),
    ];
    for (text, yes, no) in cases {
        let pattern = pattern(text);
        for name in *yes {
            assert!(pattern.matches(&repository(name)), "{text} does not match {name}");
        }
        for name in *no {
            assert!(!pattern.matches(&repository(name)), "{text} matches {name}");
        }
        assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern, "{text} reads back");
    }
}

#[test]
fn patterns_that_say_something_else_than_meant_are_refused() {
    let cases = [
        ("", "names no registry"),
        ("*", "names no registry"),
        ("acme/*", "names no registry; write it as host/path, docker.io for Docker Hub"),
        ("registry.example", "names no registry"),
        ("prod-*/x", "names no registry"),
        ("**/x", "names no registry"),
        ("registry.example/", "can match no repository"),
        ("registry.example/a//b", "can match no repository"),
        ("registry.example/a**", "can match no repository"),
        ("registry.example/***", "can match no repository"),
        ("registry.example/A", "can match no repository"),
        ("registry.example/../a", "can match no repository"),
        ("**.example/a", "can match no repository"),
        ("user@registry.example/a", "can match no repository"),
        ("registry.example/a:1", "has a tag or a digest; patterns are over repositories alone"),
        ("registry.example/a@sha256:*", "has a tag or a digest"),
        ("https://registry.example/a", "can match no repository"),
        ("registry.example/a\n", "\"registry.example/a\\n\" can match no repository"),
    ];
    for (text, reason) in cases {
        match text.parse::<Pattern>() {
            Ok(pattern) => panic!("{text:?}: read as {pattern}"),
            Err(error) => assert!(error.to_string().contains(reason), "{text:?}: {error}"),
        }
    }
}

proptest! {
    #[test]
    fn a_pattern_without_wildcards_is_one_repository(
        left in "(a|b)\\.c/[ab]{1,2}(/[ab]){0,2}",
        right in "(a|b)\\.c/[ab]{1,2}(/[ab]){0,2}",
    ) {
        prop_assert_eq!(pattern(&left).matches(&repository(&right)), left == right);
    }
}

#[test]
fn many_stars_cost_no_more_than_few() {
    // Tried one after the other, the ways to share 100 parts among 20 stars outlast the universe.
    let pattern: Pattern = format!("a.example/{}/end", ["**"; 20].join("/x/")).parse().unwrap();
    let path = ["x"; 100].join("/");
    assert!(pattern.matches(&format!("a.example/{path}/end").parse().unwrap()));
    assert!(!pattern.matches(&format!("a.example/{path}/other").parse().unwrap()));
}
