//! podman and skopeo: simple signing from a lookaside, and from the registry that keeps it.

use countersign::verify::Key;
use countersign_kit::{Content, Registry, artifact};

use super::{Desk, SIGNED, known_as};
use crate::verify_support::{authority, fixture};

fn desk(registry: Registry) -> Desk {
    let manifest = fixture("simple-signing/manifest.json");
    registry.put("demo/app", &Content::raw("application/vnd.oci.image.manifest.v1+json", manifest));
    for signature in ["signature-standalone", "signature-lookaside"] {
        let signature = fixture(&format!("simple-signing/{signature}"));
        registry.put_signature("demo/app", SIGNED, signature);
    }
    let keys = Key::openpgp(&fixture("keys/gpg-test.pub.asc")).unwrap();
    let mut desk = Desk::new(registry, vec![authority("tool", keys)]);
    desk.lookaside = true;
    desk.authorities[0].identities =
        known_as(&desk.repository("demo/app"), "registry.test/demo/app");
    desk
}

#[tokio::test]
async fn p4_what_skopeo_signed_counts_from_lookaside_and_extension() {
    for (name, registry) in [
        ("lookaside", Registry::start()),
        ("extension", Registry::options().signatures_extension().start()),
    ] {
        let desk = desk(registry);
        let said = desk.ask("demo/app", SIGNED).await;
        assert_eq!(said.counts(), ["lookaside simple-signing"], "{name}");
        assert_eq!(said.codes(), ["payload.other-repository"], "{name}: of another image");
        assert_eq!(said.lookups["lookaside"], "found", "{name}");
    }
}

#[tokio::test]
async fn nobody_is_asked_where_no_lookaside_is_configured() {
    let mut desk = desk(Registry::options().signatures_extension().start());
    desk.lookaside = false;
    let said = desk.ask("demo/app", SIGNED).await;
    assert_eq!(said.lookups.keys().collect::<Vec<_>>(), ["referrers"]);
}

/// Whatever somebody hung on an image, with ORAS for one, rules see that it is there.
#[tokio::test]
async fn p2_an_artifact_of_any_type_is_a_record_and_no_attestation() {
    let desk = desk(Registry::start());
    let manifest = fixture("simple-signing/manifest.json");
    let subject = Content::raw("application/vnd.oci.image.manifest.v1+json", manifest);
    let report = artifact("application/vnd.example.report")
        .subject(&subject)
        .annotation("org.example.result", "passed")
        .layer("text/plain", "all is well")
        .build();
    desk.registry.attach("demo/app", &report);
    let said = desk.ask("demo/app", SIGNED).await;
    let [record] = said.records.as_slice() else { panic!("{said:?}") };
    let want = serde_json::json!({
        "type": "application/vnd.example.report",
        "digest": report.digest(),
        "size": report.manifest.len(),
        "annotations": {"org.example.result": "passed"},
    });
    assert_eq!(*record, want);
    assert!(said.verified.iter().all(|one| one.source() == "lookaside"));
}
