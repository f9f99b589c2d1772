//! A registry whose referrers API lists artifacts as what they are not.

use std::fs;

use super::verdict;
use crate::{
    cli::{Desk, stderr, stdout},
    peer::{Carrier, Cosign, Ggcr, Notation, push_image},
};

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

#[test]
#[ignore = "needs ggcr, cosign, notation and skopeo"]
fn evidence_is_found_in_a_registry_that_mislabels_it() {
    let (registry, cosign, notation) = (Ggcr::start(), Cosign::new(), Notation::new());
    let desk = Desk::new();
    cosign.generate("qa");
    fs::copy(cosign.path("qa.pub"), desk.path("qa.pub")).unwrap();
    let repository = format!("{}/acme/shop", registry.host());
    let image = format!("{repository}@{}", push_image(&format!("{repository}:1"), "lied about"));
    let authorities = format!(
        r#"{{name: builder, keys: [{{openpgp: builder.asc}}]}}, {{name: qa, keys: [{{pkix: qa.pub}}], attests: ["{SIGN}"], identity: digest}}"#
    );
    let rule = "{use: attested, parameters: {authorities: [builder, qa]}}";
    verdict::configure(&desk, &[registry.host()], &authorities, rule);
    assert!(!verdict::ask(&desk, &image).allowed);

    let sign = || desk.run(&["sign", &image, "--key", "builder.key", "--attach"]);
    let signed = sign();
    assert!(signed.status.success(), "{}", stderr(&signed));
    cosign.sign("qa", Carrier::Bundle, &image);
    notation.sign(&image);
    let again = sign();
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(stdout(&again), "", "ours is found, so nothing is published twice");

    let said = verdict::ask(&desk, &image);
    assert!(said.allowed, "{said:#?}");
    let want = ["builder referrers simple-signing".to_owned(), format!("qa referrers {SIGN}")];
    assert_eq!(said.counts, want, "{said:#?}");
    assert_eq!(said.rejected, ["referrers notation signature.certificate"], "{said:#?}");
    cosign.verify("qa", Carrier::Bundle, &image).unwrap();
    notation.verify(&image).unwrap();
}
