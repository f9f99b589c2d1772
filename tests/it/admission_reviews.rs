//! The bodies that a real API server sent, and bodies that none would send.

use std::path::Path;

use countersign::admission::{Change, Pass, Review, Unreadable};

/// What `change` makes of a body: paths, kinds, names and references; or the reason to pass.
fn summary(body: &[u8]) -> Vec<String> {
    let [whole, skimmed] = [Review::parse(body), Review::skim(body)]
        .map(|review| review.expect("a review").change(500));
    assert_eq!(whole, skimmed);
    match whole.expect("a known kind") {
        Change::Nothing(pass) => vec![format!("{pass:?}")],
        Change::Images(images) => images
            .uses
            .iter()
            .map(|image| {
                let digest = image.given.find("@sha256:").map_or(image.given.len(), |at| at + 12);
                format!(
                    "{} {} {} {}",
                    image.path,
                    image.container.kind,
                    image.container.name,
                    &image.given[..digest]
                )
            })
            .collect(),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reviews").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[rustfmt::skip]
fn p11_every_genuine_review_is_read() {
    const APP: &str = "registry.test/demo/app:v1";
    const PINNED: &str = "registry.test/demo/app:v1@sha256:aaaa";
    let of = |path: &str, name: &str, image: &str| format!("{path} container {name} {image}");
    let init = |image: &str| format!("spec.initContainers[0].image initContainer init {image}");
    let image_volume = vec![
        of("spec.containers[0].image", "a", "registry.test/demo/app@sha256:c921"),
        "spec.volumes[0].image.reference volume img registry.test/demo/data:v1".to_owned(),
    ];
    let template = "spec.template.spec.containers[0].image";
    let pod = "spec.containers[0].image";
    let pass = |pass: Pass| vec![format!("{pass:?}")];
    let table = [
        ("cronjob-create.validate.json", vec![of("spec.jobTemplate.spec.template.spec.containers[0].image", "c1", APP)]),
        ("daemonset-create.validate.json", vec![of(template, "a", APP)]),
        ("deployment-create.validate.json", vec![of(template, "app", APP)]),
        ("deployment-scale-update.validate.json", pass(Pass::SubResource)),
        ("job-create.validate.json", vec![of(template, "j1", APP)]),
        ("pod-create-by-job.validate.json", vec![of(pod, "j1", PINNED)]),
        ("pod-create-by-replicaset.mutate.json", vec![of(pod, "app", APP)]),
        ("pod-create-by-replicaset.validate.json", vec![of(pod, "app", PINNED)]),
        ("pod-create-by-statefulset.validate.json", vec![of(pod, "a", PINNED)]),
        ("pod-create-dryrun.validate.json", vec![of(pod, "dry", PINNED)]),
        ("pod-create-generatename-imagevolume.mutate.json", image_volume.clone()),
        ("pod-create-generatename-imagevolume.validate.json", image_volume),
        ("pod-create.mutate.json", vec![init("registry.test/demo/init:v1"), of(pod, "web", APP)]),
        ("pod-create.mutate.raw", vec![init("registry.test/demo/init:v1"), of(pod, "web", APP)]),
        ("pod-create.validate.json", vec![init("registry.test/demo/init:v1@sha256:aaaa"), of(pod, "web", PINNED)]),
        ("pod-delete-finalizer.validate.json", pass(Pass::Delete)),
        ("pod-delete.validate.json", pass(Pass::Delete)),
        ("pod-ephemeralcontainers.mutate.json", vec!["spec.ephemeralContainers[0].image ephemeralContainer dbg1 registry.test/demo/debug:v1".to_owned()]),
        ("pod-ephemeralcontainers.validate.json", vec!["spec.ephemeralContainers[0].image ephemeralContainer dbg1 registry.test/demo/debug:v1@sha256:aaaa".to_owned()]),
        ("pod-update-image.mutate.json", vec![of(pod, "web", "registry.test/demo/app:v2")]),
        ("pod-update-image.validate.json", vec![of(pod, "web", "registry.test/demo/app:v2@sha256:aaaa")]),
        ("pod-update-label.mutate.json", pass(Pass::Unchanged)),
        ("pod-update-remove-finalizer-while-deleting.validate.json", pass(Pass::Unchanged)),
        ("replicaset-create-by-controller.validate.json", vec![of(template, "app", APP)]),
        ("replicaset-update-by-controller.validate.json", pass(Pass::Unchanged)),
        ("statefulset-create.validate.json", vec![of(template, "a", APP)]),
    ];
    for (name, want) in &table {
        assert_eq!(summary(&fixture(name)), *want, "{name}");
    }
    let mut known: Vec<_> = table.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.push("pod-create.mutate.http-head.txt".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reviews");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is in no test");
    }
}

#[test]
fn genuine_reviews_are_read_in_full() {
    let body = fixture("pod-create-dryrun.validate.json");
    let review = Review::parse(&body).unwrap();
    assert!(review.dry_run);
    assert_eq!(review.user.username, "dev");
    assert_eq!(review.user.groups.len(), 2);
    assert_eq!((review.namespace.as_ref(), review.name.as_ref()), ("app", "dry"));
    assert_eq!((review.kind.kind.as_ref(), review.full_resource().as_str()), ("Pod", "pods"));
    let body = fixture("pod-ephemeralcontainers.mutate.json");
    let review = Review::parse(&body).unwrap();
    assert_eq!(review.full_resource(), "pods/ephemeralcontainers");
    assert!(!review.dry_run && review.old_object.is_some());
}

/// A body around `request`, in the form of the API server.
fn envelope(request: &str) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{request}}}"#
    )
}

