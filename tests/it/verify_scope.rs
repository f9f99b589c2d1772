//! Valid signatures that must not count: another note, source, type, image or repository.

use std::collections::BTreeMap;

use countersign::{
    attest::{Candidate, Signed, metadata},
    name::{Digest, Repository},
    verify::{Attests, Authority, Identity, IdentityMap, Image, Layers, Level, Verified},
};
use countersign_kit as kit;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::verify_support::{
    REPOSITORY, authority, candidate, digest, dsse, judge, keys, message, outcome, payload, trust,
    trusting,
};

const PREDICATE: &str = "https://a.example/p";

/// A statement with these subjects, signed.
fn statement(key: &kit::Key, kind: &str, subjects: &Value, predicate: &Value) -> Signed {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": kind,
        "predicate": predicate,
    });
    dsse(&kit::signed_statement(&statement, &[key]))
}

#[test]
fn p3_an_authority_speaks_within_its_scope() {
    let key = kit::Key::generate("builder");
    let signed = || message(key.sign_message(&payload()));
    let plain = || authority("builder", keys(&key));
    let with = |change: fn(&mut Authority)| {
        let mut authority = plain();
        change(&mut authority);
        authority
    };
    let from = |source: &str, note: Option<&str>| Candidate {
        source: source.into(),
        note: note.map(|name| name.parse().expect("a note")),
        ..candidate(signed())
    };
    let built = Some("projects/p/notes/built");
    for (name, authority, candidate, want) in [
        ("referrers", plain(), from("referrers", None), Ok(())),
        (
            "its note",
            with(|it| it.note = "projects/p/notes/built".parse().ok()),
            from("grafeas", built),
            Ok(()),
        ),
        (
            "its note, elsewhere",
            with(|it| it.note = "projects/p/notes/built".parse().ok()),
            from("referrers", None),
            Ok(()),
        ),
        (
            "another note",
            with(|it| it.note = "projects/p/notes/qa".parse().ok()),
            from("grafeas", built),
            Err("scope.note"),
        ),
        (
            "the note of another project",
            with(|it| it.note = "projects/p-evil/notes/built".parse().ok()),
            from("grafeas", built),
            Err("scope.note"),
        ),
        ("no note", plain(), from("grafeas", built), Err("scope.note")),
        (
            "its source",
            with(|it| it.sources = Some(vec!["tags".into()])),
            from("tags", None),
            Ok(()),
        ),
        (
            "another source",
            with(|it| it.sources = Some(vec!["tags".into()])),
            from("referrers", None),
            Err("scope.source"),
        ),
        (
            "no source",
            with(|it| it.sources = Some(Vec::new())),
            from("referrers", None),
            Err("scope.source"),
        ),
        (
            "another type",
            with(|it| it.attests = vec![Attests::ImageId]),
            from("referrers", None),
            Err("scope.type"),
        ),
        (
            "a predicate instead",
            with(|it| it.attests = vec![Attests::Predicate("simple-signing".into())]),
            from("referrers", None),
            Err("scope.type"),
        ),
    ] {
        let judged = judge(&trust(vec![authority]), &candidate);
        let want =
            want.map(|()| vec!["builder".to_owned()]).map_err(|code: &str| vec![code.to_owned()]);
        assert_eq!(outcome(&judged), want, "{name}: {:?}", judged.rejected);
    }
}

#[test]
fn p3_types_of_statements_are_told_apart() {
    let key = kit::Key::generate("builder");
    let subject = json!([{"name": REPOSITORY, "digest": {"sha256": digest().hex()}}]);
    for (name, attests, kind, predicate, want) in [
        ("the type", PREDICATE, PREDICATE, json!({}), true),
        ("another type", "https://a.example/q", PREDICATE, json!({}), false),
        ("a longer type", "https://a.example/p", "https://a.example/p2", json!({}), false),
        ("simple signing", "simple-signing", PREDICATE, json!({}), false),
        ("embedded only", "embedded:https://a.example/p", PREDICATE, json!({}), false),
    ] {
        let mut authority = authority("builder", keys(&key));
        authority.attests = vec![attests.parse().expect(attests)];
        let signed = statement(&key, kind, &subject, &predicate);
        let judged = judge(&trust(vec![authority]), &candidate(signed));
        assert_eq!(judged.verified.len(), usize::from(want), "{name}: {:?}", judged.rejected);
        if !want {
            assert_eq!(judged.rejected[0].code.as_str(), "scope.type", "{name}");
        }
    }
    let predicate_type = metadata::PREDICATE_TYPE.parse::<Attests>();
    assert!(predicate_type.is_err(), "metadata is attested by its type");
}

