//! P8: what lies in an index is bounded for all of its platforms together.

use countersign_kit::{Registry, image, index, statement};
use serde_json::json;

use super::{Desk, pkix};
use crate::verify_support::fixture;

#[tokio::test(flavor = "multi_thread")]
async fn p8_statements_of_all_platforms_count_together() {
    for (mib, want) in [(6, ""), (7, "more than 33554432 bytes of statements about one image")] {
        let platforms: Vec<_> = (0..5)
            .map(|at| image("shop").platform(&format!("linux/amd64/v{at}")).build())
            .collect();
        let mut heavy = index(&platforms);
        for one in &platforms {
            let said = statement("t", "_", &one.digest(), json!("x".repeat(mib << 20)));
            heavy = heavy.attested(one, &[said]);
        }
        let registry = Registry::start();
        let digest = registry.put_image("acme/shop", "1.4", &heavy.build());
        let key = pkix(&fixture("cosign/cosign.pub"), &["simple-signing"]);
        let found = Desk::new(registry, vec![key]).gather("acme/shop", &digest).await;
        let answers = found.answers.iter().flatten();
        let failed = answers.filter_map(|answered| answered.outcome.as_ref().err());
        let said: Vec<_> = failed.map(|error| format!("{error} ({})", error.code())).collect();
        assert_eq!(said.is_empty(), want.is_empty(), "{mib}: {said:?}");
        let told = |one: &String| one.contains(want) && one.contains("evidence.too-much");
        assert!(said.iter().all(told), "{mib}: {said:?}");
    }
}
