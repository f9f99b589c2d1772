//! Who writes which evidence where, who reads it, and which test shows that.
//!
//! `.ci/run` prints it. A cell names a test that runs against the real program (`live`), one over
//! bytes that the program wrote (`vector`), one over bytes made as its documentation says
//! (`documented`), or says why there is nothing.

use std::{fs, path::Path};

/// What shows that a reader takes what a writer left with a carrier.
#[derive(Clone, Copy)]
enum Proof {
    Live(&'static str),
    Vector(&'static str),
    Documented(&'static str),
    Nothing(&'static str),
}

use Proof::{Documented, Live, Nothing, Vector};

/// Where evidence lies.
const CARRIERS: [&str; 6] = ["referrers", "tags", "lookaside", "index", "Grafeas", "disk"];

/// A writer, its reader, the proof for each carrier, and why the others have none.
type Row = (&'static str, &'static str, &'static [(&'static str, Proof)], &'static str);

const COUNTERSIGN: &str = "countersign";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (COUNTERSIGN, COUNTERSIGN, &[
        ("referrers", Live("live::lying::evidence_is_found_in_a_registry_that_mislabels_it")),
        ("Grafeas", Live("live::admission::an_unsigned_image_is_denied_in_our_words_and_admitted_pinned_once_it_is_signed")),
        ("index", Live("live::provenance::p4_a_real_build_is_judged_by_the_statement_that_our_signature_covers")),
        ("disk", Vector("cli_inputs::an_image_on_disk_is_signed_by_its_own_digest")),
    ], "signs to referrers and Grafeas only"),
    (COUNTERSIGN, "gpg, skopeo", &[
        ("lookaside", Live("live::sign::gpg_and_skopeo_accept_what_we_sign")),
    ], "read simple signing from a lookaside only"),
    (COUNTERSIGN, "ociserve, docker-registry", &[
        ("referrers", Live("live::registries::evidence_that_we_push_is_listed_for_everybody")),
    ], "are registries: they list, and judge nothing"),
    (COUNTERSIGN, "Grafeas reference server", &[
        ("Grafeas", Live("live::records::the_reference_server_keeps_builds_and_findings")),
    ], "keeps occurrences only"),
    ("gpg", COUNTERSIGN, &[
        ("Grafeas", Live("live::gpg::what_gpg_signs_counts_for_the_authority_that_has_its_key")),
    ], "signs; others carry it"),
    ("podman, skopeo", COUNTERSIGN, &[
        ("lookaside", Vector("forms::podman::p4_what_skopeo_signed_counts_from_lookaside_and_extension")),
    ], "writes simple signing to lookasides and the signatures extension only"),
    ("cosign, with a key", COUNTERSIGN, &[
        ("referrers", Live("live::cosign::what_cosign_signs_counts_for_who_has_its_key")),
        ("tags", Live("live::cosign::what_cosign_signs_counts_for_who_has_its_key")),
    ], "writes to the image's own repository only"),
    ("cosign, keyless; GitHub", COUNTERSIGN, &[
        ("referrers", Vector("forms::cosign::a_keyless_signature_is_rejected_with_whose_it_is")),
        ("tags", Documented("forms::cosign::a_certificate_beside_a_key_that_is_known_is_no_obstacle")),
    ], "writes to the image's own repository only"),
    ("Notation", COUNTERSIGN, &[
        ("referrers", Live("live::notation::what_notation_signs_counts_under_its_root")),
    ], "writes referrers only"),
    ("BuildKit", COUNTERSIGN, &[
        ("index", Live("live::provenance::p4_a_real_build_is_judged_by_the_statement_that_our_signature_covers")),
        ("disk", Live("live::buildkit::one_build_says_the_same_wherever_it_is_put")),
    ], "writes into the image's index only"),
    ("ocibuilder", COUNTERSIGN, &[
        ("Grafeas", Documented("gate::layers::p4_layers_that_the_signed_configuration_names_count")),
    ], "writes to Grafeas only"),
    ("Kritis, Voucher", COUNTERSIGN, &[
        ("Grafeas", Vector("forms::twins::p4_every_vector_counts_for_what_it_names")),
    ], "writes to Grafeas only"),
    ("Binary Authorization", COUNTERSIGN, &[
        ("Grafeas", Documented("forms::twins::p4_every_vector_counts_for_what_it_names")),
    ], "writes to Artifact Analysis only"),
    ("Tekton Chains", COUNTERSIGN, &[
        ("Grafeas", Vector("forms::twins::p4_every_vector_counts_for_what_it_names")),
        ("tags", Documented("forms::cosign::p4_tags_that_cosign_wrote_count")),
        ("referrers", Documented("forms::cosign::p4_bundles_that_cosign_wrote_count_however_they_are_listed")),
    ], "writes to Grafeas and, with cosign's library, to the image's repository"),
    ("ORAS and the rest", COUNTERSIGN, &[
        ("referrers", Live("live::published::p2_what_oras_attaches_is_a_record_and_no_attestation")),
    ], "writes referrers only"),
    (COUNTERSIGN, "cosign", &[], "looks for bundles and tags of its own only"),
    ("cosign, carried by countersign", "cosign", &[
        ("referrers", Live("live::carry::what_every_tool_hung_on_an_image_verifies_where_it_was_carried")),
        ("tags", Live("live::carry::what_every_tool_hung_on_an_image_verifies_where_it_was_carried")),
    ], "reads from the image's own repository only"),
    ("Notation, carried by countersign", "Notation", &[
        ("referrers", Live("live::carry::what_every_tool_hung_on_an_image_verifies_where_it_was_carried")),
    ], "reads referrers only"),
];

#[test]
fn every_cell_is_shown_by_a_test_or_says_why_not() {
    let mut lines = vec!["writer → reader: carrier: what shows it".to_owned()];
    for (writer, reader, cells, elsewhere) in ROWS {
        for carrier in CARRIERS {
            let proof = cells.iter().find(|(at, _)| *at == carrier).map(|(_, proof)| *proof);
            let proof = proof.unwrap_or(Nothing(elsewhere));
            let (how, what) = match proof {
                Live(test) => ("live", test),
                Vector(test) => ("vector", test),
                Documented(test) => ("documented", test),
                Nothing(why) => ("—", why),
            };
            assert!(!what.is_empty(), "{writer}, {carrier}: empty without a reason");
            if !matches!(proof, Nothing(_)) {
                let ignored = has_test(what).unwrap_or_else(|| panic!("there is no test {what}"));
                assert_eq!(ignored, matches!(proof, Live(_)), "{what} is live, or is not");
            }
            lines.push(format!("{writer} → {reader}: {carrier}: {how} {what}"));
        }
        for (carrier, _) in *cells {
            assert!(CARRIERS.contains(carrier), "{writer}: no carrier is called {carrier}");
        }
    }
    println!("{}", lines.join("\n"));
}

/// Whether there is a test of that path in this binary; and if so, whether it needs a peer.
pub fn has_test(path: &str) -> Option<bool> {
    let (module, name) = path.rsplit_once("::")?;
    let module =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(module.replace("::", "/"));
    let text = fs::read_to_string(module.with_extension("rs"))
        .or_else(|_| fs::read_to_string(module.join("mod.rs")))
        .ok()?;
    let at = text.find(&format!("fn {name}("))?;
    let attributes = text[..at].rsplit("\n\n").next()?;
    attributes.contains("test").then(|| attributes.contains("#[ignore"))
}
