//! Images of every kind, in every list, under every operation.

use countersign::admission::{Change, Pass, Review};
use serde_json::{Value, json};

/// Group, resource, where the Pod specification stands.
const KINDS: [(&str, &str, &[&str]); 9] = [
    ("", "pods", &["spec"]),
    ("", "podtemplates", &["template", "spec"]),
    ("", "replicationcontrollers", &["spec", "template", "spec"]),
    ("apps", "deployments", &["spec", "template", "spec"]),
    ("apps", "replicasets", &["spec", "template", "spec"]),
    ("apps", "statefulsets", &["spec", "template", "spec"]),
    ("apps", "daemonsets", &["spec", "template", "spec"]),
    ("batch", "jobs", &["spec", "template", "spec"]),
    ("batch", "cronjobs", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// List, its kind, the path of its first image within the Pod specification.
const LISTS: [(&str, &str, &str); 4] = [
    ("containers", "container", "containers[0].image"),
    ("initContainers", "initContainer", "initContainers[0].image"),
    ("ephemeralContainers", "ephemeralContainer", "ephemeralContainers[0].image"),
    ("volumes", "volume", "volumes[0].image.reference"),
];

fn entry(list: &str, name: &str, image: &str) -> Value {
    match list {
        "volumes" => json!({"name": name, "image": {"reference": image}}),
        _ => json!({"name": name, "image": image}),
    }
}

fn object(path: &[&str], spec: Value) -> Value {
    path.iter().rev().fold(spec, |inner, key| json!({*key: inner}))
}

fn body(resource: (&str, &str, &str), operation: &str, new: &Value, old: &Value) -> Vec<u8> {
    let (group, resource, sub_resource) = resource;
    serde_json::to_vec(&json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u1", "operation": operation, "subResource": sub_resource,
            "kind": {"group": group, "version": "v1", "kind": "Any"},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "object": new, "oldObject": old,
        },
    }))
    .unwrap()
}

/// Paths and references that a request brings in; or the reason to pass; or code and text. The
/// same, whether its objects are kept whole or not.
fn change(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    let [whole, skimmed] = [Review::parse(body), Review::skim(body)]
        .map(|review| review.expect("a review").change(500));
    assert_eq!(whole, skimmed);
    match whole {
        Ok(Change::Nothing(pass)) => Err(format!("{pass:?}")),
        Ok(Change::Images(images)) => {
            Ok(images.uses.into_iter().map(|image| (image.path, image.given)).collect())
        }
        Err(violation) => Err(format!("{}: {}", violation.code, violation.what)),
    }
}

#[test]
fn p11_every_kind_and_list_and_operation() {
    for (group, resource, path) in KINDS {
        for (list, kind, within) in LISTS {
            let name = format!("{resource} {list}");
            let with = |images: &[(&str, &str)]| {
                let entries: Vec<_> =
                    images.iter().map(|(name, image)| entry(list, name, image)).collect();
                object(path, json!({list: entries}))
            };
            let place = format!("{}.{within}", path.join("."));
            let ask = |operation: &str, new: &Value, old: &Value| {
                change(&body((group, resource, ""), operation, new, old))
            };
            let (one, other) = (with(&[("a", "one")]), with(&[("a", "other")]));
            let want = Ok(vec![(place.clone(), "one".to_owned())]);
            assert_eq!(ask("CREATE", &one, &Value::Null), want, "{name}: create");
            assert_eq!(ask("CREATE", &one, &one), want, "{name}: no old object counts then");
            assert_eq!(ask("UPDATE", &one, &other), want, "{name}: image");
            assert_eq!(ask("UPDATE", &one, &with(&[("b", "one")])), want, "{name}: name");
            assert_eq!(ask("UPDATE", &one, &Value::Null), want, "{name}: nothing known");
            assert_eq!(ask("UPDATE", &one, &one), Err("Unchanged".to_owned()), "{name}: same");
            assert_eq!(ask("DELETE", &Value::Null, &one), Err("Delete".to_owned()), "{name}");
            assert_eq!(ask("CONNECT", &Value::Null, &one), Err("Connect".to_owned()), "{name}");

            let body = body((group, resource, ""), "CREATE", &one, &Value::Null);
            let review = Review::parse(&body).unwrap();
            let Change::Images(images) = review.change(500).unwrap() else { panic!("{name}") };
            assert_eq!(images.workload.is_template(), resource != "pods", "{name}");
            assert_eq!(images.uses[0].container.kind.as_str(), kind, "{name}");
            assert_eq!(images.uses[0].container.name, "a", "{name}");
        }
    }
}

fn pod(spec: Value) -> Value {
    object(&["spec"], spec)
}