const REQUEST: &str = r#""kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"operation":"CREATE","object":{"spec":{"containers":[{"name":"a","image":"b"}]}}"#;

#[test]
fn p13_a_review_whose_uid_can_be_read_is_answered_by_a_review() {
    let good = envelope(&format!(r#"{{"uid":"u1",{REQUEST}}}"#));
    Review::parse(good.as_bytes()).unwrap();
    for (name, body, part) in [
        ("other version", good.replace("io/v1\"", "io/v1beta1\""), "\"admission.k8s.io/v1beta1\""),
        ("no version", good.replace(r#""apiVersion":"admission.k8s.io/v1","#, ""), "of \"\""),
        ("no kind", good.replace(r#""kind":"AdmissionReview","#, ""), "says no kind,"),
        ("cut off", good[..good.len() - 40].to_owned(), "EOF while parsing"),
        ("more behind it", format!("{good}{{}}"), "trailing characters"),
        ("no resource", envelope(r#"{"uid":"u1","operation":"CREATE"}"#), "missing field `kind`"),
        ("new operation", good.replace("CREATE", "SWAP"), "unknown variant `SWAP`"),
        ("two objects", good.replace(r#""object":"#, r#""object":{},"object":"#), "duplicate"),
        (
            "two requests",
            good.replace(r#""request":"#, r#""kind":"AdmissionReview","request":"#),
            "duplicate field `kind`",
        ),
        (
            "name of a wrong type",
            good.replace(r#""operation""#, r#""name":7,"operation""#),
            "invalid type",
        ),
        (
            "lone surrogate",
            good.replace(r#""operation""#, r#""name":"\ud800","operation""#),
            "not readable",
        ),
    ] {
        assert_eq!(Review::skim(body.as_bytes()).err(), Review::parse(body.as_bytes()).err());
        match Review::parse(body.as_bytes()) {
            Err(Unreadable::Invalid { uid, violation }) => {
                assert_eq!(
                    (uid.as_str(), violation.code.as_str()),
                    ("u1", "review.invalid"),
                    "{name}"
                );
                assert!(violation.what.contains(part), "{name}: {}", violation.what);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn p13_only_what_is_no_review_at_all_is_refused_by_http() {
    let uid = format!(r#"{{"uid":"u1",{REQUEST}}}"#);
    for (name, body) in [
        ("empty", String::new()),
        ("no JSON", "hello".to_owned()),
        ("a list", "[1]".to_owned()),
        ("a Pod", r#"{"kind":"Pod","apiVersion":"v1"}"#.to_owned()),
        ("another kind with a uid", envelope(&uid).replace("AdmissionReview", "ImageReview")),
        (
            "no request",
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#.to_owned(),
        ),
        (
            "another kind with a uid, cut off",
            envelope(&uid).replace("AdmissionReview", "ImageReview")[..200].to_owned(),
        ),
        ("no uid", envelope(&format!("{{{REQUEST}}}"))),
        ("empty uid", envelope(&uid.replace("u1", ""))),
        ("endless uid", envelope(&uid.replace("u1", &"u".repeat(300)))),
        ("uid of a wrong type", envelope(r#"{"uid":7}"#)),
        ("cut off before the uid", envelope(&uid)[..80].to_owned()),
    ] {
        for read in [Review::parse, Review::skim] {
            assert_eq!(read(body.as_bytes()).unwrap_err(), Unreadable::Foreign, "{name}");
        }
    }
}

#[test]
fn names_are_case_sensitive_and_unknown_members_are_skipped() {
    let body = envelope(&format!(r#"{{"uid":"u1","UID":"u2","future":{{"uid":"u3"}},{REQUEST}}}"#));
    let review = Review::parse(body.as_bytes()).unwrap();
    assert_eq!(review.uid, "u1");
}

#[test]
fn p13_a_review_that_is_cut_off_anywhere_is_denied_or_refused_but_never_judged() {
    let body = fixture("pod-create.mutate.raw");
    let mut denied = 0;
    for end in 0..body.len() - 1 {
        assert_eq!(Review::skim(&body[..end]).err(), Review::parse(&body[..end]).err(), "{end}");
        match Review::parse(&body[..end]) {
            Err(Unreadable::Invalid { uid, violation }) => {
                assert_eq!((uid.len(), violation.code.as_str()), (36, "review.invalid"), "{end}");
                denied += 1;
            }
            Err(Unreadable::Foreign) => assert_eq!(denied, 0, "{end}: the uid was there before"),
            Ok(_) => panic!("{end} bytes are no review"),
        }
    }
    assert!(denied > body.len() * 9 / 10, "{denied}");
}

/// What nobody looks into may be of any shape, and passes all the same.
#[test]
fn objects_that_cannot_be_skimmed_are_passed_or_denied_as_before() {
    let odd = r#"{"metadata":{"annotations":{"countersign.dev/break-glass":7}},"spec":{"containers":"many"}}"#;
    for (name, resource, operation, want) in [
        ("a kind that is not known goes away", "things", "DELETE", Ok("Delete")),
        ("a kind that is not known comes", "things", "CREATE", Err("is not known")),
        ("a Pod comes", "pods", "CREATE", Err("images of the object are not readable")),
        ("a Pod goes away", "pods", "DELETE", Ok("Delete")),
    ] {
        let body = envelope(&format!(
            r#"{{"uid":"u1","kind":{{"version":"v1","kind":"Any"}},"resource":{{"version":"v1","resource":"{resource}"}},"operation":"{operation}","object":{odd},"oldObject":{odd}}}"#
        ));
        for read in [Review::parse, Review::skim] {
            match (read(body.as_bytes()).unwrap().change(500), want) {
                (Ok(Change::Nothing(pass)), Ok(want)) => {
                    assert_eq!(format!("{pass:?}"), want, "{name}");
                }
                (Err(violation), Err(want)) => {
                    assert_eq!(violation.code, "review.invalid", "{name}");
                    assert!(violation.what.contains(want), "{name}: {}", violation.what);
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
