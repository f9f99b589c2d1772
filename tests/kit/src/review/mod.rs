//! Reviews as the API server sends them.

mod pod;

use serde_json::{Map, Value, json};

/// A review being made.
///
/// By default: user `dev` of group `developers` creates the Pod `web` in namespace `app`, by
/// `kubectl apply`, with everything that the API server adds: about 5 kB.
#[derive(Clone, Debug)]
pub struct Review {
    uid: String,
    operation: String,
    namespace: String,
    user: String,
    groups: Vec<String>,
    sub_resource: Option<String>,
    workload: Option<&'static Workload>,
    dry_run: bool,
    old: Option<Value>,
    metadata: Value,
    images: Vec<(List, String, String)>,
    image_volumes: Vec<String>,
}

/// A review of a Pod with one container for each image, named `c0`, `c1`, …
///
/// ```
/// use countersign_kit::review;
/// let body = review(&["registry.example/acme/shop:1.4"]).user("alice", &["acme:oncall"]).build();
/// let image = &body["request"]["object"]["spec"]["containers"][0]["image"];
/// assert_eq!(image, "registry.example/acme/shop:1.4");
/// ```
pub fn review(images: &[&str]) -> Review {
    let metadata = json!({
        "name": "web",
        "namespace": "app",
        "uid": "5703d020-643d-4d25-9abf-a33628db6016",
        "creationTimestamp": "2026-11-21T09:54:40Z",
        "labels": {"app": "web"},
        "annotations": {},
    });
    let review = Review {
        uid: "cb489170-7c3f-41b7-a307-73a43eaa17f7".into(),
        operation: "CREATE".into(),
        namespace: "app".into(),
        user: "dev".into(),
        groups: vec!["developers".into(), "system:authenticated".into()],
        sub_resource: None,
        workload: None,
        dry_run: false,
        old: None,
        metadata,
        images: Vec::new(),
        image_volumes: Vec::new(),
    };
    images
        .iter()
        .enumerate()
        .fold(review, |review, (at, image)| review.container(&format!("c{at}"), image))
}

impl Review {
    /// With this uid.
    #[must_use]
    pub fn uid(mut self, uid: &str) -> Self {
        uid.clone_into(&mut self.uid);
        self
    }

    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    #[must_use]
    pub fn operation(mut self, operation: &str) -> Self {
        operation.clone_into(&mut self.operation);
        self
    }

