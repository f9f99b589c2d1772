use crate::peer::Cluster;

const MANIFEST: &str = include_str!("../../../deploy/manifest.yaml");

/// `kubectl` warns of nothing, and what is unknown to the real API is an error.
#[test]
#[ignore = "needs kube-apiserver"]
fn the_manifest_is_accepted_by_the_real_api_server() {
    let cluster = Cluster::start();
    cluster.kubectl(&["create", "namespace", "countersign"]).must_pass();
    let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];

    let refused = cluster.kubectl_with_input(&apply, MANIFEST).must_fail();
    assert!(refused.contains("illegal base64"), "left as it is, it names no authority: {refused}");

    let outcome =
        cluster.kubectl_with_input(&apply, &MANIFEST.replace("CA_BUNDLE", &ca_bundle(&cluster)));
    assert_eq!(outcome.stderr.replace(MISSING_ANNOTATION, ""), "");
    let created = outcome.must_pass();
    assert_eq!(created.lines().count(), 8, "{created}");
}

/// The namespace was made by `create`, so `apply` speaks of its own annotation once.
const MISSING_ANNOTATION: &str = "Warning: resource namespaces/countersign is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n";

fn ca_bundle(cluster: &Cluster) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(cluster.pki().certificate())
}
