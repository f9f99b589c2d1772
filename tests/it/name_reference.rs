//! References: distribution/reference's published cases, and what our normal form makes of them.

use countersign::name::{Digest, ImageRef, PinnedImage, Repository};
use proptest::prelude::*;

/// `F` in the cases below.
fn f() -> String {
    "f".repeat(64)
}

fn fill(text: &str) -> String {
    text.replace("<F>", &f())
        .replace("<128f>", &"f".repeat(128))
        .replace("<UPPER>", &"F".repeat(64))
        .replace("<34f>", &"f".repeat(34))
        .replace("<32f>", &"f".repeat(32))
        .replace("<255a>", &"a".repeat(255))
        .replace("<256a>", &"a".repeat(256))
        .replace("<128t>", &"t".repeat(128))
        .replace("<129t>", &"t".repeat(129))
}

/// As `ParseDockerRef` reads them: written, host, path, `:tag` or `@digest`. Where our host is
/// another spelling of the library's, the comment says so.
const ACCEPTED: &[(&str, &str, &str, &str)] = &[
    ("busybox", "docker.io", "library/busybox", ":latest"),
    ("busybox:1", "docker.io", "library/busybox", ":1"),
    ("library/busybox", "docker.io", "library/busybox", ":latest"),
    ("docker.io/busybox", "docker.io", "library/busybox", ":latest"),
    ("index.docker.io/busybox", "docker.io", "library/busybox", ":latest"),
    ("registry-1.docker.io/library/busybox", "registry-1.docker.io", "library/busybox", ":latest"),
    ("docker.io/library/foo/bar", "docker.io", "library/foo/bar", ":latest"),
    ("docker.io", "docker.io", "library/docker.io", ":latest"),
    ("localhost", "docker.io", "library/localhost", ":latest"),
    ("localhost/foo", "localhost", "foo", ":latest"),
    ("localhost:5000/foo", "localhost:5000", "foo", ":latest"),
    ("LOCALDOMAIN/foo", "LOCALDOMAIN", "foo", ":latest"),
    ("Foo/bar", "FOO", "bar", ":latest"), // Foo: only capitals make it a host
    ("DOCKER.IO/busybox", "docker.io", "library/busybox", ":latest"), // DOCKER.IO | busybox
    ("Index.docker.io/busybox", "docker.io", "library/busybox", ":latest"), // as above
    ("EXAMPLE.com/foo", "example.com", "foo", ":latest"), // EXAMPLE.com
    ("test.com", "docker.io", "library/test.com", ":latest"),
    ("test.com:5000", "docker.io", "library/test.com", ":5000"),
    ("test.com:5000/foo", "test.com:5000", "foo", ":latest"),
    ("test_com/foo", "docker.io", "test_com/foo", ":latest"),
    ("foo_bar.com:8080", "docker.io", "library/foo_bar.com", ":8080"),
    ("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", ":8080"),
    ("192.168.1.1", "docker.io", "library/192.168.1.1", ":latest"),
    ("192.168.1.1:80", "docker.io", "library/192.168.1.1", ":80"),
    ("192.168.1.1/repo", "192.168.1.1", "repo", ":latest"),
    ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", ":5050"),
    ("[::1]:5000/repo", "[::1]:5000", "repo", ":latest"),
    ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", ":latest"),
    ("[2001:DB8::1]/repo", "[2001:db8::1]", "repo", ":latest"), // [2001:DB8::1]
    ("[:::::]/repo", "[:::::]", "repo", ":latest"),
    ("repo:tag@sha256:<F>", "docker.io", "library/repo", "@sha256:<F>"),
    ("repo@sha256:<F>", "docker.io", "library/repo", "@sha256:<F>"),
    ("repo@sha512:<128f>", "docker.io", "library/repo", "@sha512:<128f>"),
    ("sha256:<F>", "docker.io", "library/sha256", ":<F>"),
    ("docker.io/<F>", "docker.io", "library/<F>", ":latest"),
    ("lowercase:Uppercase", "docker.io", "library/lowercase", ":Uppercase"),
    ("docker---rules/docker", "docker.io", "docker---rules/docker", ":latest"),
    ("dock__er/docker", "docker.io", "dock__er/docker", ":latest"),
    ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", ":xn--n3h.com"),
    ("example.com/<255a>:tag", "example.com", "<255a>", ":tag"),
    ("a:<128t>", "docker.io", "library/a", ":<128t>"),
    ("a:_tag", "docker.io", "library/a", ":_tag"),
    ("example.com:99999/a", "example.com:99999", "a", ":latest"),
];

