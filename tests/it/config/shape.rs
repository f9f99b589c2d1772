//! The shape of the configuration file: what loads, and the first thing that is wrong.

use std::path::Path;

use countersign::config;

fn read(text: &str) -> Result<config::document::Document, String> {
    config::parse(Path::new("serve.yaml"), text).map_err(|error| error.to_string())
}

const SERVE: &str = include_str!("../../../fixtures/config/serve.yaml");
const MINIMAL: &str = include_str!("../../../fixtures/config/minimal.yaml");

#[test]
fn the_contract_has_the_shape() {
    for text in [SERVE, MINIMAL] {
        read(text).unwrap();
    }
    let document = read(SERVE).unwrap();
    assert_eq!(document.authorities.len(), 3);
}

/// What is changed in `serve.yaml`, to what, and the error.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "mode: enforce ",
        "mdoe: enforce ",
        ":80: unknown key `mdoe`; the nearest known one is `mode`",
    ),
    (
        "unpinned: deny",
        "unpined: deny",
        ":11: unknown key `unpined`; the nearest known one is `unpinned`",
    ),
    (
        "plainHttp: true",
        "plain_http: true",
        ":32: unknown key `plain_http`; the nearest known one is `plainHttp`",
    ),
    (
        "rules: [{use: registries",
        "rules: [{uses: registries",
        ":84: unknown key `uses`; the nearest known one is `use`",
    ),
    (
        "breakGlass:  ",
        "breakglass:  ",
        ":90: unknown key `breakglass`; the nearest known one is `breakGlass`",
    ),
    (
        "templates: deny",
        "templates: dney",
        ":12: `dney` is none of the values that are known here: deny, warn, ignore",
    ),
    (
        "openpgp: keys/builder.asc",
        "pgp: keys/builder.asc",
        ":51: `pgp` is none of the values that are known here: openpgp, pkix, x509",
    ),
    (
        "token: {google: true}",
        "token: {gogle: true}",
        ":47: `gogle` is none of the values that are known here: google, file",
    ),
    ("api: v1beta1", "api: v2", ":38: `v2` is none of the values that are known here: v1beta1, v1"),
    (
        "deadline: 8s",
        "deadline: 8",
        ":10: \"8\" is no length of time; write a whole number and ms, s, m or h, such as 8s",
    ),
    (
        "memory: 48MiB",
        "memory: 48MB",
        ":18: \"48MB\" is no size; write a whole number and B, KiB, MiB or GiB, such as 48MiB",
    ),
    ("images: 500", "images: many", ":19: expected a whole number"),
    ("images: 500", "images: -1", ":19: expected a whole number"),
    ("plainHttp: true", "plainHttp: maybe", ":32: expected true or false"),
    ("stores: ", "stores: 1\nx: ", ":35: expected a list"),
    ("unmatched: deny  ", "unmatched: deny\nunmatched: allow", ": `unmatched` stands here twice"),
    ("    url: https://grafeas.example:8443\n", "", ": `url` is missing"),
    ("unpinned: deny", "unpinned:\tdeny: x", ":11: mapping values are not allowed in this context"),
];

#[test]
fn the_first_error_of_the_shape_is_told_with_line_and_nearest_key() {
    for (from, to, want) in WRONG {
        assert!(SERVE.contains(from), "{from}");
        match read(&SERVE.replacen(from, to, 1)) {
            Ok(_) => panic!("{to}: loads"),
            Err(error) => {
                assert!(error.starts_with("serve.yaml:") && error.ends_with(want), "{to}: {error}");
            }
        }
    }
    for (text, want) in [
        ("[]", "serve.yaml:1: expected keys and values"),
        ("x", "serve.yaml:1: expected keys and values"),
        (
            "unmatched: deny\n---\na: b\n",
            "serve.yaml:3: a second document begins here; a configuration is one",
        ),
        ("{", "serve.yaml:1: unclosed bracket '{'"),
    ] {
        assert_eq!(read(text).map(|_| ()), Err(want.to_owned()), "{text}");
    }
}

#[test]
fn the_schema_knows_every_key() {
    let schema = serde_json::to_value(config::schema()).unwrap();
    let known = schema["properties"].as_object().unwrap();
    for key in ["listen", "clusterPlatforms", "breakGlass", "unmatched", "policies"] {
        assert!(known.contains_key(key), "{key}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Policy"]["required"], serde_json::json!(["name", "match", "mode"]));
    assert_eq!(schema["$defs"]["Span"]["pattern"], "^[0-9]+(ms|s|m|h)$");
    assert!(schema["$defs"]["Policy"]["properties"]["mode"].to_string().contains("Mode"));
}
