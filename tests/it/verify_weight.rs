//! What opened evidence weighs against what it takes: the cache goes by the one and lives on the
//! other.

use countersign::verify::{Attests, Opened};
use countersign_kit as kit;
use regorus_mimalloc::current_thread_live_bytes;
use serde_json::{Value, json};

use crate::verify_support::{
    REPOSITORY, authority, candidate, digest, dsse, judge_opened, keys, message, payload, trust,
};

/// What a builder says, with as many materials as it read.
fn provenance(materials: usize) -> Value {
    let one = |number: usize| {
        json!({
            "uri": format!("pkg:docker/base-{number}@3.21?platform=linux%2Famd64"),
            "digest": {"sha256": format!("{number:064x}")},
        })
    };
    let materials: Vec<Value> = (0..materials).map(one).collect();
    let predicate = json!({
        "buildDefinition": {"buildType": "https://a.example/build", "resolvedDependencies": materials},
        "runDetails": {"builder": {"id": "https://a.example/builder"}, "metadata": {"invocationId": "7"}},
    });
    kit::statement("https://a.example/p", REPOSITORY, &digest().to_string(), predicate)
}

#[test]
fn p8_evidence_weighs_what_it_takes() {
    let (key, stranger) = (kit::Key::generate("Builder"), kit::Key::generate("Stranger"));
    let mut builder = authority("builder", keys(&key));
    builder.attests.push(Attests::AnyMetadata);
    let trust = trust(vec![builder]);
    let by = |key: &kit::Key, payload: &[u8]| message(key.sign_message(payload));
    let said = |statement: &Value| dsse(&kit::signed_statement(statement, &[&key]));
    let optional = String::from_utf8(payload()).unwrap();
    let optional = optional.replacen('{', r#"{"optional":{"creator":"ci","timestamp":1},"#, 1);
    for (name, signed) in [
        ("simple signing", by(&key, &payload())),
        ("with something optional", by(&key, optional.as_bytes())),
        ("no payload that is known", by(&key, b"{}")),
        ("a stranger's", by(&stranger, &payload())),
        ("a small statement", said(&provenance(0))),
        ("a statement", said(&provenance(10))),
        ("a large statement", said(&provenance(1000))),
    ] {
        let candidate = candidate(signed);
        let keep = || {
            let opened = trust.open(&candidate, &[]);
            judge_opened(&trust, &opened);
            opened
        };
        // What is made once is made here.
        drop(keep());
        let before = current_thread_live_bytes();
        let opened: Vec<Opened> = (0..8).map(|_| keep()).collect();
        let taken = usize::try_from(current_thread_live_bytes() - before).unwrap() / opened.len();
        let weight = opened[0].weight();
        let (least, most) = (taken * 4 / 5, taken * 5 / 4);
        assert!((least..=most).contains(&weight), "{name}: weighs {weight}, takes {taken}");
    }
}
