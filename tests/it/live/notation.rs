//! Notation: what it signs counts under its root, and is named where that is not known.

use countersign_kit::Notary;

use super::verdict;
use crate::{
    cli::Desk,
    peer::{DockerRegistry, Notation, OciServe, push_image},
};

#[test]
#[ignore = "needs notation, ociserve, docker-registry and skopeo"]
fn what_notation_signs_counts_under_its_root() {
    let desk = Desk::new();
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    let rule = "{use: attested, parameters: {authorities: [notary]}}";
    let notary = |keys: &str, more: &str| {
        format!("{{name: notary, keys: [{{{keys}}}], attests: [notation], identity: digest{more}}}")
    };
    let stranger = Notary::new().root_pem();
    for (name, notation, subject) in [
        (
            "a test certificate",
            Notation::new(),
            "C=US, ST=WA, L=Seattle, O=Notary, CN=acme.example",
        ),
        ("a chain", Notation::certified(), "C=US, O=acme.example, CN=builder"),
    ] {
        desk.write("roots.pem", &std::fs::read_to_string(notation.root()).unwrap());
        desk.write("stranger.pem", &stranger);
        for host in [new.host(), old.host()] {
            let repository = format!("{host}/acme/shop");
            let image = format!("{repository}@{}", push_image(&format!("{repository}:1"), name));
            notation.verify(&image).unwrap_err();
            notation.sign(&image);
            notation.verify(&image).unwrap();

            let own = format!(", trustedIdentities: [\"x509.subject: {subject}\"]");
            let other = ", trustedIdentities: [\"x509.subject: C=US, O=evil.example\"]";
            let rejected = "referrers notation signature.certificate";
            for (case, keys, more, want) in [
                ("any holder", "x509: roots.pem", "", None),
                ("its holder", "x509: roots.pem", own.as_str(), None),
                ("another holder", "x509: roots.pem", other, Some(rejected)),
                ("another root", "x509: stranger.pem", "", Some(rejected)),
            ] {
                verdict::configure(&desk, &[host], &notary(keys, more), rule);
                let said = verdict::ask(&desk, &image);
                let counts =
                    if want.is_none() { vec!["notary referrers notation"] } else { vec![] };
                assert_eq!(said.counts, counts, "{name}, {host}, {case}: {said:#?}");
                assert_eq!(said.rejected, Vec::from_iter(want), "{name}, {host}, {case}");
                let denied = if want.is_none() { vec![] } else { vec!["attested.missing"] };
                assert_eq!(said.codes, denied, "{name}, {host}, {case}");
                if want.is_some() {
                    let detail = said.whole["rejected"][0]["detail"].as_str().unwrap();
                    assert!(detail.contains(subject), "{name}, {host}, {case}: {detail}");
                }
            }
        }
    }
}
