//! The input document is the one that the contract shows, made from real parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use countersign::{
    attest::oci::ImageConfig,
    name::{Code, Digest},
    policy::{
        Container, INPUT_SCHEMA, ImageEntry, ImagePart, Input, Kind, Lookup, Platform, Records,
        Request, RequestPart, Resource, User,
    },
};
use countersign_kit as kit;
use serde_json::{Value, json, value::RawValue};

use crate::{schema::problems, verify_support as verify};

fn contract() -> Value {
    serde_json::from_str(include_str!("../../fixtures/policy/input.json")).unwrap()
}

/// A document made as the gate makes it, with an attestation that was verified.
fn ours() -> Value {
    let key = kit::Key::generate("Acme builder <builder@acme.example>");
    let judged = verify::judge(
        &verify::trusting(&key),
        &verify::candidate(verify::message(key.sign_message(&verify::payload()))),
    );
    assert_eq!(judged.verified.len(), 1, "{:?}", judged.rejected);
    let stranger = kit::Key::generate("Stranger <stranger@acme.example>");
    let rejected = verify::judge(
        &verify::trusting(&key),
        &verify::candidate(verify::message(stranger.sign_message(&verify::payload()))),
    );
    assert_eq!(rejected.rejected.len(), 1);

    let given = "a.example/b:1.4".parse().unwrap();
    let platform = Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        variant: String::new(),
        os_version: String::new(),
        digest: Digest::sha256(b"amd64"),
        config: Some(Digest::sha256(b"config")),
    };
    let config = ImageConfig {
        user: "65532".to_owned(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]),
        labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        entrypoint: vec!["/shop".to_owned()],
        cmd: Vec::new(),
    };
    let lookups: BTreeMap<Arc<str>, Lookup> = BTreeMap::from([
        ("grafeas".into(), Lookup::Found),
        ("index".into(), Lookup::None),
        ("referrers".into(), Lookup::Failed(Code::RegistryUnreachable)),
    ]);
    let entry = ImageEntry {
        path: "spec.containers[0].image",
        container: Container { name: "shop", kind: "container" },
        given: &given,
        digest: verify::digest(),
        media_type: "application/vnd.oci.image.index.v1+json",
        platform: Some(&platform),
        config: Some(&config),
        attestations: &judged.verified,
        records: &Records::default(),
        statements: &[],
        rejected: &rejected.rejected,
        lookups: &lookups,
    };
    let object: Box<RawValue> =
        serde_json::from_str(&contract()["request"]["object"].to_string()).unwrap();
    let request = Request {
        uid: "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
        time: "2026-11-21T09:30:00Z".parse().unwrap(),
        operation: "CREATE",
        namespace: "prod-shop",
        name: "",
        kind: Kind { group: "", version: "v1", kind: "Pod" },
        resource: Resource { group: "", version: "v1", resource: "pods" },
        sub_resource: "",
        user: User {
            username: "system:serviceaccount:kube-system:replicaset-controller",
            groups: &["system:authenticated".to_owned()],
        },
        dry_run: false,
        namespace_labels: None,
        object: Some(&object),
        old_object: None,
    };
    // As at its second place.
    let part = ImagePart::new(&ImageEntry {
        path: "spec.initContainers[0].image",
        container: Container { name: "init", kind: "initContainer" },
        given: &format!("a.example/b:1.4@{}", verify::digest()).parse().unwrap(),
        ..entry.clone()
    });
    let part = part.unwrap().at(entry.path, entry.container, &given).unwrap();
    let images = [ImagePart::new(&entry).unwrap()];
    let shown = |parts: &[ImagePart]| {
        serde_json::to_value(Input::new(&RequestPart::unread(), parts).unwrap()).unwrap()
    };
    assert_eq!(shown(&[part]), shown(&images));
    let input = Input::new(&RequestPart::new(&request).unwrap(), &images).unwrap();
    serde_json::to_value(input).unwrap()
}

#[test]
fn the_input_has_the_members_of_the_contract() {
    let (ours, contract) = (ours(), contract());
    assert_eq!(ours["request"], contract["request"]);
    same_members("images[0]", &ours["images"][0], &contract["images"][0]);
    assert_eq!(ours["images"][0]["tag"], "1.4");
    assert_eq!(ours["images"][0]["registry"], "a.example");
    assert_eq!(ours["images"][0]["reference"], format!("a.example/b@{}", verify::digest()));
    assert_eq!(ours["images"][0]["lookups"]["referrers"], "failed:registry.unreachable");
    assert_eq!(ours["images"][0]["rejected"][0]["code"], "signature.unknown-key");
}

/// Objects with fixed members have the same; what maps names to values is free.
fn same_members(path: &str, ours: &Value, contract: &Value) {
    const FREE: [&str; 5] = ["env", "labels", "lookups", "predicate", "metadata"];
    if FREE.iter().any(|free| path.ends_with(free)) {
        return;
    }
    match (ours, contract) {
        (Value::Object(ours), Value::Object(contract)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                let fixed = object.keys().filter(|name| *name != ADDED);
                fixed.cloned().collect::<BTreeSet<_>>()
            };
            assert_eq!(names(ours), names(contract), "{path}");
            for (name, value) in ours.iter().filter(|(name, _)| *name != ADDED) {
                same_members(&format!("{path}.{name}"), value, &contract[name]);
            }
        }
        (Value::Array(ours), Value::Array(contract)) => {
            if let (Some(ours), Some(contract)) = (ours.first(), contract.first()) {
                same_members(&format!("{path}[0]"), ours, contract);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (ours, contract) => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(contract),
            "{path}: {ours} {contract}"
        ),
    }
}

/// Of `signer`: what people are counted by, which the contract's example is older than.
const ADDED: &str = "identity";

#[test]
fn no_images_are_no_input() {
    let request = Request {
        uid: "",
        time: jiff::Timestamp::UNIX_EPOCH,
        operation: "",
        namespace: "",
        name: "",
        kind: Kind { group: "", version: "", kind: "" },
        resource: Resource { group: "", version: "", resource: "" },
        sub_resource: "",
        user: User { username: "", groups: &[] },
        dry_run: false,
        namespace_labels: None,
        object: None,
        old_object: None,
    };
    let error = Input::new(&RequestPart::new(&request).unwrap(), &[]).unwrap_err();
    assert_eq!(error.to_string(), "there is no image to judge");
    let deep: Box<RawValue> =
        serde_json::from_str(&format!("{}{}", "[".repeat(300), "]".repeat(300))).unwrap();
    let error = RequestPart::new(&Request { object: Some(&deep), ..request }).unwrap_err();
    assert!(error.to_string().contains("recursion limit exceeded"), "{error}");
}

#[test]
fn inputs_are_what_the_schema_says() {
    for (name, input) in [("contract", contract()), ("ours", ours())] {
        let problems = problems(INPUT_SCHEMA, "input", &input);
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
    for (name, pointer, value, want) in [
        ("other type", "/images/0/path", json!(1), "input.images[0].path: 1 is no string"),
        ("unknown", "/images/0/x", json!(1), "input.images[0]: x is not known"),
        ("empty", "/images", json!([]), "input.images: too short"),
        (
            "level",
            "/images/0/attestations/0/subject/level",
            json!("layer"),
            "input.images[0].attestations[0].subject.level: \"layer\" is not allowed",
        ),
    ] {
        let mut input = contract();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        input.pointer_mut(parent).unwrap()[member] = value;
        assert_eq!(problems(INPUT_SCHEMA, "input", &input), [want], "{name}");
    }
}
