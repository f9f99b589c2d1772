use std::time::Duration;

use super::stage::{Stage, Target};

/// The first half of what users see: an image that nobody signed, and the same one signed.
#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn an_unsigned_image_is_denied_in_our_words_and_admitted_pinned_once_it_is_signed() {
    let stage = Stage::start();
    for (tag, target) in [("store", Target::Store), ("referrer", Target::Registry)] {
        let (image, digest) = stage.push(tag);
        let denied = stage.kubectl(&format!("run {tag} --image={image}")).must_fail();
        for words in [
            "countersign.dev\" denied the request: countersigned: spec.containers[0]",
            &format!("\"{image}\""),
            &digest,
            "(attested.missing)",
        ] {
            assert!(denied.contains(words), "{tag}: no `{words}` in {denied}");
        }

        stage.sign(&digest, target);
        // "There is none" was true until now, and may be believed a second longer.
        std::thread::sleep(Duration::from_millis(1100));
        stage.kubectl(&format!("run {tag} --image={image}")).must_pass();
        let pinned = stage.field(&format!("pod/{tag}"), ".spec.containers[0].image");
        assert_eq!(pinned, format!("{image}@{digest}"));
    }

    let decisions = stage.cluster.audit_annotations();
    let decided = |key: &str, value: &str| decisions.iter().any(|found| found[key] == value);
    assert!(decided("pin.countersign.dev/decision", "denied"), "{decisions:#?}");
    assert!(decided("pin.countersign.dev/codes", "attested.missing"), "{decisions:#?}");
    assert!(decided("pods.countersign.dev/decision", "allowed"), "{decisions:#?}");
}

#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn every_way_to_bring_an_image_in_is_judged() {
    let stage = Stage::start();
    let (image, digest) = stage.push_signed("signed", Target::Store);
    let (next, next_digest) = stage.push_signed("next", Target::Store);
    let pinned = |image: &str, digest: &str| format!("{image}@{digest}");
    stage.kubectl(&format!("run shop --image={image}")).must_pass();

    for (what, line) in [
        ("a Deployment's template", "create deployment bad --image=UNSIGNED"),
        ("a job", "create job bad --image=UNSIGNED"),
        ("a cron job", "create cronjob bad --schedule=@daily --image=UNSIGNED"),
        ("an image update", "set image pod/shop shop=UNSIGNED"),
        ("an ephemeral container", "debug shop --image=UNSIGNED --container=bad"),
    ] {
        let denied = stage.kubectl(&line.replace("UNSIGNED", &stage.unsigned)).must_fail();
        assert!(denied.contains("(attested.missing)"), "{what}: {denied}");
    }

    // What is signed passes by the same ways: pinned in Pods, as written in templates.
    stage.kubectl(&format!("create deployment web --image={image}")).must_pass();
    assert_eq!(stage.field("deployment/web", ".spec.template.spec.containers[0].image"), image);

    stage.kubectl(&format!("set image pod/shop shop={next}")).must_pass();
    let updated = stage.field("pod/shop", ".spec.containers[0].image");
    assert_eq!(updated, pinned(&next, &next_digest));

    stage.kubectl(&format!("debug shop --image={image} --container=debugger")).must_pass();
    let ephemeral = stage.field("pod/shop", ".spec.ephemeralContainers[*].image");
    assert_eq!(ephemeral, pinned(&image, &digest));
}

#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn p11_what_changes_no_image_passes_up_and_down() {
    let mut stage = Stage::start();
    let (image, _) = stage.push_signed("signed", Target::Store);
    stage.kubectl(&format!("create deployment web --image={image}")).must_pass();
    for line in [
        "label pod old mood=good",
        "annotate pod old note=kept",
        "label deployment web mood=good",
        "scale deployment web --replicas=3",
        "patch pod old -p {\"metadata\":{\"finalizers\":[\"acme.example/kept\"]}}",
        "delete pod old --wait=false",
    ] {
        stage.kubectl(line).must_pass();
    }
    assert_eq!(stage.field("pod/old", ".spec.containers[0].image"), stage.unsigned, "as it was");

    // `old` is going away, of an image that nobody would admit, and nobody is there to be asked.
    stage.stop_serve();
    stage.kubectl("label deployment web mood=better --overwrite").must_pass();
    stage.kubectl("scale deployment web --replicas=1").must_pass();
    stage.kubectl("patch pod old -p {\"metadata\":{\"finalizers\":null}}").must_pass();
    stage.kubectl("get pod old").must_fail();
}

#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn nothing_is_admitted_while_serve_is_stopped() {
    let mut stage = Stage::start();
    let (image, _) = stage.push_signed("signed", Target::Store);
    stage.kubectl(&format!("run shop --image={image}")).must_pass();
    stage.stop_serve();
    for line in [
        "run another --image=IMAGE",
        "create deployment web --image=IMAGE",
        "set image pod/old old=IMAGE",
        "debug shop --image=IMAGE --container=debugger",
    ] {
        let refused = stage.kubectl(&line.replace("IMAGE", &image)).must_fail();
        assert!(refused.contains("failed calling webhook"), "{line}: {refused}");
    }
}

#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn p12_break_glass_is_for_the_configured_group_and_leaves_a_trace() {
    let stage = Stage::start();
    stage
        .kubectl(
            "create clusterrolebinding people --clusterrole=cluster-admin --group=acme:oncall --group=acme:dev",
        )
        .must_pass();
    let run = format!(
        "run NAME --image={} --annotations=countersign.dev/break-glass=OPS-17 --as=alice --as-group=acme:GROUP",
        stage.unsigned
    );
    let line = |name: &str, group: &str| run.replace("NAME", name).replace("GROUP", group);
    let denied = stage.kubectl(&line("refused", "dev")).must_fail();
    assert!(denied.contains("(attested.missing)"), "{denied}");

    stage.kubectl(&line("urgent", "oncall")).must_pass();
    let image = stage.field("pod/urgent", ".spec.containers[0].image");
    assert!(image.starts_with(&format!("{}@sha256:", stage.unsigned)), "not pinned: {image}");
    let decisions = stage.cluster.audit_annotations();
    let traced =
        decisions.iter().any(|found| found["pods.countersign.dev/decision"] == "break-glass");
    assert!(traced, "{decisions:#?}");
}

#[test]
#[ignore = "needs kube-apiserver, grafeas-server, ociserve and gpg"]
fn p16_a_key_that_is_taken_away_bites_within_a_second() {
    let stage = Stage::start();
    let (image, _) = stage.push_signed("signed", Target::Store);
    let run = format!("run shop --dry-run=server --image={image}");
    stage.kubectl(&run).must_pass();
    stage.exchange_key();
    std::thread::sleep(Duration::from_secs(1));
    let denied = stage.kubectl(&run).must_fail();
    assert!(denied.contains("signature.unknown-key"), "{denied}");
}
