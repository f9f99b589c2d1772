//! Digests, Grafeas names, fingerprints, codes, and text on its way to people.

use countersign::name::{
    Code, Digest, Fingerprint, NoteName, NotePattern, OccurrenceName, ProjectName, escape,
};
use proptest::prelude::*;

#[test]
fn digests_hash_their_bytes() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let digest = Digest::sha256(b"");
    assert_eq!(digest.to_string(), format!("sha256:{empty}"));
    assert_eq!((digest.algorithm(), &*digest.hex()), ("sha256", empty));
    assert!(digest.covers(b"") && !digest.covers(b"x"));
    let long = Digest::sha512(b"x");
    assert!(
        long.covers(b"x") && !long.covers(b"") && long.to_string().starts_with("sha512:a4abd4")
    );
}

#[test]
fn fallback_tags_are_cut_as_the_specification_says() {
    let digest = Digest::sha256(b"");
    assert_eq!(digest.fallback_tag(), format!("sha256-{}", digest.hex()));
    let long = Digest::sha512(b"");
    assert_eq!(long.fallback_tag(), format!("sha512-{}", &long.hex()[..64]));
}

#[test]
fn digests_have_one_spelling() {
    let (f, upper) = ("f".repeat(64), "F".repeat(64));
    let cases = [
        (format!("sha256:{upper}"), "is not made of lowercase hex digits"),
        (format!("SHA256:{f}"), "digest algorithm \"SHA256\" is not supported"),
        (format!("sha256:{f}f"), "has 65 characters after its algorithm; it needs 64 hex digits"),
        (format!("sha512:{f}"), "has 64 characters after its algorithm; it needs 128 hex digits"),
        (f.clone(), "has no algorithm; write it as sha256:<64 hex digits>"),
        (format!("sha256: {}", &f[1..]), "is not made of lowercase hex digits"),
        (String::new(), "has no algorithm"),
        ("sha256:".to_owned(), "has 0 characters"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<Digest>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn grafeas_names() {
    let note: NoteName = "projects/image-build/notes/built".parse().unwrap();
    assert_eq!((note.project().as_str(), note.id()), ("projects/image-build", "built"));
    let occurrence: OccurrenceName = "projects/p/occurrences/1-2".parse().unwrap();
    assert_eq!((occurrence.project().id(), occurrence.id()), ("p", "1-2"));
    let project: ProjectName = "projects/example.com:acme".parse().unwrap();
    assert_eq!(
        project.note("CVE-2024-1").unwrap().to_string(),
        format!("{project}/notes/CVE-2024-1")
    );
    let error = project.note("a/b").unwrap_err().to_string();
    assert!(error.contains("is not a note"), "{error}");
}

#[test]
fn grafeas_names_are_strict() {
    let notes = [
        "projects/p/notes/",
        "projects//notes/n",
        "projects/p/notes/n/",
        "/projects/p/notes/n",
        "projects/p/notes/n/m",
        "projects/p/occurrences/n",
        "projects/../notes/n",
        "projects/p/notes/..",
        "projects/p/notes/a b",
        "projects/p/notes/a\"",
        "projects/p/notes/a%2fb",
        "projects/p/notes/a?b",
        "projects/p/notes/é",
        "projects/p/notes/n\n",
        "providers/p/notes/n",
        "projects/p/locations/l/notes/n",
        "",
    ];
    for text in notes {
        let error = text.parse::<NoteName>().unwrap_err().to_string();
        assert!(
            error.ends_with("is not a note; write it as projects/<project>/notes/<note>"),
            "{text}: {error}"
        );
    }
    for text in ["projects", "projects/", "projects/p/", "p", "projects/p q"] {
        let error = text.parse::<ProjectName>().unwrap_err().to_string();
        assert!(error.ends_with("write it as projects/<project>"), "{text}: {error}");
    }
    let error = "projects/p/notes/n".parse::<OccurrenceName>().unwrap_err().to_string();
    assert!(error.contains("is not an occurrence"), "{error}");
}

#[test]
fn note_patterns() {
    let cases = [
        ("projects/p/notes/*", "projects/p/notes/n", true),
        ("projects/p/notes/*", "projects/p-evil/notes/n", false),
        ("projects/p/notes/cve-*", "projects/p/notes/cve-1", true),
        ("projects/p/notes/cve-*", "projects/p/notes/acve-1", false),
        ("projects/p/notes/n", "projects/p/notes/n", true),
        ("projects/p/notes/n", "projects/p/notes/nn", false),
    ];
    for (pattern, note, want) in cases {
        let pattern: NotePattern = pattern.parse().unwrap();
        assert_eq!(pattern.matches(&note.parse().unwrap()), want, "{pattern} {note}");
    }
    for text in ["projects/*/notes/n", "projects/p/*", "*", "projects/p/notes/"] {
        assert!(text.parse::<NotePattern>().is_err(), "{text}");
    }
}

#[test]
fn fingerprints_keep_their_kind() {
    let cases = [
        ("A".repeat(40), Some("A".repeat(40))),
        ("a".repeat(40), Some("A".repeat(40))),
        ("A".repeat(64), Some("A".repeat(64))),
        ("a".repeat(64), Some("a".repeat(64))),
        (format!("{}{}", "a".repeat(32), "A".repeat(32)), None),
        ("A".repeat(16), None),
        ("g".repeat(40), None),
        (String::new(), None),
    ];
    for (text, want) in cases {
        let found = text.parse::<Fingerprint>().map(|found| found.to_string());
        assert_eq!(found.ok(), want, "{text}");
    }
    let error = "DEADBEEF".parse::<Fingerprint>().unwrap_err().to_string();
    assert_eq!(error, "\"DEADBEEF\" is not a fingerprint; give all of its 40 or 64 hex digits");
}

#[test]
fn codes_read_back_and_say_what_may_be_tried_again() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse::<Code>(), Ok(code));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'.' || byte == b'-';
        assert!(code.as_str().bytes().all(plain), "{code}");
    }
    let retryable: Vec<_> = Code::ALL.into_iter().filter(|code| code.retryable()).collect();
    assert_eq!(
        retryable,
        [
            Code::RegistryUnreachable,
            Code::RegistryLimited,
            Code::StoreUnreachable,
            Code::StoreLimited,
            Code::ReviewDeadline,
        ]
    );
}

