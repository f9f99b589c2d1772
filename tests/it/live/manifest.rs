use crate::peer::Cluster;

const MANIFEST: &str = include_str!("../../../deploy/manifest.yaml");

/// `kubectl` warns of nothing, and what is unknown to the real API is an error.
#[test]
#[ignore = "needs kube-apiserver"]
fn the_manifest_is_accepted_by_the_real_api_server() {
    let cluster = Cluster::start();
    let (namespace, _) = MANIFEST.split_once("\n---\n").unwrap();
    cluster.apply(namespace);
    let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];

    let refused = cluster.kubectl_with_input(&apply, MANIFEST).must_fail();
    assert!(refused.contains("illegal base64"), "left as it is, it names no authority: {refused}");

    let outcome =
        cluster.kubectl_with_input(&apply, &MANIFEST.replace("CA_BUNDLE", &cluster.ca_bundle()));
    assert_eq!(outcome.stderr, "", "no warnings");
    let created = outcome.must_pass();
    assert_eq!(created.lines().count(), 9, "{created}");
}
