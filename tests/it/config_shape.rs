//! The shape of the configuration file: what loads, and the first thing that is wrong.

use std::path::Path;

use countersign::config;

fn read(text: &str) -> Result<config::document::Document, String> {
    config::read(Path::new("serve.yaml"), text).map_err(|error| error.to_string())
}

const SERVE: &str = include_str!("../../fixtures/config/serve.yaml");
const MINIMAL: &str = include_str!("../../fixtures/config/minimal.yaml");

#[test]
fn the_contract_has_the_shape() {
    for text in [SERVE, MINIMAL] {
        read(text).unwrap();
    }
    let document = read(SERVE).unwrap();
    assert_eq!(document.authorities.len(), 3);
    println!("{document:#?}");
}

#[test]
fn the_first_error_of_the_shape_is_told_with_line_and_nearest_key() {
    let cases = [
        ("mode: enforce\n    platforms", "mdoe: enforce\n    platforms"),
        ("unpinned: deny", "unpined: deny"),
        ("templates: deny", "templates: dney"),
        ("deadline: 8s", "deadline: 8"),
        ("deadline: 8s", "deadline: 8 seconds"),
        ("memory: 48MiB", "memory: 48MB"),
        ("openpgp: keys/builder.asc", "pgp: keys/builder.asc"),
        ("images: 500", "images: many"),
        ("images: 500", "images: -1"),
        ("unmatched: deny  ", "unmatched: deny\nunmatched: allow"),
        ("    url: https://grafeas.example:8443\n", ""),
        ("unpinned: deny", "unpinned: [deny"),
        ("unpinned: deny", "unpinned:\tdeny: x"),
        ("api: v1beta1", "api: v2"),
        ("token: {google: true}", "token: {gogle: true}"),
        ("rules: [{use: registries", "rules: [{uses: registries"),
        ("stores: ", "stores: 1\nx: "),
        ("plainHttp: true", "plainHttp: maybe"),
        ("plainHttp: true", "plain_http: true"),
        ("revoked: [", "revoked: sha256:1 #"),
    ];
    for (from, to) in cases {
        assert!(SERVE.contains(from), "{from}");
        let error = read(&SERVE.replacen(from, to, 1));
        println!("{to:?}: {}", error.err().unwrap_or("LOADS".into()));
    }
    for text in ["", "[]", "unmatched: deny\n---\nunmatched: allow\n", "{", "a: *b", "x"] {
        println!("{text:?}: {}", read(text).err().unwrap_or("LOADS".into()));
    }
}
