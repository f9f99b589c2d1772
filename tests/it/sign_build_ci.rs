//! What CI systems say of a build, from recorded environments, and that no credential gets into it.

use std::{fs, path::Path};

use countersign::sign::build::{Ci, Environment, Origin, source_uri};

fn recorded(name: &str) -> Environment {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ci").join(name);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let variables = text.lines().map(|line| line.split_once('=').expect("NAME=value"));
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn what_each_ci_says_by_its_documentation() {
    let none = "-";
    for (file, want) in [
        (
            "github-push.env",
            [
                "GitHub Actions",
                "https://github.com/acme/shop",
                "ffac537e6cbbf934b08745a378932722df287a53",
                "refs/heads/main",
                none,
                "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main",
                "https://github.com/acme/shop/actions/runs/1658821493/attempts/1",
                none,
            ],
        ),
        (
            "github-pull-request.env",
            [
                "GitHub Actions",
                "https://github.com/acme/shop",
                "ffac537e6cbbf934b08745a378932722df287a53",
                "refs/pull/7/merge",
                none,
                "https://github.com/acme/shop/.github/workflows/release.yml@refs/pull/7/merge",
                "https://github.com/acme/shop/actions/runs/1658821493/attempts/1",
                none,
            ],
        ),
        (
            "gitlab-branch.env",
            [
                "GitLab CI",
                "https://gitlab.example/acme/shop",
                "1ecfd275763eff1d6b4844ea3168962458c9f27a",
                "refs/heads/main",
                ".gitlab-ci.yml",
                "https://gitlab.example/acme/shop/-/runners/10",
                "https://gitlab.example/acme/shop/-/jobs/50",
                "2026-11-20T16:47:55Z",
            ],
        ),
        ("gitlab-tag.env", ["GitLab CI", "=", "=", "refs/tags/v1.4.0", "=", "=", "=", "="]),
        (
            "gitlab-merge-request.env",
            ["GitLab CI", "=", "=", "refs/merge-requests/7/head", "=", "=", "=", "="],
        ),
        (
            "buildkite-branch.env",
            [
                "Buildkite",
                "ssh://git.example/acme/shop.git",
                "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d",
                "refs/heads/main",
                none,
                "https://buildkite.com/acme-inc/shop",
                "https://buildkite.com/acme-inc/shop/builds/1514#e44f9784-e20e-4b93-a21d-f41fd5869db9",
                none,
            ],
        ),
        (
            "buildkite-pull-request.env",
            ["Buildkite", "=", "=", "refs/pull/123/head", "=", "=", "=", "="],
        ),
        (
            "buildkite-tag-head.env",
            ["Buildkite", "=", none, "refs/tags/v1.4.0", "=", "=", "=", "="],
        ),
        (
            "jenkins-multibranch.env",
            [
                "Jenkins",
                "https://git.example/acme/shop.git",
                "ce9a3c1404e8c91be604088670e93434c4253f03",
                "refs/heads/main",
                none,
                "https://jenkins.example/",
                "https://jenkins.example/job/acme/job/shop/job/main/153/",
                none,
            ],
        ),
        ("jenkins-plain.env", ["Jenkins", "=", "=", "refs/heads/main", "=", "=", "=", "="]),
        ("jenkins-change.env", ["Jenkins", "=", "=", "refs/pull/24/head", "=", "=", "=", "="]),
        (
            "cloud-build.env",
            [
                "Cloud Build",
                none,
                "5d7363a9b2b3b1d5f6b8d6a5c9a8b7c6d5e4f3a2",
                "refs/heads/main",
                "cloudbuild.yaml",
                "https://cloudbuild.googleapis.com/projects/acme-prod/locations/europe-west1",
                "https://cloudbuild.googleapis.com/projects/acme-prod/locations/europe-west1/builds/6f0c2a8e-0c55-4a0e-9c9f-1f6b6f0d9d11",
                none,
            ],
        ),
    ] {
        let ci = Ci::detect(&recorded(file)).unwrap_or_else(|| panic!("{file}: no CI"));
        let Ci { name, origin, builder_id, invocation_id, started } = ci;
        let Origin { source, revision, reference, path } = origin;
        let got = [
            Some(name.to_owned()),
            source,
            revision,
            reference,
            path,
            builder_id,
            invocation_id,
            started,
        ];
        for (got, want) in got.iter().zip(want).filter(|(_, want)| *want != "=") {
            assert_eq!(got.as_deref().unwrap_or(none), want, "{file}");
        }
        let said = format!("{got:?}");
        for secret in ["secret", "hunter2"] {
            assert!(!said.contains(secret), "{file}: {said}");
        }
    }
    assert_eq!(Ci::detect(&Environment::default()), None);
    let odd = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://x\u{7}"),
        ("GITHUB_REPOSITORY", "a/b"),
        ("GITHUB_SHA", "main"),
    ];
    let odd = odd.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    assert_eq!(
        Ci::detect(&odd).unwrap().origin,
        Origin::default(),
        "control characters, no commit"
    );
}

#[test]
fn credentials_never_stand_in_a_source() {
    for (text, want) in [
        ("https://git.example/a/b.git", Some("https://git.example/a/b.git")),
        ("https://user:token@git.example/a/b", Some("https://git.example/a/b")),
        ("https://token@git.example:8443/a/b/", Some("https://git.example:8443/a/b")),
        ("https://git.example/a/b?private_token=x#y", Some("https://git.example/a/b")),
        ("git+https://u:p@git.example/a/b", Some("https://git.example/a/b")),
        ("ssh://git@git.example:2222/a/b.git", Some("ssh://git.example:2222/a/b.git")),
        ("git@git.example:a/b.git", Some("ssh://git.example/a/b.git")),
        ("token:x-oauth@git.example:a/b.git", None),
        ("/srv/git/b.git", None),
        ("../b", None),
        ("file:///srv/b", None),
        ("ext::sh -c x", None),
        ("", None),
    ] {
        assert_eq!(source_uri(text).as_deref(), want, "{text}");
    }
}