#[test]
fn p3_types_of_metadata_are_told_apart() {
    let key = kit::Key::generate("builder");
    let subject = json!([{"name": REPOSITORY, "digest": {"sha256": digest().hex()}}]);
    let value: &[u8] = b"{}";
    let predicate = json!({
        "type": "seccomp",
        "mediaType": "application/json",
        "digest": Digest::sha256(value),
        "size": value.len(),
        "created": "2026-01-02T03:04:05Z",
    });
    for (name, attests, want) in [
        ("the type", "metadata/seccomp", true),
        ("any", "metadata/*", true),
        ("another", "metadata/apparmor", false),
        ("a predicate", PREDICATE, false),
        ("simple signing", "simple-signing", false),
    ] {
        let mut authority = authority("builder", keys(&key));
        authority.attests = vec![attests.parse().expect(attests)];
        let Signed::Dsse(envelope) =
            statement(&key, metadata::PREDICATE_TYPE, &subject, &predicate)
        else {
            panic!("a statement is in an envelope");
        };
        let signed = Signed::Metadata { envelope, value: value.into() };
        let judged = judge(&trust(vec![authority]), &candidate(signed));
        assert_eq!(judged.verified.len(), usize::from(want), "{name}: {:?}", judged.rejected);
        if !want {
            assert_eq!(judged.rejected[0].code.as_str(), "scope.type", "{name}");
        }
    }
}

#[test]
fn p4_name_and_digests_stand_in_one_entry() {
    let key = kit::Key::generate("builder");
    let trust = trusting(&key);
    let (here, other) = (digest().hex(), Digest::sha256(b"other").hex());
    let sha512 = Digest::sha512(b"manifest").hex();
    let entry = |name: Option<&str>, digests: &[(&str, &String)]| {
        let digests: BTreeMap<_, _> = digests.iter().copied().collect();
        json!({"name": name, "digest": digests})
    };
    let mine = || entry(Some(REPOSITORY), &[("sha256", &here)]);
    for (name, subjects, want) in [
        ("this image", json!([mine()]), Ok(())),
        (
            "among others",
            json!([entry(Some("x.example/y"), &[("sha256", &other)]), mine()]),
            Ok(()),
        ),
        (
            "under two names",
            json!([entry(Some("x.example/y"), &[("sha256", &here)]), mine()]),
            Ok(()),
        ),
        ("with a tag", json!([entry(Some("a.example/b:1"), &[("sha256", &here)])]), Ok(())),
        (
            "both known algorithms",
            json!([entry(Some(REPOSITORY), &[("sha256", &here), ("sha512", &sha512)])]),
            Ok(()),
        ),
        (
            "only the other algorithm",
            json!([entry(Some(REPOSITORY), &[("sha512", &sha512)])]),
            Ok(()),
        ),
        (
            "lent name",
            json!([
                entry(Some(REPOSITORY), &[("sha256", &other)]),
                entry(Some("x.example/y"), &[("sha256", &here)])
            ]),
            Err("payload.other-repository"),
        ),
        ("no name", json!([entry(None, &[("sha256", &here)])]), Err("payload.other-repository")),
        (
            "no reference",
            json!([entry(Some("_"), &[("sha256", &here)])]),
            Err("payload.other-repository"),
        ),
        (
            "longer name",
            json!([entry(Some("a.example/b/c"), &[("sha256", &here)])]),
            Err("payload.other-repository"),
        ),
        (
            "another image",
            json!([entry(Some(REPOSITORY), &[("sha256", &other)])]),
            Err("payload.other-image"),
        ),
        ("no digest", json!([entry(Some(REPOSITORY), &[])]), Err("payload.other-image")),
        (
            "one digest of two",
            json!([entry(
                Some(REPOSITORY),
                &[("sha256", &here), ("sha512", &Digest::sha512(b"other").hex())]
            )]),
            Err("payload.other-image"),
        ),
        (
            "an unknown algorithm beside",
            json!([entry(Some(REPOSITORY), &[("sha256", &here), ("gitCommit", &other)])]),
            Err("payload.other-image"),
        ),
        (
            "digest in capitals",
            json!([entry(Some(REPOSITORY), &[("sha256", &here.to_uppercase())])]),
            Err("payload.other-image"),
        ),
    ] {
        let signed = candidate(statement(&key, PREDICATE, &subjects, &json!({})));
        let repository: Repository = REPOSITORY.parse().expect("a repository");
        let equals = [(digest(), Digest::sha512(b"manifest"))];
        let image = Image {
            repository: &repository,
            digest: digest(),
            platform: None,
            config: None,
            equals: &equals,
            layers: Layers::NotCompared,
        };
        let judged = trust.judge(&trust.open(&signed, &[]), &image, Timestamp::now());
        let want =
            want.map(|()| vec!["builder".to_owned()]).map_err(|code: &str| vec![code.to_owned()]);
        assert_eq!(outcome(&judged), want, "{name}: {:?}", judged.rejected);
    }
}

