use countersign_kit::{Auth, Fault, On, Referrers, Users};

use super::desk::Desk;

#[test]
fn metadata_is_deleted_after_asking() {
    let desk = Desk::new();
    for key in ["ann", "bob"] {
        desk.run(&format!("put IMAGE approval yes.json --key {key}.key --expires 1h")).good();
    }
    desk.run("delete IMAGE approval").bad(2, "give --yes");
    desk.run("delete IMAGE contact --yes").bad(1, "has no such metadata of type contact");
    let listed = desk.run("list IMAGE -o json").good().json();
    let ann = listed[1]["signer"].as_str().unwrap().to_owned();
    desk.run(&format!("delete IMAGE approval --yes --signer {ann}")).good();
    assert_eq!(desk.run("list IMAGE -o json").good().json().as_array().unwrap().len(), 1);
    desk.run("delete IMAGE approval --yes").good();
    assert_eq!(desk.run("list IMAGE -o json").good().json().as_array().unwrap().len(), 0);
    assert!(!desk.verify().0);
}

#[test]
fn the_fallback_tag_is_kept_up() {
    let desk = Desk::new();
    desk.registry.set_referrers(Referrers::Off);
    let put = desk.run("put IMAGE approval yes.json --key ann.key --expires 1h -o json").good();
    let tag = desk.shop.digest().replace(':', "-");
    assert_eq!(put.json()[0]["published"][0]["tag"], tag, "{}", put.stdout());
    desk.run("put IMAGE contact yes.json --key ann.key").good();
    assert!(desk.verify().0);
    desk.run("delete IMAGE approval --yes").good();
    let left = desk.run("list IMAGE -o json").good().json();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(left[0]["type"], "contact");
    let (_, list) = desk.registry.manifest("acme/shop", &tag).unwrap();
    assert_eq!(String::from_utf8_lossy(&list).matches("\"digest\"").count(), 1);
}

#[test]
fn a_registry_that_deletes_nothing_is_told_from_one_that_does() {
    for (referrers, code, words) in [
        (Referrers::All { filter: true }, 1, "stays and counts on"),
        (Referrers::Off, 0, "is no longer listed"),
    ] {
        let desk = Desk::new();
        desk.registry.set_referrers(referrers);
        desk.run("put IMAGE approval yes.json --key ann.key --expires 1h").good();
        desk.registry.fault(On::all().method("DELETE"), Fault::status(405));
        desk.run("delete IMAGE approval --yes").bad(code, words);
        assert_eq!(desk.verify().0, code == 1, "{words}");
    }
}

#[test]
fn a_token_to_delete_is_asked_for() {
    let desk = Desk::new();
    desk.registry.set_auth(Auth::Bearer(Users::one("ci", "secret")));
    let login = [("REGISTRY_USERNAME", "ci"), ("REGISTRY_PASSWORD", "secret")];
    desk.run_with("put IMAGE approval yes.json", &login, b"").good();
    desk.run_with("delete IMAGE approval --yes", &login, b"").good();
    let left = desk.run_with("list IMAGE -o json", &login, b"").good().json();
    assert_eq!(left.as_array().unwrap().len(), 0, "{left}");
}
