//! Authorities with roots of certificates.

use countersign_kit::{Notary, PkixKey};
use jiff::Timestamp;
use rcgen::KeyUsagePurpose;

use super::folder::{Folder, MINIMAL};

/// A folder whose only authority is this, and with `roots.pem`.
fn folder(authority: &str) -> Folder {
    let folder = Folder::new();
    let authorities = format!("authorities:\n  - {{name: qa, {authority}}}\npolicies:");
    let (head, rest) = MINIMAL.split_once("authorities:").unwrap();
    let (_, tail) = rest.split_once("policies:").unwrap();
    folder.write("minimal.yaml", format!("{head}{authorities}{tail}"));
    folder.write("roots.pem", Notary::new().root_pem());
    folder
}

const GOOD: &str = "keys: [{x509: roots.pem}], attests: [notation], identity: digest";

#[test]
fn a_file_of_roots_holds_certificates_that_something_can_be_under() {
    let secret = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let between = Notary::made(vec![Notary::issuer("between"), Notary::issuer("root")]);
    let issued = pem(&between.chain()[0]);
    let mut idle = Notary::leaf();
    idle.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let idle = Notary::made(vec![idle]).root_pem();
    let one = Notary::new().root_pem();
    for (name, file, want) in [
        ("a root", one.clone(), None),
        ("two, with words around", format!("subject=x\n{one}\n{}", Notary::new().root_pem()), None),
        ("one that signed itself", Notary::made(vec![Notary::leaf()]).root_pem(), None),
        ("nothing", String::new(), Some("no certificate in PEM")),
        ("no PEM", "0\u{1}\u{2}".to_owned(), Some("no certificate in PEM")),
        ("broken", one.replace("END CERT", "END CART"), Some("no certificate in PEM")),
        ("a key", PkixKey::generate().public_pem(), Some("name such a file as `pkix`")),
        ("a secret", secret, Some("a secret key, which has no business here")),
        ("one from below", issued.clone(), Some("certificate 1 of it is issued by another one")),
        ("the same behind a root", one.clone() + &issued, Some("certificate 2 of it is issued by")),
        ("one of no use", idle, Some("certificate 1 of it may neither issue others")),
        ("no certificate", pem(b"0"), Some("certificate 1 of it does not parse")),
        ("many", one.repeat(65), Some("more than 64 certificates")),
    ] {
        let folder = folder(GOOD);
        folder.write("roots.pem", file);
        let errors = folder.load("minimal.yaml").err().unwrap_or_default();
        match want {
            None => assert!(errors.is_empty(), "{name}: {errors:?}"),
            Some(want) => {
                let [error] = errors.as_slice() else { panic!("{name}: {errors:?}") };
                let place = "roots.pem: holds no key that an authority can have: ";
                assert!(error.contains(place) && error.contains(want), "{name}: {error}");
            }
        }
    }
}

#[test]
fn what_stands_beside_roots() {
    let with = |more: &str| format!("{GOOD}, {more}");
    for (name, authority, want) in [
        ("an identity", with(r#"trustedIdentities: ["x509.subject: C=US, O=acme.example"]"#), None),
        ("none of them", with("trustedIdentities: []"), Some("`trustedIdentities` is empty")),
        ("all of them", with(r#"trustedIdentities: ["*"]"#), Some("leave `trustedIdentities` out")),
        ("no identity", with("trustedIdentities: [acme]"), Some("\"acme\" is no trusted identity")),
        (
            "identities without roots",
            r#"keys: [{openpgp: qa.asc}], trustedIdentities: ["x509.subject: C=US"]"#.to_owned(),
            Some("there is no `x509` key"),
        ),
        (
            "roots for nothing",
            "keys: [{x509: roots.pem}]".to_owned(),
            Some("under `x509` roots nothing is signed but `notation`"),
        ),
        (
            "the past",
            with("afterExpiry: signed-before"),
            Some("nobody but the signer vouches for the time"),
        ),
    ] {
        let errors = folder(&authority).load("minimal.yaml").err().unwrap_or_default();
        match want {
            None => assert!(errors.is_empty(), "{name}: {errors:?}"),
            Some(want) => {
                let [error] = errors.as_slice() else { panic!("{name}: {errors:?}") };
                assert!(error.contains(want), "{name}: {error}");
            }
        }
    }
}

#[test]
fn p3_authorities_may_share_roots_only_if_both_say_so() {
    for (first, second, want) in [
        ("", "", Some("authorities \"qa\" and \"other\" hold the same key ")),
        (", sharedKey: true", "", Some("authorities \"qa\" and \"other\" hold the same key ")),
        (", sharedKey: true", ", sharedKey: true", None),
    ] {
        let folder = folder(&format!(
            "{GOOD}{first}}}\n  - {{name: other, keys: [{{x509: copy.pem}}], attests: [notation]{second}"
        ));
        folder.write("copy.pem", std::fs::read(folder.at("roots.pem")).unwrap());
        let errors = folder.load("minimal.yaml").err().unwrap_or_default();
        match want {
            None => assert!(errors.is_empty(), "{errors:?}"),
            Some(want) => assert!(errors[0].contains(want), "{errors:?}"),
        }
    }
}

#[test]
fn a_root_is_told_with_its_end() {
    let mut root = Notary::issuer("root");
    root.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let folder = folder(GOOD);
    folder.write("roots.pem", Notary::made(vec![Notary::leaf(), root]).root_pem());
    let config = folder.load("minimal.yaml").unwrap();
    for (now, want) in [
        ("2026-01-01T00:00:00Z", ""),
        ("2026-12-31T00:00:00Z", "expires at 2027-01-01T00:00:00Z"),
        ("2027-01-02T00:00:00Z", "it is not valid now"),
    ] {
        let now: Timestamp = now.parse().unwrap();
        let report = config.report(now);
        let [key] = report.authorities[0].keys.as_slice() else { panic!("{report:?}") };
        assert_eq!(key.users, ["C=US, O=acme.example, CN=root"]);
        let warnings: Vec<_> = report.warnings.iter().map(|warning| &warning.text).collect();
        assert_eq!(warnings.iter().any(|text| text.contains("key ")), !want.is_empty());
        assert!(want.is_empty() || warnings.iter().any(|text| text.contains(want)), "{warnings:?}");
    }
}

fn pem(der: &[u8]) -> String {
    let text = countersign_kit::base64(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
