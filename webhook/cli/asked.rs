//! Reviews as the API server would send them, for images and manifests that a person names.

use std::path::Path;

use serde_json::{Value, json};

use super::{Failure, input};

/// The body of a review that creates a Pod of one image.
pub fn pod_of(image: &str, namespace: &str) -> Vec<u8> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "countersign-verify", "namespace": namespace},
        "spec": {"containers": [{"name": "image", "image": image}]},
    });
    review(&pod, ("", "pods"), namespace)
}

/// The bodies of reviews that create the workloads in a file of manifests; `-` is stdin. What can
/// hold no image is passed over.
pub fn manifests(file: &Path, namespace: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let text = read(file)?;
    let named = file.display();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| Failure::usage(format!("{named} is not readable YAML: {error}")))?;
    let mut reviews = Vec::new();
    for object in objects.iter().flat_map(items) {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let Some((_, group, resource)) = RESOURCES.iter().find(|(known, _, _)| *known == kind)
        else {
            continue;
        };
        let own = object.pointer("/metadata/namespace").and_then(Value::as_str);
        reviews.push(review(object, (group, resource), own.unwrap_or(namespace)));
    }
    if reviews.is_empty() {
        return Err(Failure::usage(format!("no workload is found in {named}")));
    }
    Ok(reviews)
}

fn read(file: &Path) -> Result<String, Failure> {
    input::read_text(file, MOST)
        .map_err(|error| Failure::unreadable(format!("cannot read {}", file.display()), error))
}

/// An object, or the objects of a `List`.
fn items(object: &Value) -> Vec<&Value> {
    match object.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().collect(),
        None => vec![object],
    }
}

fn review(object: &Value, (group, resource): (&str, &str), namespace: &str) -> Vec<u8> {
    let kind = object.get("kind").cloned().unwrap_or_default();
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "countersign-verify",
            "kind": {"group": group, "version": "v1", "kind": kind},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "namespace": namespace,
            "name": object.pointer("/metadata/name").cloned().unwrap_or_default(),
            "operation": "CREATE",
            "userInfo": {"username": "countersign-verify", "groups": []},
            "object": object,
            "oldObject": null,
            "dryRun": true,
        },
    })
    .to_string()
    .into_bytes()
}

/// Most bytes of manifests.
const MOST: u64 = 16 * 1024 * 1024;

/// Kind, group and resource of what carries images.
const RESOURCES: [(&str, &str, &str); 9] = [
    ("Pod", "", "pods"),
    ("PodTemplate", "", "podtemplates"),
    ("ReplicationController", "", "replicationcontrollers"),
    ("Deployment", "apps", "deployments"),
    ("ReplicaSet", "apps", "replicasets"),
    ("StatefulSet", "apps", "statefulsets"),
    ("DaemonSet", "apps", "daemonsets"),
    ("Job", "batch", "jobs"),
    ("CronJob", "batch", "cronjobs"),
];