#[test]
fn p13_outside_text_is_escaped_and_cut() {
    let cases = [
        ("plain", 80, "plain"),
        ("a\nb\r\tc", 80, r"a\nb\r\tc"),
        ("\u{1b}[31mred", 80, r"\u{1b}[31mred"),
        ("a\u{202e}b\u{2066}c\u{200f}", 80, r"a\u{202e}b\u{2066}c\u{200f}"),
        ("a\u{200b}b\u{feff}", 80, r"a\u{200b}b\u{feff}"),
        ("a\u{2028}b\u{85}", 80, r"a\u{2028}b\u{85}"),
        ("hidden\u{e0041}", 80, r"hidden\u{e0041}"),
        ("grüße, 世界", 80, "grüße, 世界"),
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("ab\ncd", 4, "ab…"),
        ("世界世界", 3, "世界…"),
        ("", 0, ""),
    ];
    for (text, most, want) in cases {
        assert_eq!(escape(text, most), want, "{text:?} in {most}");
    }
}

proptest! {
    #[test]
    fn digests_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        for digest in [Digest::sha256(&bytes), Digest::sha512(&bytes)] {
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
            prop_assert!(digest.covers(&bytes));
        }
    }

    #[test]
    fn p13_escaped_text_has_no_control_and_no_more_than_asked(text in any::<String>(), most in 1usize..40) {
        let escaped = escape(&text, most);
        prop_assert!(escaped.chars().count() <= most);
        prop_assert!(!escaped.chars().any(char::is_control));
    }
}