    /// In this namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self.metadata["namespace"] = namespace.into();
        self
    }

    /// Named so.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.metadata["name"] = name.into();
        self
    }

    /// By this user, of these groups only.
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        name.clone_into(&mut self.user);
        self.groups = groups.iter().map(|&group| group.to_owned()).collect();
        self
    }

    /// With one more annotation of the object.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.metadata["annotations"][key] = value.into();
        self
    }

    /// With one more label of the object.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.metadata["labels"][key] = value.into();
        self
    }

    /// With any other member of the object's metadata: `finalizers`, `deletionTimestamp`.
    #[must_use]
    pub fn metadata(mut self, name: &str, value: Value) -> Self {
        self.metadata[name] = value;
        self
    }

    /// With one more container.
    #[must_use]
    pub fn container(mut self, name: &str, image: &str) -> Self {
        self.images.push((List::Containers, name.into(), image.into()));
        self
    }

    /// With one more init container.
    #[must_use]
    pub fn init_container(mut self, name: &str, image: &str) -> Self {
        self.images.push((List::Init, name.into(), image.into()));
        self
    }

    /// With one more ephemeral container.
    #[must_use]
    pub fn ephemeral_container(mut self, name: &str, image: &str) -> Self {
        self.images.push((List::Ephemeral, name.into(), image.into()));
        self
    }

    /// With a volume of that image.
    #[must_use]
    pub fn image_volume(mut self, image: &str) -> Self {
        self.image_volumes.push(image.into());
        self
    }

    /// Of this subresource: `ephemeralcontainers`, `status`, `scale`.
    #[must_use]
    pub fn sub_resource(mut self, name: &str) -> Self {
        self.sub_resource = Some(name.into());
        self
    }

    /// Of a workload with the Pod as its template: `Deployment`, `ReplicaSet`, `StatefulSet`,
    /// `DaemonSet`, `Job`, `CronJob`, `ReplicationController`, `PodTemplate`.
    ///
    /// # Panics
    /// On another kind.
    #[must_use]
    pub fn workload(mut self, kind: &str) -> Self {
        let known = WORKLOADS.iter().find(|workload| workload.kind == kind);
        self.workload = Some(known.expect("a kind of workload"));
        self
    }

    /// By `--dry-run=server`.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Updates (operation `UPDATE`) what `before` would have created.
    #[must_use]
    pub fn update_of(mut self, before: &Self) -> Self {
        self.old = Some(before.object());
        self.operation("UPDATE")
    }

    /// With this `oldObject`, whatever it is.
    #[must_use]
    pub fn old_object(mut self, object: Value) -> Self {
        self.old = Some(object);
        self
    }

    /// The review.
    pub fn build(&self) -> Value {
        let pod = &Workload { kind: "Pod", group: "", resource: "pods", pod: "/spec" };
        let of = self.workload.unwrap_or(pod);
        let kind = json!({"group": of.group, "version": "v1", "kind": of.kind});
        let resource = json!({"group": of.group, "version": "v1", "resource": of.resource});
        let deleting = self.operation == "DELETE";
        let options = match self.operation.as_str() {
            "UPDATE" => "UpdateOptions",
            "DELETE" => "DeleteOptions",
            _ => "CreateOptions",
        };
        let mut request = json!({
            "uid": self.uid,
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": self.metadata["name"],
            "namespace": self.namespace,
            "operation": self.operation,
            "userInfo": {
                "username": self.user,
                "groups": self.groups,
                "extra": {"authentication.kubernetes.io/credential-id": [CREDENTIAL]},
            },
            "object": if deleting { Value::Null } else { self.object() },
            "oldObject": match (&self.old, deleting) {
                (Some(old), _) => old.clone(),
                (None, true) => self.object(),
                (None, false) => Value::Null,
            },
            "dryRun": self.dry_run,
            "options": {"kind": options, "apiVersion": "meta.k8s.io/v1"},
        });
        if let Some(name) = &self.sub_resource {
            request["subResource"] = name.clone().into();
            request["requestSubResource"] = name.clone().into();
        }
        let (kind, version) = ("AdmissionReview", "admission.k8s.io/v1");
        json!({"kind": kind, "apiVersion": version, "request": request})
    }

    /// The review's body, as it is posted.
    pub fn body(&self) -> Vec<u8> {
        self.build().to_string().into_bytes()
    }

    /// The object alone.
    pub fn object(&self) -> Value {
        let mut metadata = self.metadata.clone();
        metadata["managedFields"] = self.managed_fields();
        let spec = self.spec();
        metadata["annotations"][LAST_APPLIED] = self.last_applied(&spec).into();
        let Some(workload) = self.workload else {
            return json!({
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": metadata,
                "spec": spec,
                "status": {"phase": "Pending", "qosClass": "Burstable"},
            });
        };
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": spec});
        let steps: Vec<&str> = workload.pod.split('/').skip(1).collect();
        let (_spec, outer) = steps.split_last().expect("a path");
        let nested = outer.iter().rev().fold(template, |inner, step| {
            let mut level = Map::new();
            level.insert((*step).to_owned(), inner);
            level.into()
        });
        let group =
            if workload.group.is_empty() { String::new() } else { format!("{}/", workload.group) };
        let mut object = json!({
            "kind": workload.kind,
            "apiVersion": format!("{group}v1"),
            "metadata": metadata,
        });
        for (name, value) in nested.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        object
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum List {
    Containers,
    Init,
    Ephemeral,
}

#[derive(Debug)]
struct Workload {
    kind: &'static str,
    group: &'static str,
    resource: &'static str,
    /// Where its Pod's spec is.
    pod: &'static str,
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const CREDENTIAL: &str =
    "X509SHA256=573fdff772cef6134ab884e1bea157001d66520af737a13d1707f67a336372db";

const WORKLOADS: &[Workload] = &[
    Workload { kind: "Deployment", group: "apps", resource: "deployments", pod: TEMPLATE },
    Workload { kind: "ReplicaSet", group: "apps", resource: "replicasets", pod: TEMPLATE },
    Workload { kind: "StatefulSet", group: "apps", resource: "statefulsets", pod: TEMPLATE },
    Workload { kind: "DaemonSet", group: "apps", resource: "daemonsets", pod: TEMPLATE },
    Workload { kind: "Job", group: "batch", resource: "jobs", pod: TEMPLATE },
    Workload { kind: "CronJob", group: "batch", resource: "cronjobs", pod: CRON_TEMPLATE },
    Workload {
        kind: "ReplicationController",
        group: "",
        resource: "replicationcontrollers",
        pod: TEMPLATE,
    },
    Workload { kind: "PodTemplate", group: "", resource: "podtemplates", pod: "/template/spec" },
];
const TEMPLATE: &str = "/spec/template/spec";
const CRON_TEMPLATE: &str = "/spec/jobTemplate/spec/template/spec";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_as_large_as_a_real_one() {
        let size = review(&["registry.example/acme/shop:1.4"]).body().len();
        assert!((4000..6000).contains(&size), "{size} bytes");
    }

    #[test]
    fn a_template_stands_where_its_kind_has_it() {
        for workload in WORKLOADS {
            let object = review(&["image:1"]).workload(workload.kind).object();
            let image = object.pointer(&format!("{}/containers/0/image", workload.pod));
            assert_eq!(image.and_then(Value::as_str), Some("image:1"), "{}", workload.kind);
        }
    }
}
