//! `built` judges the same facts, whatever carries the provenance that states them.

use countersign::policy::Rule;
use countersign_kit::{
    Carrier, Evidence, Form, IN_TOTO, Key, Keys, NAMED, PkixKey, base64, image, index, pae,
    simple_signing, statement,
};
use serde_json::{Value, json};

use super::stage::Stage;

const V1: &str = "https://slsa.dev/provenance/v1";
const V02: &str = "https://slsa.dev/provenance/v0.2";

const BUILDER: &str = "https://ci.example/builder";
const REVISION: &str = "2970f65772decd083fd5de6c5a7a960d413979be";
const SOURCE: &str = "git+https://git.example/acme/shop.git@refs/heads/main";

/// What a builder of this id says of a build.
fn predicate(kind: &str, builder: &str) -> Value {
    let materials = json!([{"uri": "pkg:docker/base", "digest": {"sha256": "0b".repeat(32)}}]);
    let parameters = json!({"request": {"target": "prod"}});
    if kind == V02 {
        return json!({
            "builder": {"id": builder},
            "invocation": {
                "configSource": {"uri": SOURCE, "digest": {"sha1": REVISION}},
                "parameters": parameters,
            },
            "materials": materials,
        });
    }
    let mut external = parameters;
    external["configSource"] = json!({"uri": SOURCE, "digest": {"gitCommit": REVISION}});
    json!({
        "buildDefinition": {
            "externalParameters": external,
            "resolvedDependencies": materials,
        },
        "runDetails": {"builder": {"id": builder}},
    })
}

/// The provenance with everything that carries such where it counts.
fn carried(kind: &'static str, builder: &str) -> Vec<Form> {
    let (key, pkix) = (Key::generate("Builder <builder@acme.example>"), PkixKey::generate());
    let shop = image("shop").build();
    let said = predicate(kind, builder);
    let payload = statement(kind, NAMED, &shop.digest(), said.clone()).to_string().into_bytes();
    let signature = pkix.sign(&pae(IN_TOTO, &payload));
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
    });
    let form = |name: &str, carrier| Form {
        name: name.to_owned(),
        evidence: Evidence::Envelope { payload: payload.clone(), signature: signature.clone() },
        carrier,
        keys: Keys::Pkix(pkix.public_pem().into_bytes()),
        image: shop.clone(),
        digest: None,
        named: Some(NAMED),
        attests: if kind == V02 {
            "\"https://slsa.dev/provenance/v0.2\""
        } else {
            "\"https://slsa.dev/provenance/v1\""
        },
    };
    let unnamed = statement(kind, "_", &shop.digest(), said);
    let whole = index([&shop]).attested(&shop, &[unnamed]).build();
    vec![
        form("Grafeas v1, ATTESTATION", Carrier::Store("v1", attestation)),
        form("Grafeas v1beta1, ATTESTATION", Carrier::Store("v1beta1", attestation_beta)),
        form("Grafeas v1, BUILD as of Tekton Chains", Carrier::Store("v1", build)),
        form("referrer", Carrier::Referrer),
        form("cosign's .att", Carrier::Tags),
        form("bundle", Carrier::Bundle(bundle)),
        form("envelope in an index", Carrier::Index),
        Form {
            evidence: Evidence::Message(key.sign_message(&simple_signing(NAMED, &whole.digest()))),
            keys: Keys::OpenPgp(key.certificate()),
            image: whole,
            attests: if kind == V02 {
                "simple-signing, \"embedded:https://slsa.dev/provenance/v0.2\""
            } else {
                "simple-signing, \"embedded:https://slsa.dev/provenance/v1\""
            },
            ..form("BuildKit's, in a signed index", Carrier::Referrer)
        },
    ]
}

fn attestation(evidence: &Evidence) -> Value {
    json!({"attestation": evidence.details(""), "envelope": evidence.to_envelope()})
}

fn attestation_beta(evidence: &Evidence) -> Value {
    let Evidence::Envelope { payload, signature } = evidence else { panic!("no envelope") };
    let signed = json!({
        "serializedPayload": base64(payload),
        "signatures": [{"signature": base64(signature), "publicKeyId": ""}],
    });
    json!({
        "attestation": {"attestation": {"genericSignedAttestation": signed}},
        "envelope": evidence.to_envelope(),
    })
}

fn build(evidence: &Evidence) -> Value {
    json!({"build": {"intotoStatement": {}}, "envelope": evidence.to_envelope()})
}

/// What rules see of it.
async fn seen(form: &Form) -> Value {
    let stage = Stage::of(form, form.attests, None);
    let asked = form.hang(&form.evidence, &stage.spot("acme/shop", &form.image));
    json!({"images": stage.sees("acme/shop", &asked).await})
}

/// Code and text of what `built` with these parameters says against it.
fn denied(input: &Value, parameters: &Value) -> Vec<(String, String)> {
    let mut all = parameters.clone();
    all["authorities"] = json!(["tool"]);
    let rule = Rule::library("built", &all).unwrap();
    let verdict = rule.evaluate(&regorus::Value::from(input.clone())).unwrap();
    verdict.deny.into_iter().map(|one| (one.code, one.msg)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn built_reads_the_same_from_every_carrier() {
    let facts = format!(
        "builder \"{BUILDER}\", repository \"https://git.example/acme/shop\", branch \
         \"main\", revision \"{REVISION}\""
    );
    let all = json!({
        "builders": [BUILDER],
        "repositories": ["https://git.example/acme/shop"],
        "branches": ["main"],
        "revisions": [REVISION],
        "revisionRecorded": true,
        "materialsPinned": true,
        "buildParameters": {"request/target": "prod"},
    });
    for kind in [V1, V02] {
        for form in carried(kind, BUILDER) {
            let (name, input) = (format!("{kind}, {}", form.name), seen(&form).await);
            assert_eq!(denied(&input, &all), [], "{name}: {input:#}");
            for (fact, other) in [
                ("builders", json!(["https://ci.example/other"])),
                ("repositories", json!(["https://git.example/acme/other"])),
                ("branches", json!(["release"])),
                ("revisions", json!(["0".repeat(40)])),
                ("buildParameters", json!({"request/target": "test"})),
            ] {
                let mut wrong = all.clone();
                wrong[fact] = other;
                let denied = denied(&input, &wrong);
                let [(code, text)] = denied.as_slice() else { panic!("{name}: {denied:?}") };
                assert_eq!(code, "built.otherwise", "{name}, another of {fact}");
                assert!(text.contains(&facts), "{name}, another of {fact}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_builder_is_nobody_from_any_carrier() {
    for kind in [V1, V02] {
        for form in carried(kind, "") {
            let (name, input) = (format!("{kind}, {}", form.name), seen(&form).await);
            for builders in [json!([BUILDER]), json!([BUILDER, "*"])] {
                let denied = denied(&input, &json!({"builders": builders}));
                let [(code, text)] = denied.as_slice() else { panic!("{name}: {denied:?}") };
                assert_eq!(code, "built.otherwise", "{name}");
                assert!(text.contains("builder \"\", repository"), "{name}: {text}");
            }
        }
    }
}
