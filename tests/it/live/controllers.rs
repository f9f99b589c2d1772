use super::stage::{Stage, Target};
use crate::peer::Controllers;

/// Where templates only warn, the Pods that controllers make of them are judged all the same, and
/// the controller tells its owner what we said.
#[test]
#[ignore = "needs kube-apiserver, kube-controller-manager, grafeas-server, ociserve and gpg"]
fn a_controller_is_denied_its_pods_until_the_image_is_signed() {
    let stage = Stage::start_with("templates: warn\n");
    let _controllers = Controllers::start(&stage.cluster);
    let (image, digest) = stage.push("rollout");

    let created = stage.kubectl(&format!("create deployment web --image={image}"));
    assert!(created.stderr.contains("(attested.missing)"), "a warning: {created:?}");
    created.must_pass();
    stage.kubectl(&format!("create job once --image={image}")).must_pass();
    stage.cluster.apply(&STATEFUL_SET.replace("IMAGE", &image));

    let told = |text: &str| {
        ["denied the request: countersigned:", &digest, "(attested.missing)"]
            .iter()
            .all(|words| text.contains(words))
    };
    for kind in ["ReplicaSet", "Job", "StatefulSet"] {
        let events = "get events -o jsonpath={.items[*].message} --field-selector";
        let line = format!("{events} reason=FailedCreate,involvedObject.kind={kind}");
        stage.wait_for(&line, told);
    }
    let failure = ".status.conditions[?(@.type==\"ReplicaFailure\")]";
    let line = format!("get deployment web -o jsonpath={{{failure}.reason}}:{{{failure}.message}}");
    let condition = stage.wait_for(&line, told);
    assert!(condition.starts_with("FailedCreate:"), "{condition}");
    // More of what is denied may be asked for, and less.
    stage.kubectl("scale deployment web --replicas=3").must_pass();
    stage.kubectl("scale deployment web --replicas=2").must_pass();
    assert_eq!(stage.kubectl("get pods -l app=web -o name").must_pass(), "");

    // Nobody touches the Deployment: its controller asks again by itself.
    stage.sign(&digest, Target::Store);
    for (labels, pods) in [("app=web", 2), ("job-name=once", 1), ("app=db", 1)] {
        let line =
            format!("get pods -l {labels} -o jsonpath={{.items[*].spec.containers[0].image}}");
        let images = stage.wait_for(&line, |images| images.split_whitespace().count() == pods);
        let pinned = format!("{image}@{digest}");
        assert!(images.split_whitespace().all(|image| image == pinned), "{labels}: {images}");
    }
    let owners = stage.kubectl("get pods -o jsonpath={.items[*].metadata.ownerReferences[0].kind}");
    let owners = owners.must_pass();
    assert_eq!(owners.matches("ReplicaSet").count(), 2, "{owners}");
}

/// Controllers take away, let go and scale while nobody is there to be asked.
#[test]
#[ignore = "needs kube-apiserver, kube-controller-manager, grafeas-server, ociserve and gpg"]
fn p11_garbage_is_collected_while_serve_is_stopped() {
    let mut stage = Stage::start();
    let _controllers = Controllers::start(&stage.cluster);
    let (image, _) = stage.push_signed("signed", Target::Store);
    stage.kubectl("create namespace shop").must_pass();
    for (namespace, name) in [("default", "going"), ("default", "orphaned"), ("shop", "web")] {
        let create =
            format!("create deployment {name} -n {namespace} --image={image} --replicas=2");
        stage.kubectl(&create).must_pass();
        let pods = format!("get pods -n {namespace} -l app={name} -o name");
        stage.wait_for(&pods, |pods| pods.lines().count() == 2);
    }
    stage.stop_serve();

    stage.kubectl("scale deployment going --replicas=1").must_pass();
    stage.wait_for("get pods -l app=going -o name", |pods| pods.lines().count() == 1);
    stage.kubectl("delete deployment going --cascade=foreground --timeout=60s").must_pass();
    stage.wait_for("get replicasets,pods -l app=going -o name", str::is_empty);

    // What it owned is let go by a change of its metadata, and stays.
    stage.kubectl("delete deployment orphaned --cascade=orphan --timeout=60s").must_pass();
    let owner = "get replicasets -l app=orphaned -o jsonpath={.items[*].metadata.ownerReferences}";
    stage.wait_for(owner, str::is_empty);
    assert_eq!(stage.kubectl("get pods -l app=orphaned -o name").must_pass().lines().count(), 2);

    stage.kubectl("delete namespace shop --timeout=60s").must_pass();
}

const STATEFUL_SET: &str = r"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: IMAGE}]}
";