#[test]
fn p11_images_are_compared_by_kind_and_name_as_a_multiset() {
    let image = |path: &str, given: &str| (path.to_owned(), given.to_owned());
    for (name, new, old, want) in [
        (
            "reordered",
            json!({"containers": [{"name": "b", "image": "y"}, {"name": "a", "image": "x"}]}),
            json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}),
            Err("Unchanged".to_owned()),
        ),
        (
            "swapped",
            json!({"containers": [{"name": "b", "image": "x"}, {"name": "a", "image": "y"}]}),
            json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}),
            Ok(vec![
                image("spec.containers[0].image", "x"),
                image("spec.containers[1].image", "y"),
            ]),
        ),
        (
            "moved to another list",
            json!({"initContainers": [{"name": "a", "image": "x"}]}),
            json!({"containers": [{"name": "a", "image": "x"}]}),
            Ok(vec![image("spec.initContainers[0].image", "x")]),
        ),
        (
            "the same twice",
            json!({"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "x"}]}),
            json!({"containers": [{"name": "a", "image": "x"}]}),
            Ok(vec![image("spec.containers[1].image", "x")]),
        ),
        (
            "one of two taken away",
            json!({"containers": [{"name": "a", "image": "x"}]}),
            json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}),
            Err("Unchanged".to_owned()),
        ),
        (
            "an ephemeral container beside one that has a tag",
            json!({"containers": [{"name": "a", "image": "x"}],
                "ephemeralContainers": [{"name": "d", "image": "t:1"}, {"name": "e", "image": "t:2"}]}),
            json!({"containers": [{"name": "a", "image": "x"}],
                "ephemeralContainers": [{"name": "d", "image": "t:1"}]}),
            Ok(vec![image("spec.ephemeralContainers[1].image", "t:2")]),
        ),
        (
            "an image that was missing before",
            json!({"containers": [{"name": "a"}, {"name": "b", "image": "y"}]}),
            json!({"containers": [{"name": "a"}]}),
            Ok(vec![image("spec.containers[1].image", "y")]),
        ),
    ] {
        let body = body(("", "pods", ""), "UPDATE", &pod(new), &pod(old));
        assert_eq!(change(&body), want, "{name}");
    }
}

#[test]
fn p11_what_cannot_bring_an_image_passes() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "x"}]}));
    for (group, resource, sub_resource) in [
        ("", "pods", "status"),
        ("", "pods", "resize"),
        ("", "pods", "binding"),
        ("", "pods", "eviction"),
        ("apps", "deployments", "scale"),
        ("apps", "statefulsets", "status"),
        ("batch", "jobs", "status"),
    ] {
        let body = body((group, resource, sub_resource), "UPDATE", &pod, &Value::Null);
        assert_eq!(change(&body), Err("SubResource".to_owned()), "{resource}/{sub_resource}");
    }
}

#[test]
fn p11_scaling_down_does_not_hide_a_new_image() {
    let deployment = |replicas: u32, image: &str| {
        let containers = json!([{"name": "a", "image": image}]);
        json!({"spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
    };
    let (new, old) = (deployment(1, "evil"), deployment(3, "good"));
    let body = body(("apps", "deployments", ""), "UPDATE", &new, &old);
    let path = "spec.template.spec.containers[0].image".to_owned();
    assert_eq!(change(&body), Ok(vec![(path, "evil".to_owned())]));
}

#[test]
fn p11_an_owner_or_a_deletion_timestamp_in_the_new_object_skips_nothing() {
    let new = json!({
        "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [{"kind":
            "ReplicaSet", "name": "trusted", "controller": true}]},
        "spec": {"containers": [{"name": "a", "image": "evil"}]},
    });
    let old = pod(json!({"containers": [{"name": "a", "image": "good"}]}));
    let want = Ok(vec![("spec.containers[0].image".to_owned(), "evil".to_owned())]);
    assert_eq!(change(&body(("", "pods", ""), "UPDATE", &new, &old)), want);
}

#[test]
fn p13_a_resource_that_is_not_known_is_invalid() {
    let web = json!([{"name": "a", "image": "x"}]);
    for (name, resource, object, want) in [
        (
            "unknown resource",
            ("example.com", "foos", ""),
            pod(json!({"containers": web})),
            "where images stand in foos of example.com/v1 is not known",
        ),
        (
            "group of another",
            ("apps", "pods", ""),
            pod(json!({"containers": web})),
            "where images stand in pods of apps/v1",
        ),
        (
            "unknown subresource",
            ("", "pods", "extras"),
            pod(json!({"containers": web})),
            "where images stand in pods/extras",
        ),
        (
            "ephemeral of a Job",
            ("batch", "jobs", "ephemeralcontainers"),
            pod(json!({"containers": web})),
            "jobs/ephemeralcontainers",
        ),
    ] {
        invalid(name, resource, &object, want);
    }
}

