//! Notation: what it signs is seen, named, and not verified.

use super::verdict;
use crate::{
    cli::Desk,
    peer::{DockerRegistry, Notation, OciServe, push_image},
};

#[test]
#[ignore = "needs notation, ociserve, docker-registry and skopeo"]
fn what_notation_signs_is_rejected_with_whose_it_is() {
    let (notation, desk) = (Notation::new(), Desk::new());
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let repository = format!("{host}/acme/shop");
        let image = format!("{repository}@{}", push_image(&format!("{repository}:1"), "signed"));
        notation.verify(&image).unwrap_err();
        notation.sign(&image);
        notation.verify(&image).unwrap();

        let authority = "{name: builder, keys: [{openpgp: builder.asc}]}";
        let rule = "{use: attested, parameters: {authorities: [builder]}}";
        verdict::configure(&desk, &[host], authority, rule);
        let said = verdict::ask(&desk, &image);
        assert_eq!(said.codes, ["attested.missing"], "{host}: {said:#?}");
        assert_eq!(said.rejected, ["referrers notation signature.certificate"], "{host}");
        let detail = said.whole["rejected"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("CN=acme.example"), "{host}: {detail}");
    }
}
