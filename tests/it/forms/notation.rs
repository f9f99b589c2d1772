//! Notation: seen, named, and not verified.

use countersign_kit::{Key, Registry};

use super::{Desk, SIGNED, pkix, put_layout};
use crate::verify_support::{authority, fixture, keys};

#[tokio::test]
async fn a_signature_of_notations_is_rejected_with_whose_it_is() {
    for (name, whom) in [
        ("OpenPGP", authority("builder", keys(&Key::generate("builder")))),
        ("PKIX", pkix(&fixture("cosign/cosign.pub"), &["simple-signing"])),
    ] {
        let desk = Desk::new(Registry::start(), vec![whom]);
        put_layout(&desk.registry, "acme/shop", "notation/layout");
        let said = desk.ask("acme/shop", SIGNED).await;
        assert_eq!(
            (said.counts(), said.codes()),
            (vec![], vec!["signature.certificate"]),
            "{name}"
        );
        let [rejection] = said.rejected.as_slice() else { panic!("{name}: {said:?}") };
        assert_eq!(rejection.format, "notation", "{name}");
        let subject = "C=US, ST=WA, L=Seattle, O=Notary, CN=test.example";
        assert!(rejection.detail().contains(subject), "{name}: {}", rejection.detail());
        let kinds: Vec<_> = said.records.iter().map(|record| &record["type"]).collect();
        assert_eq!(kinds, ["application/vnd.cncf.notary.signature"], "{name}");
    }
}