#[test]
fn p13_an_object_in_which_no_image_is_found_is_invalid() {
    let web = json!([{"name": "a", "image": "x"}]);
    for (name, resource, object, want) in [
        ("null", ("", "pods", ""), Value::Null, "no image is found at spec of the object"),
        (
            "no specification",
            ("", "pods", ""),
            json!({}),
            "no image is found at spec of the object",
        ),
        (
            "null template",
            ("", "replicationcontrollers", ""),
            json!({"spec": {"template": null}}),
            "no image is found at spec.template.spec",
        ),
        (
            "Pod in a Deployment",
            ("apps", "deployments", ""),
            pod(json!({"containers": web})),
            "no image is found at spec.template.spec",
        ),
        (
            "no containers",
            ("", "pods", ""),
            pod(json!({"containers": [], "volumes": null})),
            "no image is found at spec of the object",
        ),
        (
            "only other volumes",
            ("", "pods", ""),
            pod(json!({"volumes": [{"name": "v", "rbd": {"image": "x"}}]})),
            "no image is found at spec of the object",
        ),
        (
            "missing image",
            ("", "pods", ""),
            pod(json!({"containers": [{"name": "a"}]})),
            "no image is found at spec.containers[0].image",
        ),
        (
            "null image",
            ("", "pods", ""),
            pod(json!({"initContainers": [{"name": "a", "image": null}]})),
            "no image is found at spec.initContainers[0].image",
        ),
        (
            "empty image",
            ("", "pods", ""),
            pod(json!({"containers": [{"name": "a", "image": ""}]})),
            "no image is found at spec.containers[0].image",
        ),
        (
            "empty volume",
            ("", "pods", ""),
            pod(json!({"containers": web, "volumes": [{"name": "v", "image": {}}]})),
            "no image is found at spec.volumes[0].image.reference",
        ),
        (
            "other spelling",
            ("", "pods", ""),
            pod(json!({"containers": [{"name": "a", "Image": "x"}]})),
            "no image is found at spec.containers[0].image",
        ),
    ] {
        invalid(name, resource, &object, want);
    }
}

#[test]
fn p13_an_image_that_is_no_text_is_invalid() {
    for (name, resource, object, want) in [
        (
            "image is a number",
            ("", "pods", ""),
            pod(json!({"containers": [{"name": "a", "image": 7}]})),
            "images of the object are not readable: invalid type",
        ),
        (
            "image is a list",
            ("", "pods", ""),
            pod(json!({"containers": [{"name": "a", "image": ["x"]}]})),
            "images of the object are not readable: invalid type",
        ),
        (
            "container is null",
            ("", "pods", ""),
            pod(json!({"containers": [null]})),
            "images of the object are not readable: invalid type",
        ),
        (
            "containers is an object",
            ("", "pods", ""),
            pod(json!({"containers": {}})),
            "images of the object are not readable: invalid type",
        ),
        (
            "endless list",
            ("", "pods", ""),
            pod(json!({"containers": vec![json!({}); 10_001]})),
            "a list of more than 10000",
        ),
    ] {
        invalid(name, resource, &object, want);
    }
}

fn invalid(name: &str, resource: (&str, &str, &str), object: &Value, want: &str) {
    let error = change(&body(resource, "CREATE", object, &Value::Null)).unwrap_err();
    assert!(error.starts_with("review.invalid: ") && error.contains(want), "{name}: {error}");
}

#[test]
fn p13_members_that_stand_twice_are_invalid() {
    let body = body(("", "pods", ""), "CREATE", &json!("PLACE"), &Value::Null);
    let text = String::from_utf8(body).unwrap();
    for (name, object) in [
        ("image", r#"{"spec":{"containers":[{"image":"good","image":"evil"}]}}"#),
        ("containers", r#"{"spec":{"containers":[{"image":"good"}],"containers":[]}}"#),
        ("spec", r#"{"spec":{"containers":[{"image":"good"}]},"spec":{}}"#),
    ] {
        let error = change(text.replace("\"PLACE\"", object).as_bytes()).unwrap_err();
        assert!(error.contains(&format!("duplicate field `{name}`")), "{name}: {error}");
    }
}

#[test]
fn p8_the_number_of_new_images_is_limited() {
    let containers = |count: usize| {
        let each = |index| json!({"name": format!("c{index}"), "image": "x"});
        pod(json!({"containers": (0..count).map(each).collect::<Vec<_>>()}))
    };
    let ask = |new: usize, old: usize| {
        let old = if old == 0 { Value::Null } else { containers(old) };
        change(&body(("", "pods", ""), "UPDATE", &containers(new), &old)).map(|images| images.len())
    };
    assert_eq!(ask(500, 0), Ok(500));
    let error = ask(501, 0).unwrap_err();
    assert_eq!(error, "review.too-large: more than 500 images come in by one request");
    assert_eq!(ask(501, 1), Ok(500), "those that are there already do not count");
    assert_eq!(ask(501, 501), Err(format!("{:?}", Pass::Unchanged)));
}