#[test]
fn p4_repositories_are_compared_in_one_spelling() {
    let key = kit::Key::generate("builder");
    for (name, identity, map, image, signed, want) in [
        ("as written", Identity::Repository, None, "docker.io/library/nginx", "nginx", true),
        (
            "index.docker.io",
            Identity::Repository,
            None,
            "nginx",
            "index.docker.io/library/nginx",
            true,
        ),
        ("host in capitals", Identity::Repository, None, "a.example/b", "A.example/b:1", true),
        ("another host", Identity::Repository, None, "a.example/b", "evil.example/b", false),
        (
            "another host, digest alone",
            Identity::Digest,
            None,
            "a.example/b",
            "evil.example/b",
            true,
        ),
        (
            "known elsewhere",
            Identity::Repository,
            Some(("a.example/**", "build.internal/**")),
            "a.example/b",
            "build.internal/b",
            true,
        ),
        (
            "only elsewhere",
            Identity::Repository,
            Some(("a.example/**", "build.internal/**")),
            "a.example/b",
            "a.example/b",
            false,
        ),
        (
            "elsewhere, another",
            Identity::Repository,
            Some(("a.example/**", "build.internal/**")),
            "a.example/b",
            "build.internal/c",
            false,
        ),
        (
            "pinned to another digest",
            Identity::Digest,
            None,
            "a.example/b",
            &format!("a.example/b@{}", Digest::sha256(b"other")),
            false,
        ),
    ] {
        let mut authority = authority("builder", keys(&key));
        authority.identity = identity;
        let entries = map.map(|(ours, theirs)| (ours.parse().unwrap(), theirs.parse().unwrap()));
        authority.identities = IdentityMap::new(entries.into_iter().collect()).expect("a map");
        let payload = kit::simple_signing(signed, &digest().to_string());
        let trust = trust(vec![authority]);
        let repository: Repository = image.parse().expect("a repository");
        let image = Image {
            repository: &repository,
            digest: digest(),
            platform: None,
            config: None,
            equals: &[],
            layers: Layers::NotCompared,
        };
        let opened = trust.open(&candidate(message(key.sign_message(&payload))), &[]);
        let judged = trust.judge(&opened, &image, Timestamp::now());
        assert_eq!(judged.verified.len(), usize::from(want), "{name}: {:?}", judged.rejected);
    }
}

#[test]
fn p4_a_signature_over_an_index_covers_what_stands_in_it_only_by_name() {
    let key = kit::Key::generate("builder");
    let (index, platform) = (digest(), Digest::sha256(b"platform"));
    let repository: Repository = REPOSITORY.parse().expect("a repository");
    let image = Image {
        repository: &repository,
        digest: index,
        platform: Some(platform),
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    };
    let by = |attests: &[&str]| {
        let mut authority = authority("builder", keys(&key));
        authority.attests = attests.iter().map(|text| text.parse().expect(text)).collect();
        trust(vec![authority])
    };
    let verified = |digest: Digest| -> Vec<Verified> {
        let payload = kit::simple_signing(REPOSITORY, &digest.to_string());
        let trust = by(&["simple-signing"]);
        let opened = trust.open(&candidate(message(key.sign_message(&payload))), &[]);
        trust.judge(&opened, &image, Timestamp::now()).verified
    };
    let (over_index, over_platform) = (verified(index), verified(platform));
    assert_eq!(over_index[0].subject().level, Level::Index);
    assert_eq!(over_platform[0].subject().level, Level::Manifest);
    let function = by(&["simple-signing"]);
    let provenance = by(&["simple-signing", "embedded:https://a.example/p"]);
    for (name, trust, verified, kind, want) in [
        ("for function", &function, &over_index, PREDICATE, 0),
        ("for provenance", &provenance, &over_index, PREDICATE, 1),
        ("for another type", &provenance, &over_index, "https://a.example/q", 0),
        ("over a platform", &provenance, &over_platform, PREDICATE, 0),
        ("over nothing", &provenance, &Vec::new(), PREDICATE, 0),
    ] {
        assert_eq!(trust.cover_embedded(verified, kind).len(), want, "{name}");
    }
}
