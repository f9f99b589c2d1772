use super::desk::Desk;

#[test]
fn a_sign_off_is_put_listed_printed_and_admits_the_image() {
    let desk = Desk::new();
    let (allowed, said) = desk.verify();
    assert!(!allowed && said.contains("(approved.missing)"), "{said}");

    let put = desk.run("put IMAGE approval yes.json --key ann.key --expires 720h").good();
    assert!(put.stdout().starts_with(&format!("{}@sha256:", desk.image())), "{}", put.stdout());
    let resolved = format!("{}:latest is {}", desk.image(), desk.shop.digest());
    assert!(
        put.stderr().contains(&resolved),
        "what the tag was resolved to is told: {}",
        put.stderr()
    );

    let listed = desk.run("list IMAGE --keyring qa.asc -o json").good().json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    for (member, want) in [
        ("type", "approval"),
        ("mediaType", "application/json"),
        ("status", "verified"),
        ("authority", "keyring"),
    ] {
        assert_eq!(listed[0][member], want, "{listed}");
    }
    assert_eq!(listed[0]["size"], 18);
    assert!(listed[0]["expires"].is_string(), "{listed}");

    let unverified = desk.run("list IMAGE").good().stdout();
    assert!(unverified.contains("(unverified)"), "{unverified}");

    for trust in ["", "--keyring qa.asc", "--config countersign.yaml"] {
        let got = desk.run(&format!("get IMAGE approval {trust}")).good();
        assert_eq!(got.stdout(), "{\"approved\": true}", "{trust}");
    }

    let (allowed, said) = desk.verify();
    assert!(allowed, "{said}");
    assert!(said.contains("metadata approval by qa"), "{said}");
}

#[test]
fn the_same_is_put_once_and_a_newer_word_counts() {
    let desk = Desk::new();
    desk.write("no.json", "{\"approved\": false}");
    let expires = "--expires 2100-01-01T00:00:00Z";
    let yes = format!("put IMAGE approval yes.json --key ann.key {expires}");
    let no = format!("put IMAGE approval no.json --key ann.key {expires}");
    let count = || desk.registry.referrers("acme/shop", &desk.shop.digest()).len();

    desk.run(&yes).good();
    let again = desk.run(&yes).good();
    assert_eq!((again.stdout().as_str(), count()), ("", 1));
    assert!(again.stderr().contains("unchanged: "), "{}", again.stderr());

    desk.run(&no).good();
    assert!(!desk.verify().0, "it was taken back");
    desk.run(&yes).good();
    assert_eq!(count(), 3, "what was said before the last word is said anew");
    assert!(desk.verify().0);

    let both = desk.run(&format!("{yes} --key bob.key -o json")).good().json();
    let unchanged: Vec<_> = both
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["published"][0]["unchanged"].clone())
        .collect();
    assert_eq!(unchanged, [true, false], "each key speaks for itself: {both}");
}

#[test]
fn p2_what_is_not_verified_is_not_printed_to_who_asks_for_it() {
    let desk = Desk::new();
    desk.run("put IMAGE approval yes.json --key stranger.key --expires 1h").good();
    desk.run("get IMAGE approval").good();
    desk.run("get IMAGE approval --keyring qa.asc").bad(1, "(signature.unknown-key)");
    desk.run("get IMAGE approval --config countersign.yaml").bad(1, "(signature.unknown-key)");
    assert!(!desk.verify().0);

    desk.run("put IMAGE contact yes.json --key ann.key").good();
    desk.run("get IMAGE contact --keyring qa.asc").good();
    desk.run("get IMAGE contact --config countersign.yaml").bad(1, "(scope.type)");
}

#[test]
fn without_a_key_it_is_for_people_only() {
    let desk = Desk::new();
    let put = desk.run("put IMAGE approval yes.json --expires 1h").good();
    assert!(put.stderr().contains("reaches no rule"), "{}", put.stderr());
    let again = desk.run("put IMAGE approval yes.json").good();
    assert!(!again.stderr().contains("unchanged"), "another expiry: {}", again.stderr());
    assert!(desk.run("put IMAGE approval yes.json").good().stderr().contains("unchanged"));
    let listed = desk.run("list IMAGE -o json").good().json();
    assert_eq!(listed[0]["status"], "unsigned", "{listed}");
    desk.run("get IMAGE approval --keyring qa.asc").bad(1, "unsigned");
    assert!(!desk.verify().0);
}

#[test]
fn any_bytes_are_kept_and_what_they_are_is_seen() {
    let desk = Desk::new();
    for (name, value, given, want) in [
        ("JSON", &b"{\"a\": 1}"[..], "", "application/json"),
        ("text", b"call the desk", "", "text/plain"),
        ("bytes", b"\x00\xff", "", "application/octet-stream"),
        ("given", b"{\"a\": 1}", "--media-type application/vnd.acme.x", "application/vnd.acme.x"),
        ("nothing", b"", "", "text/plain"),
    ] {
        let line = format!("put IMAGE {name} - --key ann.key {given}");
        desk.run_with(&line, &[], value).good();
        let got = desk.run(&format!("get IMAGE {name} --keyring qa.asc")).good();
        assert_eq!(got.bytes(), value, "{name}");
        let listed = desk.run("list IMAGE -o json").good().json();
        let row = listed.as_array().unwrap().iter().find(|row| row["type"] == name).unwrap();
        assert_eq!(row["mediaType"], want, "{name}");
    }
    let large = vec![b'x'; 1024 * 1024 + 1];
    desk.run_with("put IMAGE large -", &[], &large).bad(2, "it has more than 1048576 bytes");
    desk.run_with("put IMAGE large - --key ann.key", &[], &large[1..]).good();
    assert_eq!(desk.run("get IMAGE large --keyring qa.asc").good().bytes().len(), 1024 * 1024);
}

#[test]
fn what_is_wrong_is_said() {
    let desk = Desk::new();
    desk.write("bad.json", "{\"a\": 1, \"a\": 2}");
    for (name, line, code, words) in [
        ("no such file", "put IMAGE approval none.json --key ann.key", 2, "cannot read none.json"),
        ("no such key", "put IMAGE approval yes.json --key none.key", 1, "none.key"),
        ("a type that is none", "put IMAGE a/b yes.json", 2, "is no type of metadata"),
        (
            "a media type that is none",
            "put IMAGE a yes.json --media-type json",
            2,
            "is no media type",
        ),
        (
            "a member twice",
            "put IMAGE a bad.json --media-type application/json",
            2,
            "appears twice",
        ),
        ("a past expiry", "put IMAGE a yes.json --expires 2020-01-01T00:00:00Z", 2, "is past"),
        ("an expiry that is none", "put IMAGE a yes.json --expires soon", 2, "write a time"),
        ("no such tag", "list IMAGE:none", 1, "has no tag \"none\""),
        ("no such type", "get IMAGE approval", 1, "has no metadata of type approval"),
        (
            "two trusts",
            "get IMAGE a --keyring qa.asc --config countersign.yaml",
            2,
            "cannot be used with",
        ),
        ("a keyring that is none", "get IMAGE a --keyring yes.json", 1, "yes.json cannot be used"),
    ] {
        let ran = desk.run(line);
        assert_eq!(ran.code(), code, "{name}: {}", ran.stderr());
        assert!(ran.stderr().contains(words), "{name}: {}", ran.stderr());
    }
}