#[test]
fn references_that_runtimes_accept() {
    for (written, host, path, rest) in ACCEPTED {
        let written = fill(written);
        let image: ImageRef = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
        let found = match (image.tag(), image.digest()) {
            (Some(tag), None) => format!(":{tag}"),
            (None, Some(digest)) => format!("@{digest}"),
            both => panic!("{written}: {both:?}"),
        };
        let repository = image.repository();
        assert_eq!(
            (repository.host(), repository.path(), found),
            (*host, &*fill(path), fill(rest)),
            "{written}"
        );
        assert_eq!(image.as_str(), written);
        let again: Repository = repository.to_string().parse().unwrap();
        assert_eq!(&again, repository, "{written}: its repository does not read back");
    }
}

/// Written, and a piece of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("repo@sha256:<UPPER>", "is not made of lowercase hex digits"),
    ("repo@sha256:<34f>", "digest has 34 characters after its algorithm; it needs 64 hex digits"),
    ("repo@blake3:<F>", "digest algorithm \"blake3\" is not supported; use sha256 or sha512"),
    ("repo@md5:<32f>", "digest algorithm \"md5\" is not supported"),
    ("repo@sha384:<F>", "digest algorithm \"sha384\" is not supported"),
    ("<F>", "is an image ID of 64 hex digits, not a name; put its repository before it"),
    ("Uppercase:tag", "repository \"Uppercase\" has capitals; write it in lower case"),
    ("docker/Docker", "repository \"docker/Docker\" has capitals; write it in lower case"),
    ("Foo/Bar", "repository \"Bar\" has capitals; write it in lower case"),
    ("foo.bar/Baz", "repository \"Baz\" has capitals; write it in lower case"),
    ("test:5000/Uppercase/lowercase:tag", "has capitals; write it in lower case"),
    ("dock___er/docker", "is not an image reference"),
    ("dock..er/docker", "is not an image reference"),
    ("dock_.er/docker", "is not an image reference"),
    ("-docker/docker", "is not an image reference"),
    ("docker-/docker", "is not an image reference"),
    ("docker///docker", "is not an image reference"),
    ("docker/", "is not an image reference"),
    ("example.com/<256a>:tag", "has 256 characters; it must not have more than 255"),
    ("a:<129t>", "is not an image reference"),
    ("a:-tag", "is not an image reference"),
    ("a:.tag", "is not an image reference"),
    ("a:", "is not an image reference"),
    ("example.com:/a", "is not an image reference"),
    ("example.com./foo", "is not an image reference"),
    ("a..b.com/foo", "is not an image reference"),
    ("-a.com/foo", "is not an image reference"),
    ("bücher.example/a", "is not an image reference"),
    ("user@example.com/foo", "is not an image reference"),
    ("example.com@evil.example/foo", "is not an image reference"),
    ("example.com/a/../b", "is not an image reference"),
    ("example.com/a/./b", "is not an image reference"),
    ("example.com//foo", "is not an image reference"),
    ("example.com/foo?x=1", "is not an image reference"),
    ("example.com/foo%2fbar", "is not an image reference"),
    // The library takes this for a path without a host, and runtimes take the host from it.
    ("under_score.example/foo", "is not an image reference"),
    ("", "\"\" is not an image reference; write it as host/path:tag or host/path@digest"),
    (":tag", "is not an image reference"),
    ("@sha256:<F>", "is not an image reference"),
    ("repo@tag", "is not an image reference"),
    ("host.io/a:b/c", "is not an image reference"),
    ("repo:t@sha256:<F>@sha256:<F>", "digest has 136 characters"),
    ("aa/asdf$$^/aa", "is not an image reference"),
    (" busybox", "is not an image reference"),
    ("busybox ", "is not an image reference"),
    ("busybox\n", "\"busybox\\n\" is not an image reference"),
    ("busy\u{202e}box", "\"busy\\u{202e}box\" is not an image reference"),
    ("https://github.com/docker/docker", "is not an image reference"),
    ("[2001:db8::1]", "is not an image reference"),
    ("fc00::1:5000/debian", "is not an image reference"),
    ("[fe80::1%eth0]:5000/repo", "is not an image reference"),
    ("[zz::1]/repo", "is not an image reference"),
    ("[]/repo", "is not an image reference"),
    ("[::1]5000/repo", "is not an image reference"),
];

