//! `deploy/manifest.yaml` as the webhook sees it: what the Pod's volume holds is what it loads.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::peer::Pki;

const MANIFEST: &str = include_str!("../../deploy/manifest.yaml");

#[test]
fn the_configuration_in_the_manifest_loads_from_the_volume_in_the_manifest() {
    let folder = TempDir::new().unwrap();
    let pki = TempDir::new().unwrap();
    Pki::new(pki.path()).server("tls", &["countersign.countersign.svc"]);
    let secret = |item: &str| match item {
        "tls.crt" | "tls.key" => fs::read_to_string(pki.path().join(item)).unwrap(),
        ".dockerconfigjson" => {
            r#"{"auths": {"registry.example": {"auth": "Y2k6cHc="}}}"#.to_owned()
        }
        other => panic!("a secret has no {other}"),
    };
    let map = document("ConfigMap");
    let deployment = document("Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    for source in pod["volumes"][0]["projected"]["sources"].as_array().unwrap() {
        let kind = if source["configMap"].is_object() { "configMap" } else { "secret" };
        for item in source[kind]["items"].as_array().unwrap() {
            let key = item["key"].as_str().unwrap();
            let content = map["data"][key].as_str().map_or_else(|| secret(key), ToOwned::to_owned);
            let path = folder.path().join(item["path"].as_str().unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    let container = &pod["containers"][0];
    let mounted = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
    let argument = container["args"][2].as_str().unwrap();
    let file = folder.path().join(Path::new(argument).strip_prefix(mounted).unwrap());
    let mut check = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = check.args(["config", "check"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("Replace me <nobody@acme.example>"), "{report}");
}

/// The document of the manifest that is of this kind.
fn document(kind: &str) -> Value {
    let mut documents = MANIFEST.split("\n---\n").map(|text| {
        serde_saphyr::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    });
    documents.find(|document| document["kind"] == kind).unwrap()
}

#[test]
fn the_network_policy_is_about_the_pods_and_ports_that_there_are() {
    let (policy, deployment) = (document("NetworkPolicy"), document("Deployment"));
    let template = &deployment["spec"]["template"];
    let selected = &policy["spec"]["podSelector"]["matchLabels"];
    assert_eq!(*selected, template["metadata"]["labels"]);
    let names = |list: &Value, key: &str| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|item| item[key].as_str().unwrap().to_owned()).collect()
    };
    let opened: Vec<String> = policy["spec"]["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| names(&rule["ports"], "port"))
        .collect();
    assert_eq!(opened, names(&template["spec"]["containers"][0]["ports"], "name"));
}
