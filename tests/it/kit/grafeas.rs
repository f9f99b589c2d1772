//! Grafeas and reviews look like those of the real servers.

use countersign_kit::{Grafeas, Kind, Quirks, attestation_pgp, review};
use serde_json::{Value, json};

use super::{get, send};

#[test]
fn grafeas_keeps_notes_and_occurrences() {
    let grafeas = Grafeas::start();
    let note = "projects/acme/notes/qa";
    let post =
        |path: &str, body: &Value| send(&grafeas, "POST", path, &[], body.to_string().as_bytes());
    assert_eq!(post("/v1beta1/projects", &json!({"name": "projects/acme"})).status, 200);
    let body = json!({"name": note, "attestationAuthority": {}});
    assert_eq!(post("/v1beta1/projects/acme/notes?noteId=qa", &body).json()["name"], note);
    assert_eq!(post("/v1beta1/projects/acme/notes?noteId=qa", &body).json()["code"], 6);
    let occurrence = attestation_pgp("https://r/acme/shop@sha256:0f", note, "pgp", "F00D");
    let made = post("/v1beta1/projects/acme/occurrences", &occurrence).json();
    assert_eq!(made["name"], "projects/acme/occurrences/kit-1");
    let foreign = json!({"resourceUri": "x", "noteName": note});
    let refused = post("/v1beta1/projects/acme/occurrences", &foreign);
    assert_eq!(refused.json()["message"], "proto: (line 1:2): unknown field \"resourceUri\"");
    let batch = json!({"occurrences": [occurrence, occurrence]});
    let batch = post("/v1beta1/projects/acme/occurrences:batchCreate", &batch).json();
    assert_eq!(batch["occurrences"].as_array().map(Vec::len), Some(2));
    for (path, want) in [
        ("/v1beta1/projects/acme/occurrences", json!(3)),
        ("/v1beta1/projects/acme/notes/qa/occurrences", json!(3)),
        ("/v1beta1/projects/other/occurrences", json!(0)),
    ] {
        let listed = get(&grafeas, path, &[]).json();
        let count = listed["occurrences"].as_array().map_or(0, Vec::len);
        assert_eq!(json!(count), want, "{path}: {listed}");
    }
    let none = get(&grafeas, "/v1beta1/projects/acme/notes/none/occurrences", &[]);
    assert_eq!((none.status, none.json()["code"].as_i64()), (404, Some(5)));
    assert_eq!(grafeas.count(Kind::Occurrence), 7);
}

#[test]
fn grafeas_has_the_quirks_it_is_told_to_have() {
    let grafeas = Grafeas::start();
    for (project, image) in [("acme", "a"), ("acme", "b"), ("acme", "c"), ("acme-evil", "a")] {
        let note = "projects/acme/notes/qa";
        let uri = format!("https://r/{image}@sha256:0f");
        grafeas.put(&format!("projects/{project}"), attestation_pgp(&uri, note, "pgp", ""));
    }
    let list = |query: &str| {
        let reply = get(&grafeas, &format!("/v1beta1/projects/acme/occurrences?{query}"), &[]);
        let body = reply.json();
        let token = body["nextPageToken"].as_str().map(str::to_owned);
        (body["occurrences"].as_array().map_or(0, Vec::len), token)
    };
    let token = |text: &str| Some(text.to_owned());
    let filter = "filter=resourceUrl%3D%22https%3A%2F%2Fr%2Fa%40sha256%3A0f%22";
    assert_eq!(list(filter), (3, None), "ignored, as the reference server does");
    assert_eq!(list("pageSize=2"), (2, token("2")));
    assert_eq!(list("pageSize=2&pageToken=2"), (1, None));
    let with = |change: fn(&mut Quirks)| {
        let mut quirks = Quirks::default();
        change(&mut quirks);
        grafeas.set_quirks(quirks);
    };
    with(|quirks| quirks.honors_filter = true);
    assert_eq!(list(filter), (1, None));
    with(|quirks| quirks.prefix_bleed = true);
    assert_eq!(list(""), (4, None));
    with(|quirks| quirks.early_end = true);
    assert_eq!(list("pageSize=2"), (2, None));
    with(|quirks| quirks.page_loop = true);
    assert_eq!(list("pageSize=2&pageToken=2"), (1, token("0")));
    with(|quirks| quirks.empty_pages = true);
    assert_eq!(list("pageToken=7"), (0, token("8")));
    with(|quirks| quirks.writes_defaults = true);
    assert_eq!(list(""), (3, token("")));
    with(|quirks| quirks.nulls = true);
    let none = get(&grafeas, "/v1beta1/projects/none/occurrences", &[]).json();
    assert_eq!(none, json!({"occurrences": null, "nextPageToken": null}));
    with(|quirks| quirks.v1 = false);
    assert_eq!(get(&grafeas, "/v1/projects/acme/occurrences", &[]).status, 404);
    grafeas.require_token("secret");
    assert_eq!(get(&grafeas, "/v1beta1/projects/acme/occurrences", &[]).status, 401);
}

#[test]
fn a_review_is_what_the_api_server_posts() {
    let before = review(&["a:1"]);
    let after = review(&["a:2"]).update_of(&before).user("alice", &["oncall"]).build();
    let request = &after["request"];
    assert_eq!(after["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(request["operation"], "UPDATE");
    assert_eq!(request["oldObject"]["spec"]["containers"][0]["image"], "a:1");
    assert_eq!(request["object"]["spec"]["containers"][0]["image"], "a:2");
    assert_eq!(request["userInfo"]["groups"], json!(["oncall"]));
    let deleted = review(&["a:1"]).operation("DELETE").build();
    assert_eq!(deleted["request"]["object"], Value::Null);
    assert!(deleted["request"]["oldObject"].is_object());
}
