//! The Pod in a review: its spec as the API server has filled it in.

use serde_json::{Map, Value, json};

use super::{List, Review};

impl Review {
    pub(super) fn spec(&self) -> Value {
        let of = |list: List| {
            let mine = self.images.iter().filter(|(of, ..)| *of == list);
            mine.map(|(_, name, image)| container(list, name, image)).collect::<Vec<_>>()
        };
        let mut volumes = vec![token_volume()];
        volumes.extend(self.image_volumes.iter().enumerate().map(|(at, image)| {
            let source = json!({"reference": image, "pullPolicy": "IfNotPresent"});
            json!({"name": format!("image-{at}"), "image": source})
        }));
        let tolerate = |key: &str| {
            let key = format!("node.kubernetes.io/{key}");
            json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
        };
        let mut spec = json!({
            "volumes": volumes,
            "containers": of(List::Containers),
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "tolerations": [tolerate("not-ready"), tolerate("unreachable")],
            "priority": 0,
            "enableServiceLinks": true,
            "preemptionPolicy": "PreemptLowerPriority",
        });
        for (name, list) in
            [("initContainers", List::Init), ("ephemeralContainers", List::Ephemeral)]
        {
            let listed = of(list);
            if !listed.is_empty() {
                spec[name] = listed.into();
            }
        }
        spec
    }

    /// What `kubectl apply` keeps of its own file.
    pub(super) fn last_applied(&self, spec: &Value) -> String {
        let metadata = json!({
            "annotations": self.metadata["annotations"],
            "labels": self.metadata["labels"],
            "name": self.metadata["name"],
            "namespace": self.metadata["namespace"],
        });
        let spec = json!({"containers": spec["containers"]});
        let applied =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        format!("{applied}\n")
    }

    pub(super) fn managed_fields(&self) -> Value {
        let mut containers = Map::new();
        for (_, name, _) in self.images.iter().filter(|(list, ..)| *list == List::Containers) {
            let mut fields = set(&[".", "f:image", "f:imagePullPolicy", "f:name"]);
            fields.extend(set(&["f:terminationMessagePath", "f:terminationMessagePolicy"]));
            let env = set(&[".", "f:name", "f:value"]);
            fields.insert("f:env".into(), json!({".": {}, "k:{\"name\":\"MODE\"}": env}));
            let port = set(&[".", "f:containerPort", "f:protocol"]);
            let of_port = "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}";
            fields.insert("f:ports".into(), json!({".": {}, of_port: port}));
            let requests = set(&[".", "f:cpu", "f:memory"]);
            fields.insert("f:resources".into(), json!({".": {}, "f:requests": requests}));
            containers.insert(format!("k:{{\"name\":\"{name}\"}}"), fields.into());
        }
        json!([{
            "manager": "kubectl-client-side-apply",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-11-21T09:54:40Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:annotations": {".": {}}, "f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": containers,
                    "f:dnsPolicy": {},
                    "f:enableServiceLinks": {},
                    "f:restartPolicy": {},
                    "f:schedulerName": {},
                    "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                },
            },
        }])
    }
}

fn set(names: &[&str]) -> Map<String, Value> {
    names.iter().map(|&name| (name.to_owned(), json!({}))).collect()
}

fn container(list: List, name: &str, image: &str) -> Value {
    let mut container = json!({
        "name": name,
        "image": image,
        "env": [{"name": "MODE", "value": "prod"}, {"name": "LOG_LEVEL", "value": "info"}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"memory": "64Mi"},
        },
        "volumeMounts": [{
            "name": "kube-api-access-w9b5g",
            "readOnly": true,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        }],
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    });
    if list == List::Containers {
        container["ports"] = json!([{"containerPort": 8080, "protocol": "TCP"}]);
        let probe = |path: &str| {
            let get = json!({"path": path, "port": 8080, "scheme": "HTTP"});
            json!({"httpGet": get, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1})
        };
        container["livenessProbe"] = probe("/livez");
        container["readinessProbe"] = probe("/readyz");
    }
    container
}

fn token_volume() -> Value {
    let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    json!({
        "name": "kube-api-access-w9b5g",
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                }},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
            ],
            "defaultMode": 420,
        },
    })
}