#[test]
fn references_that_runtimes_refuse() {
    for (written, reason) in REFUSED {
        let written = fill(written);
        match written.parse::<ImageRef>() {
            Ok(image) => panic!("{written}: read as {:?}", image.repository()),
            Err(error) => {
                assert!(error.to_string().contains(&fill(reason)), "{written}: {error}");
            }
        }
    }
}

#[test]
fn p1_pinning_appends_the_digest_to_the_reference_as_written() {
    let digest: Digest = format!("sha256:{}", f()).parse().unwrap();
    let cases = [
        ("nginx", format!("nginx@sha256:{}", f())),
        (
            "registry.example/acme/shop:1.4",
            format!("registry.example/acme/shop:1.4@sha256:{}", f()),
        ),
        ("EXAMPLE.com:5000/a:b", format!("EXAMPLE.com:5000/a:b@sha256:{}", f())),
    ];
    for (written, want) in cases {
        let image: ImageRef = written.parse().unwrap();
        let pinned = image.with_digest(digest);
        assert_eq!(pinned, want);
        let read: ImageRef = pinned.parse().unwrap();
        assert_eq!((read.digest(), read.tag()), (Some(digest), None), "{written}");
        assert_eq!(read.with_digest(digest), want, "pinned twice");
    }
}

#[test]
fn a_repository_has_neither_tag_nor_digest() {
    for text in ["nginx:1", "test.com:5000", &format!("nginx@sha256:{}", f())] {
        let error = text.parse::<Repository>().unwrap_err().to_string();
        let want =
            format!("\"{text}\" names an image; write the repository alone, without tag or digest");
        assert_eq!(error, want);
    }
}

#[test]
fn a_pinned_image_is_a_repository_and_a_digest() {
    let digest = format!("sha256:{}", f());
    let image: PinnedImage = format!("index.docker.io/nginx@{digest}").parse().unwrap();
    assert_eq!(image.to_string(), format!("docker.io/library/nginx@{digest}"));
    let cases = [
        ("nginx".to_owned(), "\"nginx\" has no digest; write it as repository@sha256:…"),
        (format!("nginx:1@{digest}"), "has a tag beside its digest; leave the tag out"),
        ("Nginx".to_owned(), "has capitals; write it in lower case"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<PinnedImage>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn names_are_text_in_json() {
    let image: ImageRef = serde_json::from_str(r#""nginx:1""#).unwrap();
    assert_eq!(serde_json::to_string(&image).unwrap(), r#""nginx:1""#);
    let repository = image.repository();
    assert_eq!(serde_json::to_string(repository).unwrap(), r#""docker.io/library/nginx""#);
    assert_eq!(format!("{repository:?}"), "docker.io/library/nginx");
    let error = serde_json::from_str::<Repository>(r#""nginx:1""#).unwrap_err().to_string();
    assert!(error.contains("names an image"), "{error}");
}

proptest! {
    #[test]
    fn whatever_parses_reads_back(text in "[a-zA-Z0-9.:/@_\\[\\]-]{0,40}") {
        if let Ok(image) = text.parse::<ImageRef>() {
            prop_assert_eq!(image.as_str(), &text);
            let repository = image.repository();
            prop_assert_eq!(&repository.to_string().parse::<Repository>().unwrap(), repository);
            let digest = Digest::sha256(text.as_bytes());
            let pinned: ImageRef = image.with_digest(digest).parse().unwrap();
            prop_assert_eq!(pinned.digest(), Some(digest));
            prop_assert_eq!(pinned.repository(), repository);
        }
    }

    #[test]
    fn likely_references_parse(
        host in "([a-z0-9]{1,8}\\.){1,2}[a-z]{2,5}(:[0-9]{1,5})?",
        path in "[a-z0-9]{1,6}([._-][a-z0-9]{1,6})?(/[a-z0-9]{1,6}){0,3}",
        tag in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}",
    ) {
        let image: ImageRef = format!("{host}/{path}:{tag}").parse().unwrap();
        let repository = image.repository();
        prop_assert_eq!((repository.host(), repository.path()), (&*host, &*path));
        prop_assert_eq!(image.tag(), Some(&*tag));
    }

    #[test]
    fn nothing_makes_the_parsers_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<ImageRef>();
        let _ = text.parse::<PinnedImage>();
        let _ = text.parse::<Digest>();
    }
}
